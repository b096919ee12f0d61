"""Choosing a token: free where that fits, bound where it does not, and always valid UTF-8."""

from collections.abc import Callable
from typing import Any

import pytest

from reviewbot.engines.llama.native import Native
from reviewbot.engines.llama.sampler import NoToken, Sampler, after

np = pytest.importorskip("numpy", reason="it comes with llama-cpp-python")

ANY_TEXT = r'root ::= "\"" [^"\\\x00-\x1F\x7F]* "\""'
Scores = Any


@pytest.fixture
def ranked(native: Native) -> Callable[..., Scores]:
    """Scores with these tokens (or one-token texts) first, in this order."""

    def make(*first: int | bytes) -> Scores:
        scores = np.full(native.vocabulary_size, -10, np.float32)
        for rank, item in enumerate(first):
            scores[item if isinstance(item, int) else of_bytes(native, item)] = 10 - rank
        return scores

    return make


def of_bytes(native: Native, piece: bytes) -> int:
    return next(t for t in range(native.vocabulary_size) if native.piece(t) == piece)


def sampler(native: Native, gbnf: str, temperature: float = 0.0) -> Sampler:
    return Sampler(native, native.grammar(gbnf), temperature=temperature, seed=1)


def test_the_best_token_is_taken_if_it_fits(native: Native, ranked: Callable[..., Scores]) -> None:
    chosen = sampler(native, ANY_TEXT).next(ranked(b'"', b"x"))

    assert native.piece(chosen) == b'"'


def test_else_the_best_that_fits(native: Native, ranked: Callable[..., Scores]) -> None:
    chosen = sampler(native, 'root ::= "xylem" | "yes"').next(ranked(b"a", b"y", b"x"))

    assert native.piece(chosen) == b"y"


def test_the_one_that_fits_is_found_behind_all_others(native: Native) -> None:
    scores = np.arange(native.vocabulary_size, dtype=np.float32)
    scores[of_bytes(native, b"q")] = -1_000  # not among the few that are tried first

    assert native.piece(sampler(native, 'root ::= "q"').next(scores)) == b"q"


@pytest.mark.parametrize("temperature", [0.0, 0.1])
def test_bytes_that_only_look_like_the_end_of_a_text_are_refused(
    native: Native, ranked: Callable[..., Scores], temperature: float
) -> None:
    """C0 A2 is a quotation mark to llama.cpp's grammar, and broken text to everybody else."""
    chosen = sampler(native, ANY_TEXT, temperature)
    chosen.next(ranked(b'"'))

    first = native.piece(chosen.next(ranked(b"\xc0", b"\xe0", b"x")))
    second = native.piece(chosen.next(ranked(b"\x82", b"\xa2", b"x")))
    third = native.piece(chosen.next(ranked(b"x", b"\xa2")))

    assert (first + second + third).decode() == "\u08a2"


def test_control_tokens_are_no_text(native: Native, ranked: Callable[..., Scores]) -> None:
    chosen = sampler(native, ANY_TEXT)
    chosen.next(ranked(b'"'))
    start, end = native.control("<|im_start|>"), native.control("<|im_end|>")

    assert native.piece(chosen.next(ranked(start, end, b"x"))) == b"x"


def test_an_answer_ends_where_it_may(native: Native, ranked: Callable[..., Scores]) -> None:
    chosen = sampler(native, 'root ::= "x" "y"?')
    chosen.next(ranked(b"x"))

    assert native.ends(chosen.next(ranked(native.control("<|im_end|>"), b"y")))


def test_draws_differ_by_seed_and_repeat_with_it(native: Native) -> None:
    scores = np.random.default_rng(0).standard_normal(native.vocabulary_size).astype(np.float32)

    def draws(seed: int) -> list[int]:
        bounds = native.grammar(ANY_TEXT)
        chosen = Sampler(native, bounds, temperature=1.0, seed=seed)
        tokens = [chosen.next(scores) for _ in range(12)]
        chosen.close()
        return tokens

    assert draws(1) == draws(1)
    assert draws(1) != draws(2)


@pytest.mark.parametrize("value", [np.nan, -np.inf, np.inf])
def test_scores_that_are_no_numbers_are_refused(native: Native, value: float) -> None:
    scores = np.full(native.vocabulary_size, value, np.float32)

    with pytest.raises(NoToken, match="no numbers"):
        sampler(native, ANY_TEXT).next(scores)


@pytest.mark.parametrize(
    ("start", "piece", "left"),
    [
        (b"", b"plain", b""),
        (b"", "é".encode(), b""),
        (b"", b"\xe2\x82", b"\xe2\x82"),
        (b"\xe2\x82", b"\xac!", b""),
        (b"\xe2\x82", b"x", None),
        (b"", b"\xc0", None),
        (b"\xe0", b"\x80", None),
        (b"", b"\xed\xa0", None),
        (b"", b"\xff", None),
    ],
)
def test_what_is_open_of_a_character(start: bytes, piece: bytes, left: bytes | None) -> None:
    assert after(start, piece) == left

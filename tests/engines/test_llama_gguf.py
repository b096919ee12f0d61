"""Headers of GGUF files: read right from a real one, and refused in one line from any other."""

import random
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_gguf import Shape, write_model

from reviewbot.engines.llama.gguf import read_facts
from reviewbot.errors import EngineError

SHAPE = Shape(layers=3, width=96, heads=6, kv_heads=2, feed_forward=160, context=2_048)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A model's bytes."""
    return write_model(tmp_path_factory.mktemp("gguf") / "tiny.gguf", SHAPE).read_bytes()


@pytest.fixture
def model(tmp_path: Path, good: bytes) -> Path:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(good)
    return path


def test_a_header_says_what_the_model_is(model: Path, good: bytes) -> None:
    facts = read_facts(model)

    assert (facts.architecture, facts.layers, facts.heads, facts.kv_heads) == ("qwen2", 3, 6, 2)
    assert (facts.head_dim, facts.embedding, facts.feed_forward) == (16, 96, 160)
    assert facts.context_tokens == 2_048
    assert facts.embedding_bytes == facts.output_bytes == facts.vocabulary * 96 * 2
    assert not facts.tied
    assert 0 < len(good) - facts.weight_bytes < 30_000  # the header
    assert facts.kv_bytes("f16") == 3 * 2 * 2 * 16 * 2


def test_without_output_weights_the_embeddings_serve(model: Path, good: bytes) -> None:
    model.write_bytes(good.replace(b"output.weight", b"0utput.weight", 1))

    facts = read_facts(model)

    assert facts.tied
    assert facts.output_bytes == facts.embedding_bytes


def test_the_parts_of_a_split_model_count_together(tmp_path: Path, good: bytes) -> None:
    first, second = (tmp_path / f"m-0000{n}-of-00002.gguf" for n in (1, 2))
    first.write_bytes(good)
    with pytest.raises(EngineError, match=r"m-00002-of-00002\.gguf is missing"):
        read_facts(first)
    shutil.copy(first, second)

    assert read_facts(first).parameters == 2 * _parameters(tmp_path, good)
    with pytest.raises(EngineError, match="name its first part"):
        read_facts(second)


def _parameters(folder: Path, good: bytes) -> int:
    (folder / "one.gguf").write_bytes(good)
    return read_facts(folder / "one.gguf").parameters


def _patched(good: bytes, at: int, format_: str, value: int) -> bytes:
    raw = bytearray(good)
    struct.pack_into(format_, raw, at, value)
    return bytes(raw)


def _after(good: bytes, key: bytes) -> int:
    return good.index(key) + len(key)


BROKEN: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda _: b"", "is empty"),
    "text": (lambda _: b"<html>404</html>" * 99, "is no GGUF file"),
    "byte order": (lambda good: b"FUGG" + good[4:], "is no GGUF file"),
    "old": (lambda good: _patched(good, 4, "<I", 1), "version 1"),
    "big endian": (lambda good: _patched(good, 4, ">I", 3), "version"),
    "only magic": (lambda good: good[:4], "cut off"),
    "tensor count": (lambda good: _patched(good, 8, "<Q", 2**63), "makes no sense"),
    "entry count": (lambda good: _patched(good, 16, "<Q", 2**40), "makes no sense"),
    "key length": (lambda good: _patched(good, 24, "<Q", 2**62), "a count of 4,611,"),
    "array length": (
        lambda good: _patched(good, _after(good, b"ggml.tokens") + 8, "<Q", 2**60),
        "a count of 1,152,",
    ),
    "long array": (
        lambda good: _patched(good, _after(good, b"ggml.tokens") + 8, "<Q", 4_000_000),
        "makes no sense",
    ),
    "nested array": (
        lambda good: _patched(good, _after(good, b"ggml.tokens") + 4, "<I", 9),
        "a value of type 9",
    ),
    "value type": (
        lambda good: _patched(good, _after(good, b"qwen2.block_count"), "<I", 99),
        "a value of type 99",
    ),
    "no layers": (
        lambda good: _patched(good, _after(good, b"qwen2.block_count") + 4, "<I", 0),
        "is no language model",
    ),
    "a key is gone": (
        lambda good: good.replace(b"qwen2.context_length", b"qwen2.context_lenght"),
        "qwen2.context_length is missing",
    ),
    "tensor type": (
        lambda good: _patched(good, _after(good, b"token_embd.weight") + 20, "<I", 77),
        "unknown type 77",
    ),
    "tensor size": (
        lambda good: _patched(good, _after(good, b"token_embd.weight") + 4, "<Q", 2**63),
        "is cut off",
    ),
    "last byte": (lambda good: good[:-64], "is cut off"),
    "no ChatML": (lambda good: good.replace(b"<|im_start|>", b"<|in_start|>"), "ChatML"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_in_one_line(model: Path, good: bytes, name: str) -> None:
    broken, words = BROKEN[name]
    model.write_bytes(broken(good))

    with pytest.raises(EngineError, match=words) as caught:
        read_facts(model)

    assert str(model) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.gguf", tmp_path):
        with pytest.raises(EngineError, match="cannot read"):
            read_facts(path)


def test_no_cut_and_no_flipped_byte_gets_past_as_anything_else(model: Path, good: bytes) -> None:
    header = good[: good.index(b"blk.2.ffn_down.weight") + 60]
    picked = random.Random(11)
    for _ in range(400):
        raw = bytearray(good)
        for _ in range(picked.choice((1, 1, 4))):
            raw[picked.randrange(len(header))] = picked.randrange(256)
        if picked.random() < 0.3:
            del raw[picked.randrange(len(header)) :]
        model.write_bytes(bytes(raw))
        try:
            facts = read_facts(model)
        except EngineError as error:
            assert len(str(error).splitlines()) == 1  # noqa: PT017 - most, not all, are refused
        else:
            assert facts.weight_bytes <= len(raw)

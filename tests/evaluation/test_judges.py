"""Judges on pairs written by hand: what a careful reader would call the same, they call the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewbot.change.model import Change
from reviewbot.change.source import Fetched
from reviewbot.evaluation.corpus import Case, Remark
from reviewbot.evaluation.judges import PairJudge, judge_of, location, terms
from reviewbot.evaluation.said import Result, Said

REMARKS = (
    "`parse_header` may return None for an empty header, and `value.strip()` then crashes.",
    "The lock is released before the counter is written: two threads may both see the old value.",
    "Rename this variable, `x` says nothing.",
    "SQL is built by joining strings: user input reaches the query. Use bound parameters.",
    "Missing test for the empty list.",
    "The cache is never cleared, so memory grows with each request.",
)


def said(title: str, body: str = "", *, path: str = "a.py", line: int | None = 10) -> Said:
    return Said(path, line, line, "right", "high", title, body, line is not None, "some-model")


def remark(comment: str, *, path: str = "a.py", line: int | None = 10) -> Remark:
    return Remark(file=path, line=line, comment=comment)


@pytest.fixture
def lexical() -> PairJudge:
    golden = tuple(remark(text) for text in REMARKS)
    return judge_of("lexical", [Case("one", Fetched(Change(())), golden)])


@pytest.mark.parametrize(
    ("title", "body", "same"),
    [
        ("Crash on empty header", "`parse_header` returns None here; `value.strip()` raises.", 0),
        ("Race on the counter", "The lock is released too early: threads see an old value.", 1),
        ("SQL injection", "User input is joined into the query; use bound parameters.", 3),
        ("Memory leak", "Nothing clears the cache: it grows with every request.", 5),
    ],
)
def test_the_same_in_other_words_is_the_same(
    lexical: PairJudge, title: str, body: str, same: int
) -> None:
    scores = [lexical.score(said(title, body), remark(text)) for text in REMARKS]

    assert scores[same] == max(scores) > 0


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("Division by zero", "`total / size` fails when size is 0."),
        ("Wrong currency", "The amount is added in euros to a sum in dollars."),
        ("This is the one", "It is what it does and will be."),  # words without meaning
    ],
)
def test_something_else_is_something_else(lexical: PairJudge, title: str, body: str) -> None:
    assert [lexical.score(said(title, body), remark(text)) for text in REMARKS] == [0.0] * 6


def test_an_identifier_weighs_more_than_a_word_of_prose(lexical: PairJudge) -> None:
    named = lexical.score(said("Look at parse_header again"), remark(REMARKS[0]))
    prose = lexical.score(said("Look at the header again"), remark(REMARKS[0]))

    assert named > prose


@pytest.mark.parametrize(
    ("line", "first", "last", "score"),
    [
        (10, None, 10, 1.0),
        (12, 10, 14, 1.0),
        (9, 10, 14, 0.5),
        (15, 10, 14, 0.5),
        (8, 10, 14, 0.0),
        (16, 10, 14, 0.0),
        (10, 14, 8, 1.0),  # whichever way round it was marked
    ],
)
def test_a_place_is_met_within_one_line(
    line: int, first: int | None, last: int, score: float
) -> None:
    there = Remark(file="a.py", line=last, from_line=first, comment="…")

    assert location(said("…", line=line), there) == score


def test_a_place_is_of_one_file_and_one_side() -> None:
    left = Remark(file="a.py", line=10, side="LEFT", comment="…")

    assert location(said("…"), remark("…", path="b.py")) == 0
    assert location(said("…"), left) == 0
    assert location(said("…", line=None), remark("…")) == 0


def test_a_remark_on_a_whole_file_is_met_anywhere_in_it() -> None:
    assert 0 < location(said("…", line=99), remark("…", line=None)) < 0.5


def test_both_means_both() -> None:
    golden = tuple(remark(text, line=10 * n) for n, text in enumerate(REMARKS))
    judge = judge_of("location+lexical", [Case("one", Fetched(Change(())), golden)])
    crash = said("Crash on empty header", "`parse_header` returns None.", line=0)
    elsewhere = said("Crash on empty header", "`parse_header` returns None.", line=40)
    result = Result("one", "local", 1, findings=(crash, elsewhere))

    assert set(judge.pairs(Case("one", Fetched(Change(())), golden), result, golden)) == {(0, 0)}


@given(st.text(), st.text())
def test_likeness_is_a_share_and_the_same_both_ways(one: str, other: str) -> None:
    judge = judge_of("lexical", [Case("one", Fetched(Change(())), (remark(one), remark(other)))])

    there = judge.score(said(one), remark(f"{other}\n"))
    back = judge.score(said(other), remark(f"{one}\n"))

    assert 0 <= there <= 1.000001
    assert there == pytest.approx(back)


def test_terms_are_stems_and_identifiers_with_their_parts() -> None:
    found = terms("Checked: readHTTPHeader and max_size are checks")

    assert found["check"] == (2, 1.0)
    assert found["readhttpheader"][1] > 1
    assert {"read", "http", "header", "max_size", "max", "size"} <= set(found)
    assert "and" not in found

"""Which local reviews Claude repeats, and how both compare."""

from dataclasses import replace

import pytest

from reviewbot.review.answer import Category, Severity
from reviewbot.review.finding import Finding
from reviewbot.review.regret import compared, sampled

FLOORS = Finding(
    path="shop/pages.py",
    line=2,
    end_line=2,
    side="RIGHT",
    severity=Severity.LOW,
    category=Category.CORRECTNESS,
    title="The last page is lost",
    body="Rounds down.",
    quote="return total // size",
    confidence=0.9,
    engine="llama",
    fingerprint="a",
)
#: The same remark in Claude's words.
ROUNDS = replace(
    FLOORS, line=1, end_line=3, severity=Severity.HIGH, engine="claude", fingerprint="b"
)
SLOW = replace(FLOORS, category=Category.PERFORMANCE, title="Slow", fingerprint="c")
LEAKS = replace(ROUNDS, category=Category.SECURITY, title="Leaks", fingerprint="d")
ELSEWHERE = replace(SLOW, path="shop/secret.py", fingerprint="e")
PATHS = {"shop/pages.py"}


def test_what_both_found_stands_once_and_names_both() -> None:
    findings, regret = compared([FLOORS, SLOW], [ROUNDS, LEAKS], PATHS)

    assert [(f.title, f.engine, f.agreed) for f in findings] == [
        ("The last page is lost", "llama", ("claude",)),
        ("Slow", "llama", ()),
        ("Leaks", "claude", ()),
    ]
    assert regret.to_json() == {
        "both": 1,
        "only_local": 1,
        "only_claude": 1,
        "by_severity": {
            "high": {"both": 1, "only_local": 0, "only_claude": 1},
            "low": {"both": 0, "only_local": 1, "only_claude": 0},
        },
    }


def test_what_claude_was_not_shown_is_nobodys_miss() -> None:
    findings, regret = compared([ELSEWHERE], [], PATHS)

    assert findings == (ELSEWHERE,)
    assert regret.total("only_local") == 0


def test_where_nobody_found_anything_there_is_still_a_comparison() -> None:
    assert compared([], [], PATHS)[1].to_json() == {
        "both": 0,
        "only_local": 0,
        "only_claude": 0,
        "by_severity": {},
    }


def test_two_remarks_of_claude_on_one_finding_are_both_common() -> None:
    again = replace(ROUNDS, line=2, end_line=2, fingerprint="f")

    findings, regret = compared([FLOORS], [ROUNDS, again], PATHS)

    assert len(findings) == 1
    assert regret.total("both") == 2


def test_the_same_head_is_always_or_never_sampled() -> None:
    heads = [f"{number:040x}" for number in range(2_000)]

    chosen = [head for head in heads if sampled("22", 7, head, 5)]

    assert chosen == [head for head in heads if sampled("22", 7, head, 5)]
    assert 60 < len(chosen) < 140, "about a twentieth"
    assert set(chosen) < {head for head in heads if sampled("22", 7, head, 20)}
    assert chosen != [head for head in heads if sampled("22", 8, head, 5)]


@pytest.mark.parametrize(("percent", "all_of_them"), [(0, False), (100, True)])
def test_none_and_all_are_exact(percent: float, all_of_them: bool) -> None:
    assert {sampled("22", n, str(n), percent) for n in range(1_000)} == {all_of_them}

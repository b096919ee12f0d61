"""Few and true: duplicates merge, the worst come first, the rest is counted."""

from itertools import permutations

from reviewbot.review.answer import Category, Severity
from reviewbot.review.finding import Finding
from reviewbot.review.select import select


def finding(**said: object) -> Finding:
    usual: dict[str, object] = {
        "path": "a.py",
        "line": 3,
        "end_line": 3,
        "side": "RIGHT",
        "severity": Severity.MEDIUM,
        "category": Category.CORRECTNESS,
        "title": "Index is off by one",
        "body": "",
        "quote": "x",
        "confidence": 0.5,
        "engine": "claude",
    }
    return Finding(**(usual | said))  # type: ignore[arg-type]


def test_the_worst_and_surest_come_first() -> None:
    low = finding(severity=Severity.LOW, line=1, end_line=1)
    unsure = finding(severity=Severity.HIGH, confidence=0.2, line=20, end_line=20, title="One")
    sure = finding(severity=Severity.HIGH, confidence=0.9, line=30, end_line=30, title="Other")

    chosen = select([low, unsure, sure], min_severity=Severity.LOW, max_findings=10)

    assert chosen.findings == (sure, unsure, low)


def test_the_same_remark_of_two_engines_is_one_with_both_names() -> None:
    model = finding(severity=Severity.HIGH)
    tool = finding(engine="ruff", title="Index off by one", confidence=1.0)

    chosen = select([tool, model], min_severity=Severity.LOW, max_findings=10)

    [kept] = chosen.findings
    assert (kept.engine, kept.agreed, kept.severity) == ("claude", ("ruff",), Severity.HIGH)
    assert kept.confidence == 1.0
    assert chosen.dropped == {"merged": 1}


def test_two_different_remarks_on_one_line_both_stay() -> None:
    one = finding(title="Index is off by one")
    two = finding(title="Password is logged", category=Category.SECURITY)

    assert len(select([one, two], min_severity=Severity.LOW, max_findings=10).findings) == 2


def test_what_is_not_shown_is_counted() -> None:
    many = [finding(line=n * 10, end_line=n * 10, severity=Severity.HIGH) for n in range(1, 6)]
    mild = finding(severity=Severity.LOW, line=999, end_line=999)

    chosen = select([*many, mild], min_severity=Severity.MEDIUM, max_findings=3)

    assert len(chosen.findings) == 3
    assert chosen.dropped == {"below severity": 1, "over the limit": 2}


def test_order_of_the_input_does_not_matter() -> None:
    some = [
        finding(),
        finding(engine="ruff", title="Index off by one"),
        finding(line=9, end_line=12, title="Other"),
        finding(line=None, end_line=None, anchored=False, title="Nowhere"),
    ]

    results = {
        select(order, min_severity=Severity.LOW, max_findings=3).findings
        for order in permutations(some)
    }

    assert len(results) == 1

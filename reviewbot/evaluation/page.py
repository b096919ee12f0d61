"""Figures of strategies as a page and as JSON. The judge's name stands beside every figure."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from reviewbot.costs.money import decimal_text
from reviewbot.evaluation.figures import RESAMPLES, Figures, Interval, Measured, Tally
from reviewbot.publishing.figures import usd
from reviewbot.reporting.page import (
    Bar,
    Bars,
    Block,
    Heading,
    Page,
    Paragraph,
    Points,
    Table,
)
from reviewbot.routing.wording import plural

#: Version of the JSON form.
SCHEMA = 1


def evaluation_page(figures: Sequence[Figures], notes: Sequence[str]) -> Page:
    """All strategies, beside each other."""
    judge, first = figures[0].judge, figures[0]
    return Page(
        f"Strategies, judged by {judge}",
        f"{plural(first.cases, 'pull request')}, {plural(first.repeats, 'repeat')}",
        list(_blocks(figures, judge, notes)),
    )


def _blocks(figures: Sequence[Figures], judge: str, notes: Sequence[str]) -> Iterator[Block]:
    yield Heading(f"What is found (judge: {judge})")
    yield Table(
        ("strategy", "findings", "matched", "of remarks", "precision", "recall", "F1", "F0.5"),
        [
            (
                each.strategy,
                f"{each.tally.findings:,}",
                f"{each.tally.matched:,}",
                f"{each.tally.golden:,}",
                *(_measured(each.measured[name]) for name in ("precision", "recall", "f1", "f0.5")),
            )
            for each in figures
        ],
    )
    yield Bars(
        f"F1, with its 95 % interval (judge: {judge})",
        [_bar(each.strategy, each.measured["f1"]) for each in figures],
    )
    yield Heading(f"What it costs (judge: {judge})")
    yield Table(
        (
            "strategy",
            "USD a pull request",
            "USD a matched finding",
            "of it paid",
            "tokens in",
            "tokens out",
            "model seconds p50",
            "p95",
        ),
        [
            (
                each.strategy,
                usd(each.usd_per_pull),
                "–" if each.usd_per_match is None else usd(each.usd_per_match),
                usd(each.external_usd),
                f"{each.tokens_input:,}",
                f"{each.tokens_output:,}",
                f"{each.percentile(0.5):,.1f}",
                f"{each.percentile(0.95):,.1f}",
            )
            for each in figures
        ],
    )
    if any(each.usd_per_match for each in figures):
        yield Bars(
            f"USD for each matched finding (judge: {judge})",
            [
                Bar(each.strategy, float(each.usd_per_match), usd(each.usd_per_match))
                for each in figures
                if each.usd_per_match is not None
            ],
        )
    yield Heading(f"How it behaves (judge: {judge})")
    yield Table(
        (
            "strategy",
            "findings a pull request",
            "on clean ones",
            "rejected remarks",
            "repeated",
            "anchored",
            "unreadable answers",
            "incomplete",
            "failed",
        ),
        [_behaviour(each) for each in figures],
    )
    for title, of in _GROUPS:
        if not any(of(each) for each in figures):
            continue
        yield Heading(f"{title} (judge: {judge})")
        yield Table(
            ("strategy", "", "findings", "matched", "precision", "recall"),
            [
                (
                    each.strategy,
                    name,
                    f"{tally.findings:,}",
                    f"{tally.matched:,}",
                    _share(tally.precision),
                    _share(tally.recall),
                )
                for each in figures
                for name, tally in of(each).items()
            ],
            words=frozenset({1}),
        )
    yield Heading("How to read it")
    yield Paragraph(
        "Unmatched is not false: what people remarked on is never all there is. Compare strategies"
        " with each other, under one judge, on the same pull requests."
    )
    yield Points([*_READING, *notes])


_GROUPS: Sequence[tuple[str, Callable[[Figures], Any]]] = (
    ("By severity of the finding", lambda figures: figures.by_severity),
    ("By area of the pull request", lambda figures: figures.by_area),
    ("By who was to read it", lambda figures: figures.by_tier),
)
_READING = (
    "matched: findings that are a remark of people, each remark counted once; precision: their"
    " share of all findings; recall: their share of all remarks; F0.5 holds precision for more"
    " important than recall",
    f"intervals: 95 %, from {RESAMPLES:,} bootstrap resamples of the pull requests, each with all its"
    " repeats",
    "repeated: findings that say a remark which another finding has said; rejected remarks:"
    " findings that people have called wrong or worthless before",
    "USD: bills of providers, and energy and amortisation of the own hardware while it worked",
    "model seconds: of all calls of a pull request together, as if made one after the other",
    "a review that failed counts as one without findings",
)


def _behaviour(each: Figures) -> tuple[str, ...]:
    per_pull = each.tally.findings / each.reviews if each.reviews else 0.0
    clean = f"{each.findings_on_clean} on {each.clean_cases}" if each.clean_cases else "–"
    findings = each.tally.findings
    return (
        each.strategy,
        f"{per_pull:.1f}",
        clean,
        f"{each.tally.rejected}",
        f"{each.tally.repeated}",
        f"{each.tally.anchored} of {findings}",
        f"{each.unreadable} of {each.answers}",
        f"{each.incomplete} of {each.reviews}",
        f"{each.failed}",
    )


def _bar(name: str, measured: Measured) -> Bar:
    value, interval = measured
    low, high = interval or (None, None)
    return Bar(name, value or 0.0, _share(value), low, high)


def _measured(measured: Measured) -> str:
    value, interval = measured
    if value is None or interval is None:
        return _share(value)
    return f"{_share(value)} ({_plain(interval.low)}–{_plain(interval.high)})"


def _share(value: float | None) -> str:
    return "–" if value is None else _plain(value)


def _plain(value: float) -> str:
    return f"{value:.3f}".removeprefix("0") if value < 1 else "1.000"


def evaluation_json(figures: Sequence[Figures], notes: Sequence[str]) -> dict[str, Any]:
    """The same for programs; USD as decimal strings."""
    return {
        "schema": SCHEMA,
        "judge": figures[0].judge,
        "strategies": [_json(each) for each in figures],
        "notes": list(notes),
    }


def _json(each: Figures) -> dict[str, Any]:
    match = each.usd_per_match
    return {
        "strategy": each.strategy,
        "judge": each.judge,
        "pull_requests": each.cases,
        "repeats": each.repeats,
        "reviews": each.reviews,
        **_tally(each.tally),
        **{
            name: {"value": measured.value, "interval": _pair(measured.interval)}
            for name, measured in each.measured.items()
        },
        "by_severity": {name: _tally(tally) for name, tally in each.by_severity.items()},
        "by_area": {name: _tally(tally) for name, tally in each.by_area.items()},
        "by_tier": {name: _tally(tally) for name, tally in each.by_tier.items()},
        "clean_reviews": each.clean_cases,
        "findings_on_clean": each.findings_on_clean,
        "failed": each.failed,
        "incomplete": each.incomplete,
        "answers": each.answers,
        "unreadable_answers": each.unreadable,
        "tokens_input": each.tokens_input,
        "tokens_output": each.tokens_output,
        "usd": decimal_text(each.usd),
        "external_usd": decimal_text(each.external_usd),
        "usd_per_pull_request": decimal_text(each.usd_per_pull),
        "usd_per_matched_finding": None if match is None else decimal_text(match),
        "model_seconds_p50": each.percentile(0.5),
        "model_seconds_p95": each.percentile(0.95),
    }


def _pair(interval: Interval | None) -> list[float] | None:
    return None if interval is None else list(interval)


def _tally(tally: Tally) -> dict[str, int]:
    return {
        "findings": tally.findings,
        "matched": tally.matched,
        "golden": tally.golden,
        "rejected_matched": tally.rejected,
        "repeated": tally.repeated,
        "anchored": tally.anchored,
    }

"""Figures of strategies as a page and as JSON. The judge's name stands beside every figure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from reviewbot.costs.money import decimal_text
from reviewbot.evaluation.figures import (
    RESAMPLES,
    UNRATED,
    Figures,
    Group,
    Interval,
    Measured,
    Tally,
    group_rank,
)
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
    yield _found(figures)
    yield Bars(
        f"F1, with its 95 % interval (judge: {judge})",
        [_bar(each.strategy, each.measured["f1"]) for each in figures],
    )
    yield Heading(f"What it costs (judge: {judge})")
    yield _costs(figures)
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
    yield from _behaviour(figures)
    for part in _PARTS:
        if part.shown(figures):
            yield Heading(f"By {part.title} (judge: {judge})")
            yield part.table(figures)
    yield Heading("How to read it")
    yield Paragraph(
        "Unmatched is not false: what people remarked on is never all there is. Compare strategies"
        " with each other, under one judge, on the same pull requests."
    )
    yield Points([*_READING, *notes])


def _found(figures: Sequence[Figures]) -> Table:
    return Table(
        ("strategy", "findings", "matched", "of remarks", *_NAMES.values()),
        [
            (
                each.strategy,
                f"{each.tally.findings:,}",
                f"{each.tally.matched:,}",
                f"{each.tally.golden:,}",
                *(_measured(each.measured[name]) for name in _NAMES),
            )
            for each in figures
        ],
    )


def _costs(figures: Sequence[Figures]) -> Table:
    return Table(
        (
            "strategy",
            "USD a pull request",
            "USD a matched finding",
            "paid in all",
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


def _behaviour(figures: Sequence[Figures]) -> Iterator[Table]:
    yield Table(
        (
            "strategy",
            "findings a pull request",
            "on clean ones",
            "rejected remarks",
            "repeated",
            "anchored",
            "with a change",
        ),
        [_findings(each) for each in figures],
    )
    yield Table(
        ("strategy", "reviews", "failed", "incomplete", "answers", "unreadable"),
        [_answers(each) for each in figures],
    )


_NAMES = {"precision": "precision", "recall": "recall", "f1": "F1", "f0.5": "F0.5"}
#: Digits of figures of a part: fewer pull requests tell less.
_FEW = 2
_COUNTS: Mapping[str, Callable[[Tally], int]] = {
    "findings": lambda tally: tally.findings,
    "matched": lambda tally: tally.matched,
    "remarks": lambda tally: tally.golden,
}


class _Part(NamedTuple):
    """A table of groups, with those of all strategies beside each other."""

    title: str
    groups: Callable[[Figures], Mapping[str, Group]]
    counts: Sequence[str]
    measures: Sequence[str]

    def shown(self, figures: Sequence[Figures]) -> bool:
        """It tells more than the figures of the whole."""
        return any(set(self.groups(each)) - {UNRATED} for each in figures)

    def table(self, figures: Sequence[Figures]) -> Table:
        names = {name for each in figures for name in self.groups(each)}
        return Table(
            ("", "strategy", *self.counts, *(_NAMES[name] for name in self.measures)),
            [
                (
                    of,
                    each.strategy,
                    *(f"{_COUNTS[count](group.tally):,}" for count in self.counts),
                    *(_measured(group.measured[name], _FEW) for name in self.measures),
                )
                for of in sorted(names, key=group_rank)
                for each in figures
                if (group := self.groups(each).get(of))
            ],
            words=frozenset({1}),
        )


_PARTS = (
    _Part(
        "severity of the finding",
        lambda figures: figures.by_severity,
        ("findings", "matched"),
        ("precision",),
    ),
    _Part(
        "severity of the remark",
        lambda figures: figures.by_remark,
        ("remarks", "matched"),
        ("recall",),
    ),
    _Part(
        "area of the pull request",
        lambda figures: figures.by_area,
        ("findings", "remarks"),
        tuple(_NAMES),
    ),
    _Part(
        "who was to read it",
        lambda figures: figures.by_tier,
        ("findings", "remarks"),
        tuple(_NAMES),
    ),
)
_READING = (
    "matched: findings that are a remark of people, each remark counted once; precision: their"
    " share of all findings; recall: their share of all remarks; F0.5 holds precision for more"
    " important than recall",
    f"intervals: 95 %, from {RESAMPLES:,} bootstrap resamples of the pull requests, each with all its"
    " repeats",
    "by severity: precision of the findings that the reviewer rated so, recall of the remarks that"
    " people rated so",
    "with a change: findings with a suggested change of their lines that applies; repeated: findings"
    " that say a remark which another finding has said; rejected remarks:"
    " findings that people have called wrong or worthless before",
    "USD: bills of providers, and energy and amortisation of the own hardware while it worked",
    "model seconds: of all calls of a pull request together, as if made one after the other",
    "a review that failed counts as one without findings; all counts are of all repeats together",
)


def _findings(each: Figures) -> tuple[str, ...]:
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
        f"{each.tally.mended} of {findings}",
    )


def _answers(each: Figures) -> tuple[str, ...]:
    counts = (each.reviews, each.failed, each.incomplete, each.answers, each.unreadable)
    return (each.strategy, *(f"{count:,}" for count in counts))


def _bar(name: str, measured: Measured) -> Bar:
    value, interval = measured
    low, high = interval or (None, None)
    return Bar(name, value or 0.0, _share(value), low, high)


def _measured(measured: Measured, digits: int = 3) -> str:
    value, interval = measured
    if value is None or interval is None:
        return _share(value, digits)
    low, high = (_share(end, digits) for end in interval)
    return f"{_share(value, digits)} ({low}–{high})"


def _share(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}".removeprefix("0")


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
        **_measured_json(each.measured),
        "by_severity": _groups_json(each.by_severity),
        "by_remark_severity": _groups_json(each.by_remark),
        "by_area": _groups_json(each.by_area),
        "by_tier": _groups_json(each.by_tier),
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


def _groups_json(groups: Mapping[str, Group]) -> dict[str, Any]:
    return {
        name: {**_tally(group.tally), **_measured_json(group.measured)}
        for name, group in groups.items()
    }


def _measured_json(measured: Mapping[str, Measured]) -> dict[str, Any]:
    return {
        name: {"value": each.value, "interval": _pair(each.interval)}
        for name, each in measured.items()
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
        "with_suggestion": tally.mended,
    }

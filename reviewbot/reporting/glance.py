"""A month at a glance, in the blocks of a report: its figures, the months before, and who had what."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from urllib.parse import urlencode

from reviewbot.publishing.figures import usd
from reviewbot.reporting.page import Block, Cell, Column, Columns, Link, Paragraph, Table
from reviewbot.reporting.ratio import Ratio
from reviewbot.reporting.report import Report, Totals
from reviewbot.reporting.report_page import report_tiles
from reviewbot.reporting.report_words import against_claude, scripted_words
from reviewbot.reporting.sums import ZERO
from reviewbot.reporting.window import Window

#: Longest list of repositories.
MOST_REPOSITORIES = 10


def month_blocks(report: Report) -> Iterator[Block]:
    """What the month came to."""
    if said := scripted_words(report):
        yield Paragraph(said, strong=True)
    yield Paragraph(against_claude(report), strong=True)
    yield report_tiles(report)


def trend_blocks(months: Sequence[Totals]) -> Iterator[Block]:
    """The months side by side, the oldest first: a chart, and its numbers."""
    others = any(month.spending.other_usd for month in months)
    names = ["Claude", "local: power and hardware", "other services"]
    columns = []
    for month in months:
        spent = month.spending
        parts = [float(spent.claude_usd), float(spent.local_usd), float(spent.other_usd)]
        columns.append(Column(month_name(month.window), parts if others else parts[:2]))
    dearest = max(months, key=lambda month: month.spending.total_usd)
    told = (
        f"The dearest month was {month_name(dearest.window)} with"
        f" {usd(dearest.spending.total_usd)}; the table below has all."
    )
    yield Columns("USD a month", names if others else names[:2], columns, told, numbers=False)
    yield Table(
        ("month", "pull requests", "reviews", "by Claude", "spent", "Claude alone"),
        [_month(month) for month in reversed(months)],
    )


def _month(month: Totals) -> tuple[Cell, ...]:
    name = month_name(month.window)
    return (
        Link(name, f"/report/{name}"),
        f"{month.pulls:,}",
        f"{month.reviews:,}",
        month.claude.percent,
        usd(month.spending.total_usd),
        # of complete reviews alone, so no difference is told here: the report has it
        usd(month.all_claude_usd) if month.all_claude_usd else "–",
    )


def tier_table(report: Report) -> Table:
    """Which tier read how much, for how much."""
    return Table(
        ("tier", "reviews", "share", "calls", "USD", "share of USD"),
        [
            (
                Link(line.name, _reviews(tier=line.name)),
                f"{line.reviews.part:,}",
                line.reviews.percent,
                f"{line.calls:,}",
                usd(line.usd),
                Ratio(line.usd, sum((each.usd for each in report.tiers), ZERO)).percent,
            )
            for line in report.tiers
        ],
    )


def repository_table(report: Report) -> Table:
    """The dearest repositories, and the rest in one line."""
    month = month_name(report.window)
    rows: list[tuple[Cell, ...]] = [
        (
            Link(line.name, _reviews(repository=line.name)) if line.name else "(at a terminal)",
            f"{line.pulls:,}",
            f"{line.calls:,}",
            usd(line.usd),
            Link("report", f"/report/{month}?{urlencode({'repository': line.name})}")
            if line.name
            else "",
        )
        for line in report.repositories[:MOST_REPOSITORIES]
    ]
    if rest := report.repositories[MOST_REPOSITORIES:]:
        pulls, calls = sum(line.pulls for line in rest), sum(line.calls for line in rest)
        usd_ = sum((line.usd for line in rest), Decimal(0))
        rows.append((f"{len(rest):,} more", f"{pulls:,}", f"{calls:,}", usd(usd_), ""))
    return Table(("repository", "pull requests", "calls", "USD without idle", "month"), rows)


def month_name(window: Window) -> str:
    """`2026-11`."""
    return f"{window.since:%Y-%m}"


def _reviews(**chosen: str) -> str:
    return f"/reviews?{urlencode(chosen)}"

"""The monthly report for people: what it cost, what it brought, and whether the machine is worth it."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from reviewbot.publishing.figures import usd
from reviewbot.reporting.page import (
    Bar,
    Bars,
    Block,
    Column,
    Columns,
    Heading,
    Page,
    Paragraph,
    Points,
    Tile,
    Tiles,
)
from reviewbot.reporting.purposes import purpose_tables
from reviewbot.reporting.report import Report
from reviewbot.reporting.report_tables import (
    acceptance_tables,
    budget_table,
    failure_tables,
    forecast_table,
    model_tables,
    month_table,
    pull_tables,
    sampled_tables,
    share_tables,
    spending_table,
)
from reviewbot.reporting.report_words import difference, scripted_words, verdicts
from reviewbot.reporting.strategies import strategy_table
from reviewbot.reporting.sums import ZERO
from reviewbot.routing.wording import plural

#: Longer times are drawn by month.
MOST_DAYS = 62
#: Characters of a day and of a month: `2026-11-30`, `2026-11`.
_DAY, _MONTH = 10, 7


def report_page(report: Report, *, api_url: str, newest: datetime | None = None) -> Page:
    """The whole report. `api_url` tells where pull requests are; `newest` is when the last call of
    the ledger began, for an empty month."""
    title = f"Reviews in {report.window.name}"
    if report.repository:
        title += f": {report.repository}"
    since, until = report.window.since, report.window.until
    subtitle = f"{since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC, the end not included"
    blocks = _empty(report, newest) if report.is_empty else _blocks(report, api_url)
    return Page(title, subtitle, list(blocks))


def _blocks(report: Report, api_url: str) -> Iterator[Block]:
    if said := scripted_words(report):
        yield Paragraph(said, strong=True)
    yield from _missing(report)
    first, second, *others = verdicts(report)
    yield Paragraph(first, strong=True)
    yield Paragraph(second, strong=True)
    yield report_tiles(report)
    yield Points(others)
    for name, blocks in _parts(report, api_url):
        yield Heading(f"{name} · {report.window.name}")
        yield from blocks
    yield Heading("What this rests on")
    yield Points(list(_basis(report)))


def _missing(report: Report) -> Iterator[Block]:
    if report.missing:
        told, *lacks = report.missing
        yield Paragraph(told, strong=True)
        yield Points(lacks)


def _parts(report: Report, api_url: str) -> Iterator[tuple[str, Iterable[Block]]]:
    """The parts that hold rates: their headings name the window."""
    yield "Over time", [_days(report)]
    yield "What it cost", [spending_table(report), *_bars(report)]
    before = "month" if report.window.whole_month else "time"
    yield f"Against the {before} before", [month_table(report)]
    if report.expected:
        yield "Against the forecast", [forecast_table(report, report.expected)]
    yield "Where it went", share_tables(report)
    yield "Models", model_tables(report)
    yield "Pull requests and findings", pull_tables(report, api_url)
    yield "What people made of it", acceptance_tables(report)
    yield "What went wrong", failure_tables(report)
    if report.strategies:
        yield "Ways to review", [strategy_table(report.strategies)]
    if report.sums.purposes:
        yield "Asked besides reviews", purpose_tables(report.sums.purposes)
    if report.sampled:
        yield "Sampled comparisons", sampled_tables(report.sampled)
    if report.budgets:
        yield "Budgets", [budget_table(report.budgets)]


def _empty(report: Report, newest: datetime | None) -> Iterator[Block]:
    """A month without anything, and what to do."""
    whose = f"No change of {report.repository}" if report.repository else "No change"
    yield Paragraph(f"{whose} was reviewed in {report.window.name}.", strong=True)
    yield from _missing(report)
    if idle := report.spending.idle_usd:
        yield Paragraph(f"The machine stood idle and lost {usd(idle)} of its price.")
    todo = []
    if newest is not None:
        todo.append(
            f"The last call of the ledger is of {newest:%Y-%m-%d}:"
            f" reviewbot report --month {newest:%Y-%m}"
        )
    todo += [
        "Review something now: reviewbot review, or reviewbot review --pr URL",
        "Or let pull requests be reviewed as they come: reviewbot serve",
        "What a month would cost, from merged history: reviewbot forecast",
    ]
    yield Points(todo)


def report_tiles(report: Report) -> Tiles:
    """The figures that matter most."""
    now, before, spent = report.now, report.before, report.spending
    compared, accepted = report.counterfactuals, report.acceptance
    lost = compared.saved_usd < 0
    tiles = [
        Tile(
            "spent",
            usd(spent.total_usd),
            f"{difference(spent.total_usd, before.spending.total_usd)} than in {before.window.name}"
            if spent.total_usd != before.spending.total_usd
            else f"as in {before.window.name}",
        ),
        Tile("Claude", usd(spent.claude_usd), f"{now.claude.of('reviews')} were routed to it"),
        Tile(
            "local machine",
            usd(spent.local_usd),
            f"power {usd(spent.energy_usd)}, hardware {usd(spent.hardware_usd)}",
        ),
        Tile(
            "lost against Claude alone" if lost else "saved against Claude alone",
            usd(abs(compared.saved_usd)) if compared.compared else "–",
            f"{usd(compared.all_claude_usd)} for {plural(compared.compared, 'complete review')}",
            ("bad" if lost else "good") if compared.compared else "plain",
        ),
        Tile(
            "pull requests",
            f"{now.pulls:,}",
            f"{plural(now.reviews, 'review')}, {plural(now.calls, 'call')}",
        ),
        Tile(
            "findings accepted",
            f"{accepted.accepted:,} of {accepted.decided:,}" if accepted.published else "–",
            f"{accepted.acceptance.of('decided')}; {accepted.open:,} open"
            if accepted.published
            else "not in the records"
            if report.missing
            else "none was posted on a pull request",
        ),
    ]
    return Tiles(tiles)


def _days(report: Report) -> Columns:
    """Every day of the window, or every month of a long one."""
    days, spent = report.days, report.spending
    length = _DAY if len(_between(report, _DAY)) <= MOST_DAYS else _MONTH
    found: dict[str, list[Decimal]] = {}
    for day in days:
        parts = found.setdefault(day.day[:length], [ZERO, ZERO, ZERO])
        for index, usd_ in enumerate((day.claude_usd, day.local_usd, day.other_usd)):
            parts[index] += usd_
    names = ["Claude", "local: power and busy hardware", "other services"]
    columns = [
        Column(_label(report, name), [float(part) for part in found.get(name, ())])
        for name in _between(report, length)
    ]
    return Columns(
        f"USD a {'day' if length == _DAY else 'month'}, without idle hardware",
        names if spent.other_usd else names[:2],
        columns,
        _dearest_day(report),
    )


def _dearest_day(report: Report) -> str:
    days = report.days
    if not days:
        return "No day had a call."
    worst = max(days, key=lambda day: day.usd)
    return (
        f"Calls cost {usd(report.spending.calls_usd)} on {len(days):,} of "
        f"{plural(len(_between(report, _DAY)), 'day')}; the dearest was {worst.day} with "
        f"{usd(worst.usd)}."
    )


def _between(report: Report, length: int) -> list[str]:
    """The days or months that the window touches, as the first `length` characters of a date."""
    first, last = report.window.since, report.window.until - timedelta(microseconds=1)
    count = (last.date() - first.date()).days + 1
    names = [f"{first.date() + timedelta(days=number)}"[:length] for number in range(count)]
    return list(dict.fromkeys(names))


def _label(report: Report, name: str) -> str:
    """`30` within a month, else `11-30`; of a month, `2026-11`."""
    if len(name) == _MONTH:
        return name
    return f"{int(name[8:])}" if report.window.whole_month else name[5:]


def _bars(report: Report) -> Iterator[Bars]:
    """The ways side by side, where there is something to compare."""
    compared = report.counterfactuals
    if not compared.compared:
        return
    found = [
        ("as it was", compared.actual.total_usd),
        (f"{report.basis.claude_model} alone", compared.all_claude_usd),
    ]
    if compared.cheapest:
        found.append((f"{compared.cheapest.model} for local", compared.cheapest_usd))
    if compared.all_local:
        found.append(("local alone", compared.all_local.usd))
    yield Bars(
        f"USD for the same questions, {plural(compared.compared, 'complete review')}",
        [Bar(name, float(amount), usd(amount)) for name, amount in found],
    )


def _basis(report: Report) -> Iterator[str]:
    rates, compared = report.basis.rates, report.counterfactuals
    yield (
        "A call belongs to the day on which it began (UTC), a review to the day on which it was made. "
        "Money is what the ledger has settled, at the prices that were in force; what may have been "
        "billed without an answer is apart."
    )
    if report.sums.has_hardware:
        yield (
            f"The machine costs {usd(rates.hardware_usd)} over {rates.hardware_months} months; what no "
            "call used up of that is its idle share, which no pull request is charged with."
        )
    else:
        yield "The ledger has no call to hardware of your own, so the price of none is counted."
    yield (
        f"{report.basis.claude_model} alone: each complete review's own comparison, worked out when it "
        "was made, with measured lengths of answers where there are any."
    )
    if compared.cheapest:
        price = compared.cheapest
        yield (
            f"The cheapest Claude is {price.model} ({price.source}); it would have been asked what the "
            "local tier answered, at its plain price, without caching."
        )
    yield (
        "Accepted: 👍, a thread resolved for good, or flagged lines that changed before the merge; not "
        "with 👎 or dismissed. Findings of pull requests that have not ended are open, and in no "
        "rate of acceptance. docs/costs.md defines every rate."
    )

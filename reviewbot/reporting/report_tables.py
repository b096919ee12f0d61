"""The tables of the monthly report. A rate is always shown with its part and its whole; the window
stands in the heading above it."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from reviewbot.publishing.figures import engine_label, usd
from reviewbot.publishing.links import pull_link
from reviewbot.reporting.acceptance import Acceptance
from reviewbot.reporting.against_forecast import Expected
from reviewbot.reporting.breakdown import ModelLine, PullCosts, ShareLine
from reviewbot.reporting.page import Block, Cell, Link, Paragraph, Table
from reviewbot.reporting.regret import RegretFigures
from reviewbot.reporting.report import BudgetState, Report, Totals
from reviewbot.reporting.report_words import budget_used, difference, energy_words, hours
from reviewbot.reporting.sums import ZERO, PullSum
from reviewbot.routing.wording import plural

#: Longest lists that are shown; data has all.
MOST_REPOSITORIES, MOST_NAMES = 20, 12
#: Longest title of a pull request, characters.
_TITLE = 60


def spending_table(report: Report) -> Table:
    """Who got what, and how it was counted."""
    spent, energy = report.spending, report.spending.energy
    rows = [("Claude", usd(spent.claude_usd), "billed by the provider")]
    if spent.other_usd:
        rows.append(("other services", usd(spent.other_usd), "billed by the providers"))
    rows += [
        (
            "power",
            usd(spent.energy_usd),
            f"{energy.kwh:,.3f} kWh, {energy_words(energy.how)}"
            + (f" ({energy.measured_kwh:,.3f} kWh measured)" if energy.how == "mixed" else ""),
        ),
        (
            "hardware, busy",
            usd(spent.amortisation_usd),
            f"{hours(energy.busy_hours)} busy hours of its life",
        ),
        ("hardware, idle", usd(spent.idle_usd), "the rest of what it lost in that time"),
        ("total", usd(spent.total_usd), ""),
    ]
    if spent.unknown_usd:
        calls = plural(int(report.failures.unknown.part), "call")
        rows.append(
            ("at most more", usd(spent.unknown_usd), f"reserved for {calls} without an answer")
        )
    return Table(("USD", "", "how"), rows, frozenset({2}))


def month_table(report: Report) -> Table:
    """This window's totals beside those of the one before."""
    now, before = report.now, report.before
    counts = [
        ("pull requests", now.pulls, before.pulls),
        ("reviews", now.reviews, before.reviews),
        ("calls", now.calls, before.calls),
    ]
    rows = [
        (name, f"{mine:,}", f"{theirs:,}", f"{mine - theirs:+,}") for name, mine, theirs in counts
    ]
    rows.append(("reviews routed to Claude", now.claude.text, before.claude.text, ""))
    for name, mine_usd, theirs_usd in zip(
        ("paid services", "power", "hardware", "of it idle", "total", "Claude alone"),
        _money(now),
        _money(before),
        strict=True,
    ):
        told = difference(mine_usd, theirs_usd)
        rows.append((name, usd(mine_usd), usd(theirs_usd), told))
    return Table(("", now.window.name, before.window.name, "difference"), rows)


def forecast_table(report: Report, expected: Expected) -> Table:
    """What a saved forecast said of such a month, and what came."""
    now, spent = report.now, report.spending
    per_pull = spent.total_usd / now.pulls if now.pulls else None
    inside = expected.low_usd <= spent.total_usd <= expected.high_usd
    span = f"{usd(expected.low_usd)} to {usd(expected.high_usd)}"
    rows = [
        ("pull requests", f"{expected.pulls:,.0f}", f"{now.pulls:,}", ""),
        ("routed to Claude", expected.claude.text, now.claude.text, "changes; reviews"),
        ("Claude", usd(expected.claude_usd), usd(spent.claude_usd), ""),
        ("power", usd(expected.energy_usd), usd(spent.energy_usd), ""),
        ("hardware", usd(expected.hardware_usd), usd(spent.hardware_usd), ""),
        (
            "total",
            usd(expected.total_usd),
            usd(spent.total_usd),
            f"{'within' if inside else 'outside'} its {span}",
        ),
        ("a pull request", _usd(expected.per_pull_usd), _usd(per_pull), "with idle hardware"),
    ]
    return Table(("", "forecast", "actual", ""), rows, frozenset({3}))


def share_tables(report: Report) -> Iterator[Block]:
    """By tier, by area, and by repository where there are several."""
    yield _shares("tier", report.tiers)
    yield _shares("area", report.areas)
    if report.repository is None and len(report.repositories) > 1:
        yield _repositories(report)


def _repositories(report: Report) -> Table:
    lines = report.repositories
    rows = [
        (line.name or "(at a terminal)", f"{line.pulls:,}", f"{line.calls:,}", usd(line.usd))
        for line in lines[:MOST_REPOSITORIES]
    ]
    if rest := lines[MOST_REPOSITORIES:]:
        rows.append(
            (
                f"{len(rest):,} more",
                f"{sum(line.pulls for line in rest):,}",
                f"{sum(line.calls for line in rest):,}",
                usd(sum((line.usd for line in rest), Decimal(0))),
            )
        )
    return Table(("repository", "pull requests", "calls", "USD without idle"), rows)


def model_tables(report: Report) -> Iterator[Block]:
    """Tokens and money, then quality and speed."""
    if not report.models:
        yield Paragraph("No model was asked.")
        return
    yield Table(
        ("model", "calls", "tokens in: cached of all", "out", "billed", "power", "wear"),
        [
            (
                _name(line),
                f"{line.calls:,}",
                line.cache.text + (" est." if line.estimated else ""),
                f"{line.output:,}",
                _or_dash(line.usd),
                _or_dash(line.energy_usd),
                _or_dash(line.amortisation_usd),
            )
            for line in report.models
        ],
    )
    yield Table(
        ("model", "not as asked", "refused", "tried again", "seconds p50", "p95", "answers"),
        [
            (
                _name(line),
                line.malformed.text,
                line.refused.text,
                line.retries.text,
                *_took(line),
            )
            for line in report.models
        ],
    )


def pull_tables(report: Report, api_url: str) -> Iterator[Block]:
    """What one pull request, one finding and one accepted finding cost."""
    yield _costs_of_one(report)
    if report.pull_costs.dearest:
        yield _dearest(report.pull_costs, api_url)
    left = f"{plural(report.routed_only, 'pull request')} only routed (drafts, bots)"
    if report.held:
        left += f", {plural(report.held, 'pull request')} held: the budget was used up"
    yield Paragraph(f"Incomplete: {report.incomplete.of('reviews')}. {left}.")


def _costs_of_one(report: Report) -> Table:
    costs, spent = report.pull_costs, report.spending
    accepted, pulls_usd = report.acceptance.accepted, ZERO
    for pull in report.sums.pulls:
        pulls_usd += pull.usd if pull.number is not None else ZERO

    def row(name: str, usd_: Decimal, per: Decimal | None, count: int) -> tuple[str, ...]:
        what = name.partition(",")[0]
        how = f"{usd(usd_)} for {plural(count, what)}" if count else f"no {what}"
        return name, _usd(per), usd(spent.total_usd / count) if count else "–", how

    return Table(
        ("a …", "USD", "with idle", "how"),
        [
            row("pull request, mean", pulls_usd, costs.mean_usd, costs.pulls),
            ("pull request, p50", _usd(costs.p50_usd), "", "half of them cost no more"),
            ("pull request, p95", _usd(costs.p95_usd), "", "19 of 20 cost no more"),
            row("finding", spent.calls_usd, report.per_finding_usd, report.findings),
            row("accepted finding", spent.calls_usd, report.per_accepted_usd, accepted),
        ],
        frozenset({3}),
    )


def _dearest(costs: PullCosts, api_url: str) -> Table:
    return Table(
        ("the dearest", "title", "calls", "USD"),
        [
            (
                _place(pull, api_url),
                _short(costs.titles.get((pull.repository, pull.number or 0), "")),
                f"{pull.calls:,}",
                usd(pull.usd),
            )
            for pull in costs.dearest
        ],
        frozenset({1}),
    )


def acceptance_tables(report: Report) -> Iterator[Block]:
    """Accepted, complained about, open: all, and by engine, model, route and area."""
    if report.acceptance.published:
        rows = [_accepted("all", report.acceptance)]
        for kind, found in report.acceptance_by.items():
            names = list(found.items())
            rows += [
                _accepted(f"{kind}: {engine_label(name)}", each)
                for name, each in names[:MOST_NAMES]
            ]
        yield Table(("findings", "published", "accepted", "complaints", "open"), rows)
    else:
        yield Paragraph("No finding of this time was posted on a pull request.")
    yield Paragraph(
        f"Overrides: a person's command changed the tier in {report.overrides.of('reviews')}. "
        f"Complaints: {report.acceptance.complaint.of('published findings')}."
    )


def failure_tables(report: Report) -> Iterator[Block]:
    """Answers that were none, and how every call ended."""
    failures = report.failures
    yield Table(
        ("rate", "", "of"),
        [
            ("parse failures", failures.malformed.text, "answers of any kind"),
            ("refusals", failures.refused.text, "answers of any kind"),
            ("fallbacks", failures.taken_over.text, "refused questions, asked of another model"),
            ("cut off", failures.truncated.text, "answers of any kind"),
            ("tried again", failures.retries.text, "calls"),
            ("unknown cost", failures.unknown.text, "calls"),
        ],
        frozenset({2}),
    )
    if failures.outcomes:
        yield Table(
            ("calls that ended", "of all calls"),
            [(name.replace("_", " "), ratio.text) for name, ratio in failures.outcomes],
        )


def budget_table(budgets: Sequence[BudgetState]) -> Table:
    """How much of each cap is used."""
    return Table(
        ("budget", "used", "calls that did not fit", "state"),
        [(each.name, budget_used(each), f"{each.refused:,}", each.state) for each in budgets],
        frozenset({3}),
    )


def sampled_tables(sampled: RegretFigures) -> Iterator[Block]:
    """What Claude found that the local model had missed, by severity; the worst first."""
    yield Paragraph(
        f"Claude read {plural(sampled.reviews, 'local review')} as well, for {usd(sampled.usd)}. It "
        f"found something that the local model had missed in {sampled.missed.text}."
    )
    levels = [(level.value, counts) for level, counts in sampled.by_severity.items() if any(counts)]
    yield Table(
        ("severity", "both", "only local", "only Claude", "missed, of what Claude found"),
        [
            (
                name,
                f"{counts.both:,}",
                f"{counts.only_local:,}",
                f"{counts.only_claude:,}",
                counts.missed.text,
            )
            for name, counts in [*levels, ("all", sampled.total)]
        ],
    )


def _shares(what: str, lines: Sequence[ShareLine]) -> Table:
    return Table(
        (what, "reviews", "calls", "USD without idle"),
        [(line.name, line.reviews.text, f"{line.calls:,}", usd(line.usd)) for line in lines],
    )


def _accepted(name: str, found: Acceptance) -> tuple[str, ...]:
    return (
        name,
        f"{found.published:,}",
        found.acceptance.text,
        found.complaint.text,
        f"{found.open:,}",
    )


def _money(totals: Totals) -> tuple[Decimal, ...]:
    spent = totals.spending
    return (
        spent.claude_usd + spent.other_usd,
        spent.energy_usd,
        spent.hardware_usd,
        spent.idle_usd,
        spent.total_usd,
        totals.all_claude_usd,
    )


def _took(line: ModelLine) -> tuple[str, str, str]:
    if line.latency is None:
        return "–", "–", "0"
    return f"{line.latency.p50:,.1f}", f"{line.latency.p95:,.1f}", f"{line.latency.calls:,}"


def _name(line: ModelLine) -> str:
    return f"{line.model} ({engine_label(line.engine)})"


def _place(pull: PullSum, api_url: str) -> Cell:
    name = f"{pull.repository or 'a change'} #{pull.number}"
    url = pull_link(pull.repository, pull.number, api_url)
    return Link(name, url) if url else name


def _short(title: str) -> str:
    return title if len(title) <= _TITLE else f"{title[: _TITLE - 1]}…"


def _usd(amount: Decimal | None) -> str:
    return "–" if amount is None else usd(amount)


def _or_dash(amount: Decimal) -> str:
    return usd(amount) if amount else "–"

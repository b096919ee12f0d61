"""What a month came to, in sentences; also where local hardware lost."""

from collections.abc import Iterator
from decimal import Decimal

from reviewbot.costs.local import JoulesHow
from reviewbot.publishing.figures import usd
from reviewbot.reporting.counterfactuals import Counterfactuals
from reviewbot.reporting.ratio import Ratio
from reviewbot.reporting.report import BudgetState, Report
from reviewbot.reporting.spending import Spending
from reviewbot.routing.wording import plural

_ENERGY: dict[JoulesHow, str] = {
    "measured": "measured by the cards",
    "watts × seconds": "configured watts × busy seconds",
    "mixed": "partly measured by the cards, partly watts × busy seconds",
    "none": "none used",
}


def verdicts(report: Report) -> list[str]:
    """The headline, then the comparisons."""
    return [headline(report), *_comparisons(report)]


def headline(report: Report) -> str:
    """What was spent, and on what."""
    spent = report.spending
    said = f"{report.window.name} cost {usd(spent.total_usd)}: {parts(spent)}."
    if spent.unknown_usd:
        said += (
            f" At most {usd(spent.unknown_usd)} more was billed for "
            f"{plural(int(report.failures.unknown.part), 'call')} without an answer."
        )
    return said


def parts(spent: Spending) -> str:
    """`Claude $12.10, power $2.21, hardware $38.89 ($30.10 of it idle)`."""
    named = [("Claude", spent.claude_usd), ("other services", spent.other_usd)]
    named += [("power", spent.energy_usd)] if spent.local_usd else []
    found = [
        f"{name} {usd(amount)}" for name, amount in named if amount or name != "other services"
    ]
    if spent.hardware_usd:
        found.append(f"hardware {usd(spent.hardware_usd)} ({usd(spent.idle_usd)} of it idle)")
    return ", ".join(found)


def against_claude(report: Report) -> str:
    """The sentence a manager looks for: saved, or lost."""
    compared, words = report.counterfactuals, report.window.words
    model = report.basis.claude_model
    if not compared.compared:
        return "No review was complete, so there is nothing to compare with Claude alone."
    if compared.local_lost:
        actual = compared.actual
        return (
            f"Local cost more than Claude {words} would have: {usd(actual.local_usd)} for the machine "
            f"({usd(actual.energy_usd)} power, {usd(actual.hardware_usd)} hardware), where {model} "
            f"would have taken {usd(max(compared.claude_for_local_usd, Decimal(0)))} for the same "
            f"prompts. That is a loss of {usd(-compared.saved_usd)}."
        )
    alone = f"{model} alone would have cost {usd(compared.all_claude_usd)}"
    if compared.saved_usd < 0:
        return f"{alone}: {usd(-compared.saved_usd)} less than was spent."
    if not compared.saved_usd:
        return f"{alone}: nothing was saved, and nothing lost."
    return f"{alone}: {usd(compared.saved_usd)} saved."


def _comparisons(report: Report) -> Iterator[str]:
    compared, words = report.counterfactuals, report.window.words
    yield against_claude(report)
    if compared.cheapest:
        yield _cheapest(compared, words)
    if compared.all_local:
        machines = plural(compared.all_local.machines, "machine")
        yield (
            f"The local model alone would have cost {usd(compared.all_local.usd)}: {machines} busy "
            f"for {hours(compared.all_local.busy_hours)} hours, at "
            f"{compared.all_local.speed.reading:,.0f} tokens a second read and "
            f"{compared.all_local.speed.writing:,.0f} written ({compared.all_local.speed.source})."
        )
    if compared.left_out:
        yield (
            f"Left out on both sides: {plural(compared.left_out, 'incomplete review')}. Nothing is saved "
            "by what was not read."
        )
    if compared.actual.hardware_usd and report.repository is None:
        yield busy_line(report)
    for budget in report.budgets:
        if budget.state != "open":
            yield f"The budget of {budget.name} is {budget.state}: {budget_used(budget)}."


def _cheapest(compared: Counterfactuals, words: str) -> str:
    difference = compared.actual.total_usd - compared.cheapest_usd
    model = compared.cheapest.model if compared.cheapest else ""
    said = (
        f"With {model} in place of the local tier it would have been {usd(compared.cheapest_usd)}"
    )
    if difference > 0:
        return (
            f"{said}, {usd(difference)} less: {words} the machine bought privacy and independence, "
            "not money."
        )
    return f"{said}, {usd(-difference)} more: the machine saved money as well."


def busy_line(report: Report) -> str:
    """How much of the time the machine worked."""
    busy = Ratio(report.spending.energy.busy_hours, report.window.seconds / 3600)
    return (
        f"The machine was busy for {hours(Decimal(busy.part))} of {hours(Decimal(busy.whole))} hours "
        f"({busy.percent}); the rest of its price is the idle share, {usd(report.spending.idle_usd)}."
    )


def budget_used(budget: BudgetState) -> str:
    """`$18.00 of $20.00 (90 %)`."""
    return f"{usd(budget.used_usd)} of {usd(budget.cap_usd)} ({budget.used.percent})"


def hours(amount: Decimal) -> str:
    """`1,204.5`; below one hour to a thousandth."""
    return f"{amount:,.1f}" if amount >= 1 else f"{amount:.3f}"


def energy_words(how: JoulesHow) -> str:
    """Where joules come from."""
    return _ENERGY[how]


def scripted_words(report: Report) -> str:
    """What to know where answers were written by hand; empty where none was."""
    if not report.scripted.part:
        return ""
    return (
        f"SCRIPTED: {report.scripted.of('calls')} were answered by hand-written text for a "
        "demonstration. Their money is what they would have cost; none of it was paid."
    )


def difference(now: Decimal, before: Decimal) -> str:
    """`$3.20 more`, `$1.10 less`, `the same`."""
    if now == before:
        return "the same"
    return f"{usd(abs(now - before))} {'more' if now > before else 'less'}"

"""The forecast for people: what it costs, why, and whether a card is worth it."""

from collections.abc import Iterator
from decimal import Decimal

from reviewbot.costs.money import decimal_text
from reviewbot.costs.prices import Price
from reviewbot.publishing.figures import usd
from reviewbot.reporting.economics import (
    break_even_words,
    worth_words,
)
from reviewbot.reporting.forecast import Forecast, Line, Share
from reviewbot.reporting.page import (
    Bar,
    Bars,
    Block,
    Curve,
    Curves,
    Heading,
    Page,
    Paragraph,
    Points,
    Table,
)
from reviewbot.reporting.replay import Strategy
from reviewbot.review.engine import stands_for
from reviewbot.routing.wording import plural

#: Strategies that split a change between Claude and another model, with their cheap twins.
TWINS = {
    Strategy.PULL_REQUEST: Strategy.CHEAP_PULL_REQUEST,
    Strategy.FILE: Strategy.CHEAP_FILE,
}


def forecast_page(made: Forecast) -> Page:
    """The whole forecast."""
    histories = ", ".join(share.past.name for share in made.shares)
    return Page(
        "What reviews would cost a month",
        f"{histories}: {plural(made.changes, 'merged change')} replayed, "
        f"{decimal(made.per_month)} expected a month",
        list(_blocks(made)),
    )


def verdicts(made: Forecast) -> list[str]:
    """What follows, in sentences; also when the card lost."""
    lines, cheap = made.lines, made.basis.cheap_model
    best = min(TWINS, key=lambda strategy: lines[strategy].usd)
    hybrid, twin, alone = lines[best], lines[TWINS[best]], lines[Strategy.CLAUDE]
    hardware = made.hardware(best)
    name = names(made)[best]
    said = [_difference(f"{name} costs", hybrid.usd, alone.usd, "Claude alone")]
    if twin.usd <= hybrid.usd:
        said.append(
            f"With {cheap} in place of the card the same split costs {usd(twin.usd)} a month, "
            f"{usd(hybrid.usd - twin.usd)} less: at today's prices the card buys privacy and "
            "independence, not money."
        )
    else:
        said.append(
            f"With {cheap} in place of the card the same split costs {usd(twin.usd)} a month, "
            f"{usd(twin.usd - hybrid.usd)} more: the card saves money as well."
        )
    said.append(break_even_words(hardware, alone.usd - hybrid.spend.claude_usd, "Claude alone"))
    said.append(break_even_words(hardware, twin.spend.cheap_usd, f"{cheap} for the same files"))
    said.append(worth_words(hardware))
    if made.cards > 1:
        said.append(
            f"All by the local model would keep {made.cards} such machines busy day and night; "
            "their price is counted."
        )
    return said


def difficulty_words(made: Forecast) -> str:
    """What routing by difficulty would change."""
    share = sum(share.difficult for share in made.shares)
    flagged = sum(share.tiers["claude"] for share in made.shares)
    line, usual = made.lines[Strategy.DIFFICULTY], made.lines[Strategy.PULL_REQUEST]
    return (
        f"Route by difficulty, too (`route.also: [complexity]`): {_part(share, made.changes)} of the "
        f"changes would go to Claude instead of {_part(flagged, made.changes)}, for {usd(line.usd)} "
        f"a month instead of {usd(usual.usd)}."
    )


def names(made: Forecast) -> dict[Strategy, str]:
    """What each strategy is called."""
    cheap = made.basis.cheap_model
    return {
        Strategy.CLAUDE: "Claude only",
        Strategy.PULL_REQUEST: "Hybrid by pull request",
        Strategy.FILE: "Hybrid by file",
        Strategy.CHEAP_PULL_REQUEST: f"By pull request, {cheap}",
        Strategy.CHEAP_FILE: f"By file, {cheap}",
        Strategy.LOCAL: "Local only",
        Strategy.DIFFICULTY: "Route by difficulty, too",
        Strategy.NAMED: "With the named engines",
    }


def decimal(number: Decimal) -> str:
    """`4,000`, `35`, `7.2`."""
    return f"{number:,.0f}" if number >= 10 or number == int(number) else f"{number:,.1f}"


def _blocks(made: Forecast) -> Iterator[Block]:
    first, *others = verdicts(made)
    yield Paragraph(first, strong=True)
    yield Points(others)
    yield Heading("A month")
    yield _bars(made)
    yield _months(made)
    if made.engines:
        yield Paragraph("With the named engines, a month of each:")
        yield _engines(made)
    yield _curves(made)
    yield Heading("What the history holds")
    yield _history(made)
    yield _areas(made)
    yield Paragraph(difficulty_words(made))
    if len(made.shares) > 1:
        yield _by_repository(made)
    yield Heading("What this rests on")
    yield Points(list(_basis(made)))


def _bars(made: Forecast) -> Bars:
    called = names(made)
    return Bars(
        "USD a month; nine of ten months lie between the two figures",
        [
            Bar(
                called[line.strategy],
                float(line.usd),
                f"{usd(line.usd)}  {_span(line)}",
                line.interval.low,
                line.interval.high,
            )
            for line in made.lines.values()
        ],
    )


def _span(line: Line) -> str:
    low, high = (usd(Decimal(str(round(end, 4)))) for end in line.interval)
    return f"({low} to {high})"


def _months(made: Forecast) -> Table:
    called = names(made)
    others = any(line.spend.other_usd for line in made.lines.values())
    billed = ("Claude", "cheap model", *(["other servers"] if others else []))
    return Table(
        ("a month", *billed, "power", "hardware", "total", "GPU hours"),
        [
            (
                called[line.strategy],
                _amount(line.spend.claude_usd),
                _amount(line.spend.cheap_usd),
                *([_amount(line.spend.other_usd)] if others else []),
                _amount(line.spend.energy_usd),
                _amount(line.amortisation_usd),
                usd(line.usd),
                f"{line.gpu_hours:,.1f}" if line.gpu_hours else "–",
            )
            for line in made.lines.values()
        ],
    )


def _engines(made: Forecast) -> Table:
    """Each engine, where some are named; the hardware is in no engine's part."""
    return Table(
        (
            "engine",
            "tier",
            "model",
            "reads of the changes",
            "tokens in",
            "billed",
            "power",
            "GPU hours",
        ),
        [
            (
                line.name,
                stands_for(line.role),
                line.model,
                _part(line.changes, made.changes),
                f"{line.tokens:,.0f}",
                _amount(line.spend.usd - line.spend.energy_usd),
                _amount(line.spend.energy_usd),
                f"{line.spend.seconds / 3600:,.1f}" if line.spend.seconds else "–",
            )
            for line in made.engines
        ],
        frozenset({1, 2}),
    )


def _amount(amount: Decimal) -> str:
    return usd(amount) if amount else "–"


def _curves(made: Forecast) -> Curves:
    """What is spent in all, from the first month on; the hardware is paid at once."""
    best = min(TWINS, key=lambda strategy: made.lines[strategy].usd)
    hardware, called = made.hardware(best), names(made)
    months = hardware.months or 12
    hybrid, twin, alone = (made.lines[each] for each in (best, TWINS[best], Strategy.CLAUDE))
    curves = [
        Curve(called[Strategy.CLAUDE], _total(Decimal(0), alone.usd, months)),
        Curve(f"{called[best]}, hardware bought", _total(hardware.usd, hybrid.spend.usd, months)),
        Curve(called[TWINS[best]], _total(Decimal(0), twin.usd, months)),
    ]
    told = break_even_words(hardware, alone.usd - hybrid.spend.claude_usd, "Claude alone")
    return Curves(f"USD spent in all, over {months} months", "months", curves, told)


def _total(at_once: Decimal, monthly: Decimal, months: int) -> list[tuple[float, float]]:
    return [(0.0, float(at_once)), (float(months), float(at_once + monthly * months))]


def _history(made: Forecast) -> Table:
    rows = []
    for share in made.shares:
        changes = share.past.changes
        total = len(changes)
        rows.append(
            (
                share.past.name,
                f"{total:,}",
                f"{changes[-1].at:%Y-%m} to {changes[0].at:%Y-%m}",
                *(_part(share.tiers[tier], total) for tier in ("claude", "local", "skip")),
                _part(share.tiers["ignored"], total),
                f"{share.tokens[0]:,}",
                f"{share.tokens[1]:,}",
            )
        )
    columns = (
        "",
        "changes",
        "merged",
        "Claude",
        "local",
        "skip",
        "left alone",
        "tokens p50",
        "p95",
    )
    return Table(columns, rows, frozenset({2}))


def _areas(made: Forecast) -> Table:
    found: dict[str, int] = {}
    for share in made.shares:
        for area, count in share.areas.items():
            found[area] = found.get(area, 0) + count
    ranked = sorted(found.items(), key=lambda item: -item[1])
    rows = [(area, f"{count:,}", _part(count, made.changes)) for area, count in ranked]
    return Table(("area", "changes flagged", "of all"), rows or [("none", "0", "0 %")])


def _part(count: int, total: int) -> str:
    return f"{count / total:.0%}".replace("%", " %")


def _by_repository(made: Forecast) -> Table:
    return Table(
        ("a month, without hardware", "changes", "Claude only", "by pull request", "by file"),
        [
            (
                share.past.name,
                decimal(share.per_month),
                *(
                    usd(share.spend[each].usd)
                    for each in (Strategy.CLAUDE, Strategy.PULL_REQUEST, Strategy.FILE)
                ),
            )
            for share in made.shares
        ],
    )


def _difference(start: str, ours: Decimal, theirs: Decimal, other: str) -> str:
    if ours < theirs:
        share = f" ({ours / theirs:.0%} of it)".replace("%", " %")
        return f"{start} {usd(ours)} a month, {usd(theirs - ours)} less than {other}{share}."
    if ours > theirs:
        return f"{start} {usd(ours)} a month, {usd(ours - theirs)} more than {other}."
    return f"{start} {usd(ours)} a month, as much as {other}."


def _basis(made: Forecast) -> Iterator[str]:
    basis = made.basis
    claude, cheap = basis.price(basis.claude_model), basis.price(basis.cheap_model)
    yield f"Claude is {_priced(claude)}; the cheapest is {_priced(cheap)}. No prompt caching, no discount."
    yield (
        "Tokens are estimates: the prompts that a review would make, with the functions around the "
        "changes, the repository's guidelines and the fixed instructions."
    )
    yield _lengths(made)
    yield _local(made)
    if made.engines:
        yield (
            "Every engine that is named for the local tier and is ours counts with that same speed"
            " and power; one on somebody else's server with its price."
        )
    if basis.per_month is None:
        yield "Changes a month are those of the last year of each history, or of all of a shorter one."
    else:
        yield f"{decimal(basis.per_month)} changes a month, as stated, split as the histories are."
    yield (
        "Each commit of the default branch's first-parent history is one change; the rules, and the "
        "policy of the newest commit, decide where it goes. Changes that the policy leaves alone "
        "(bots) cost nothing."
    )
    yield from (note for share in made.shares for note in _left_out(share))


def _priced(price: Price) -> str:
    rates = f"${decimal_text(price.input)}/${decimal_text(price.output)} per M tokens in/out"
    return f"{price.model} at {rates} ({price.source})"


def _lengths(made: Forecast) -> str:
    lengths = made.basis.lengths

    def told(tokens: Decimal, calls: int) -> str:
        how = f"mean of {calls:,} calls in the ledger" if calls else "assumed"
        return f"{tokens:,.0f} tokens ({how})"

    return (
        f"An answer of Claude has {told(lengths.claude, lengths.claude_calls)}, "
        f"of the local model {told(lengths.local, lengths.local_calls)}."
    )


def _local(made: Forecast) -> str:
    rates, speed = made.basis.rates, made.basis.speed
    return (
        f"The local machine costs {usd(rates.hardware_usd)} over {rates.hardware_months} months and "
        f"takes {rates.watts:,f} W while it works, at ${decimal_text(rates.usd_per_kwh)}/kWh; idle power is not "
        f"counted. It reads {speed.reading:,.0f} and writes {speed.writing:,.0f} tokens a second "
        f"({speed.source})."
    )


def _left_out(share: Share) -> Iterator[str]:
    yield from share.past.notes
    if share.past.unread:
        yield (
            f"{share.past.name}: {plural(share.past.unread, 'merge')} left out, "
            "too long or not readable in this clone."
        )

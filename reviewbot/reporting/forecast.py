"""What a month of reviews would cost, made of replayed history. Pure: no model, no network."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cache
from math import ceil
from typing import NamedTuple

from reviewbot.costs.cheapest import call_usd
from reviewbot.costs.local import DAYS_PER_MONTH, JOULES_PER_KWH, SECONDS_PER_MONTH, LocalRates
from reviewbot.costs.prices import Price, PriceBook
from reviewbot.reporting.bootstrap import Interval, Sample, monthly_intervals
from reviewbot.reporting.economics import Hardware
from reviewbot.reporting.measured import Lengths, Speed
from reviewbot.reporting.replay import WITH_HARDWARE, Prompts, Replayed, Strategy
from reviewbot.review.engine import Lineup, Role, stands_for
from reviewbot.routing.model import Tier

#: The last year of a history tells how many changes a month brings.
RATE_DAYS = Decimal("365.25")
PROVIDER = "anthropic"


@dataclass(frozen=True)
class Past:
    """One repository's replayed history."""

    name: str
    branch: str
    changes: tuple[Replayed, ...]
    """At least one, newest first."""
    unread: int = 0
    """Merges that could not be replayed."""
    notes: tuple[str, ...] = ()
    times: tuple[datetime, ...] = ()
    """When all that was merged was, where not all of it was replayed."""


@dataclass(frozen=True)
class Basis:
    """What the figures rest on, apart from the history."""

    prices: PriceBook
    claude_model: str
    cheap_model: str
    """The cheapest priced Claude model."""
    at: datetime
    """Whose prices hold."""
    rates: LocalRates
    speed: Speed = field(default_factory=Speed)
    lengths: Lengths = field(default_factory=Lengths)
    per_month: Decimal | None = None
    """Changes a month of all repositories together; None: as the history says."""
    named: Lineup = field(default_factory=Lineup)
    """The engines that the operator names."""

    def price(self, model: str, prompt_tokens: int = 0, provider: str = PROVIDER) -> Price:
        return self.prices.price_of(provider, model, prompt_tokens=prompt_tokens, at=self.at)

    def asked(self, role: Role) -> tuple[str | None, str]:
        """Who bills the engine of a role (None: nobody, it is ours), and its model."""
        if facts := self.named.get(role):
            return facts.provider, facts.model
        known = {"claude": (PROVIDER, self.claude_model), "low": (PROVIDER, self.cheap_model)}
        return known.get(role, (None, "the local model"))


class Spend(NamedTuple):
    """What something costs without the hardware itself."""

    claude_usd: Decimal = Decimal(0)
    cheap_usd: Decimal = Decimal(0)
    """The cheap Claude model's part."""
    energy_usd: Decimal = Decimal(0)
    seconds: Decimal = Decimal(0)
    """Busy seconds of the local hardware."""
    other_usd: Decimal = Decimal(0)
    """Bills of servers of others that stand in for the local model."""

    @property
    def usd(self) -> Decimal:
        return self.claude_usd + self.cheap_usd + self.energy_usd + self.other_usd

    def __add__(self, other: object) -> "Spend":
        if not isinstance(other, Spend):
            return NotImplemented
        return Spend(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    def times(self, factor: Decimal) -> "Spend":
        return Spend(*(part * factor for part in self))


@dataclass(frozen=True)
class Line:
    """A month under one strategy."""

    strategy: Strategy
    spend: Spend
    amortisation_usd: Decimal
    interval: Interval
    """USD, with the hardware."""

    @property
    def usd(self) -> Decimal:
        return self.spend.usd + self.amortisation_usd

    @property
    def gpu_hours(self) -> Decimal:
        return self.spend.seconds / 3600


@dataclass(frozen=True)
class Share:
    """One repository's part of the forecast."""

    past: Past
    per_month: Decimal
    tiers: Mapping[str, int]
    """`claude`, `local`, `skip` and `ignored` → changes."""
    areas: Mapping[str, int]
    """Flagged area → changes, the most frequent first; one change can have several."""
    difficult: int
    """Changes that Claude would read by area or by difficulty."""
    tokens: tuple[int, int]
    """Claude's input tokens of one reviewed change: p50 and p95."""
    spend: Mapping[Strategy, Spend]
    """A month."""


@dataclass(frozen=True)
class EngineLine:
    """A month of one engine, where engines are named."""

    role: Role
    model: str
    changes: int
    """Replayed changes of which it reads something."""
    tokens: Decimal
    """Of its prompts."""
    spend: Spend

    @property
    def name(self) -> str:
        """What the operator calls it; the usual engine of a tier has the tier's name."""
        return self.role[2:] if stands_for(self.role) != self.role else self.role


@dataclass(frozen=True)
class Forecast:
    """A month of all repositories."""

    basis: Basis
    shares: tuple[Share, ...]
    lines: Mapping[Strategy, Line]
    cards: int
    """Machines that the local-only strategy needs to be done in time; at least 1."""
    engines: tuple[EngineLine, ...] = ()
    """Each engine under `Strategy.NAMED`, the dearest first."""

    @property
    def per_month(self) -> Decimal:
        return sum((share.per_month for share in self.shares), Decimal(0))

    @property
    def changes(self) -> int:
        return sum(len(share.past.changes) for share in self.shares)

    def hardware(self, strategy: Strategy) -> Hardware:
        """The local hardware under a strategy's load."""
        rates, line = self.basis.rates, self.lines[strategy]
        cards = cards_for(line.spend.seconds)
        return Hardware(rates.hardware_usd * cards, rates.hardware_months, line.spend.energy_usd)


def forecast(pasts: Sequence[Past], basis: Basis) -> Forecast:
    """A month under every strategy. Raises PriceError for a model without a price."""
    spend = _spender(basis)
    rates = _rates(pasts, basis.per_month)
    has_names = any(Strategy.NAMED in each.prompts for past in pasts for each in past.changes)
    wanted = [each for each in Strategy if has_names or each is not Strategy.NAMED]
    shares, samples = [], []
    for past, rate in zip(pasts, rates, strict=True):
        each = [
            [
                sum((spend(*asked) for asked in change.prompts.get(strategy, {}).items()), Spend())
                for strategy in wanted
            ]
            for change in past.changes
        ]
        samples.append(Sample([[float(s.usd) for s in row] for row in each], float(rate)))
        factor = rate / len(past.changes)
        monthly = {
            strategy: sum(column, Spend()).times(factor)
            for strategy, column in zip(wanted, zip(*each, strict=True), strict=True)
        }
        shares.append(_share(past, rate, monthly))
    lines = _lines(wanted, shares, samples, basis.rates)
    cards = cards_for(lines[Strategy.LOCAL].spend.seconds)
    return Forecast(basis, tuple(shares), lines, cards, _engines(basis, shares, spend))


def _engines(
    basis: Basis, shares: Sequence[Share], spend: Callable[[Role, Prompts], Spend]
) -> tuple[EngineLine, ...]:
    found: dict[Role, EngineLine] = {}
    for share in shares:
        factor = share.per_month / len(share.past.changes)
        for change in share.past.changes:
            for role, asked in change.prompts.get(Strategy.NAMED, {}).items():
                known = found.get(role) or EngineLine(
                    role, basis.asked(role)[1], 0, Decimal(0), Spend()
                )
                found[role] = replace(
                    known,
                    changes=known.changes + 1,
                    tokens=known.tokens + asked.tokens * factor,
                    spend=known.spend + spend(role, asked).times(factor),
                )
    return tuple(sorted(found.values(), key=lambda line: (-line.spend.usd, line.role)))


def cards_for(seconds: Decimal) -> int:
    """Machines that can be busy for so many seconds within a month."""
    return max(ceil(seconds / SECONDS_PER_MONTH), 1)


def per_month_of(times: Sequence[datetime]) -> Decimal:
    """Changes a month over the last year of a history, or over all of a shorter one; less than a
    month counts as one."""
    newest = max(times)
    ages = [Decimal((newest - at).total_seconds()) / 86_400 for at in times]
    days = max(min(max(ages), RATE_DAYS), DAYS_PER_MONTH)
    return sum(age <= days for age in ages) / days * DAYS_PER_MONTH


def percentiles(numbers: Sequence[int]) -> tuple[int, int]:
    """p50 and p95 by nearest rank; zeros for nothing."""
    ordered = sorted(numbers)
    if not ordered:
        return 0, 0
    size = len(ordered)
    return ordered[ceil(size * 0.5) - 1], ordered[ceil(size * 0.95) - 1]


def _rates(pasts: Sequence[Past], given: Decimal | None) -> list[Decimal]:
    """Changes a month of each; what is given is split as the histories are."""
    found = [per_month_of(past.times or [change.at for change in past.changes]) for past in pasts]
    whole = sum(found, Decimal(0))
    return found if given is None else [given * rate / whole for rate in found]


def _share(past: Past, rate: Decimal, spend: Mapping[Strategy, Spend]) -> Share:
    tiers = Counter("ignored" if each.ignored else each.tier.value for each in past.changes)
    areas = Counter(area for each in past.changes for area in each.areas)
    read = [each.asked(Strategy.CLAUDE, "claude").tokens for each in past.changes if each.prompts]
    return Share(
        past,
        rate,
        {name: tiers[name] for name in (*(tier.value for tier in Tier), "ignored")},
        dict(areas.most_common()),
        sum(bool(each.asked(Strategy.DIFFICULTY, "claude").calls) for each in past.changes),
        percentiles(read),
        spend,
    )


def _lines(
    wanted: Sequence[Strategy],
    shares: Sequence[Share],
    samples: Sequence[Sample],
    rates: LocalRates,
) -> dict[Strategy, Line]:
    lines = {}
    for strategy, interval in zip(wanted, monthly_intervals(samples), strict=True):
        spend = sum((share.spend[strategy] for share in shares), Spend())
        fixed = Decimal(0)
        # named engines may all be somebody else's
        if strategy in WITH_HARDWARE and (strategy is not Strategy.NAMED or spend.seconds):
            fixed = rates.hardware_usd / rates.hardware_months * cards_for(spend.seconds)
        known = Interval(interval.low + float(fixed), interval.high + float(fixed))
        lines[strategy] = Line(strategy, spend, fixed, known)
    return lines


def _spender(basis: Basis) -> Callable[[Role, Prompts], Spend]:
    """What it costs to ask the engine of a role."""
    lengths, rates = basis.lengths, basis.rates

    @cache
    def price(provider: str, model: str, thousands: int) -> Price:
        return basis.price(model, thousands * 1000, provider)

    def bill(provider: str, model: str, asked: Prompts, answer: Decimal) -> Decimal:
        if not asked.calls:
            return Decimal(0)
        rate = price(provider, model, asked.tokens // asked.calls // 1000)
        return call_usd(rate, asked.tokens, 0) + rate.output * answer * asked.calls / 10**6

    def spend(role: Role, asked: Prompts) -> Spend:
        (provider, model), tier = basis.asked(role), stands_for(role)
        if tier != "local":
            usd = bill(provider or PROVIDER, model, asked, lengths.claude)
            return Spend(claude_usd=usd) if tier == "claude" else Spend(cheap_usd=usd)
        if provider:
            return Spend(other_usd=bill(provider, model, asked, lengths.local))
        seconds = basis.speed.seconds(asked.tokens, asked.calls * lengths.local)
        energy = rates.watts * seconds / JOULES_PER_KWH * rates.usd_per_kwh
        return Spend(energy_usd=energy, seconds=seconds)

    return spend

"""What the same month would have cost otherwise, and whether that would have been better.

Compared is what can be: incomplete reviews are left out on both sides, because nothing is saved by
what nobody read. Calls of reviews that came to no end were paid for, and count as spent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import ceil

from reviewbot.costs.cheapest import call_usd, cheapest_price
from reviewbot.costs.local import JOULES_PER_KWH, LocalRates, hardware_usd
from reviewbot.costs.money import exact
from reviewbot.costs.prices import Price, PriceBook
from reviewbot.errors import PriceError
from reviewbot.reporting.measured import ENOUGH_CALLS, Speed
from reviewbot.reporting.spending import Spending, spending_of, total
from reviewbot.reporting.sums import ZERO, CallSum, Sums
from reviewbot.reporting.window import Window

#: A cheap model must take prompts of this many tokens to stand in for a local one.
LEAST_CONTEXT = 100_000


@dataclass(frozen=True)
class Basis:
    """What comparisons rest on."""

    prices: PriceBook
    claude_model: str
    others: tuple[str, ...]
    """Further Claude models that the operator named, for the cheapest one."""
    rates: LocalRates
    at: datetime
    """Whose prices hold for what was never asked."""


@dataclass(frozen=True)
class AllLocal:
    """The machine alone."""

    usd: Decimal
    machines: int
    """As many as it takes to be done in the window."""
    speed: Speed
    busy_hours: Decimal


@dataclass(frozen=True)
class Counterfactuals:
    """The month as it was, as far as it can be compared, and otherwise."""

    actual: Spending
    left_out: int
    """Incomplete reviews, which are on neither side."""
    all_claude_usd: Decimal
    compared: int
    """Reviews on both sides."""
    all_local: AllLocal | None
    """None where the ledger knows of no hardware."""
    cheapest: Price | None
    """Of the Claude models; None where no call was local, or no model has a price."""
    cheapest_usd: Decimal

    @property
    def saved_usd(self) -> Decimal:
        """Against Claude alone; below zero is a loss."""
        return self.all_claude_usd - self.actual.total_usd

    @property
    def claude_for_local_usd(self) -> Decimal:
        """What Claude would have cost in place of the hardware."""
        return self.all_claude_usd - self.actual.claude_usd - self.actual.other_usd

    @property
    def local_lost(self) -> bool:
        """Local cost more than Claude would have."""
        return self.actual.local_usd > ZERO and self.saved_usd < ZERO


def counterfactuals(sums: Sums, basis: Basis, window: Window) -> Counterfactuals:
    """All comparisons of a window."""
    whole = spending_of(sums, basis.rates, window)
    calls = [call for call in sums.calls if call.complete is not False]
    kept = spending_of(Sums(calls=tuple(calls)), basis.rates, window)
    actual = Spending(
        claude_usd=kept.claude_usd,
        other_usd=kept.other_usd,
        energy_usd=kept.energy_usd,
        amortisation_usd=whole.amortisation_usd,  # the machine was there for all of them
        idle_usd=whole.idle_usd,
        unknown_usd=kept.unknown_usd,
        energy=kept.energy,
    )
    reviews = [each for each in sums.reviews if each.read]
    cheap = _cheapest(calls, basis)
    return Counterfactuals(
        actual=actual,
        left_out=sum(each.reviews for each in reviews if not each.complete),
        all_claude_usd=sum((each.all_claude_usd for each in reviews if each.complete), ZERO),
        compared=sum(each.reviews for each in reviews if each.complete),
        all_local=_all_local(sums, calls, basis, window) if sums.has_hardware else None,
        cheapest=cheap[0] if cheap else None,
        cheapest_usd=actual.claude_usd + actual.other_usd + (cheap[1] if cheap else ZERO),
    )


def _cheapest(calls: Sequence[CallSum], basis: Basis) -> tuple[Price, Decimal] | None:
    """The cheapest Claude for the local tier's answered questions, and what it would have cost:
    at the price for a prompt of mean length, without caching."""
    local = [call for call in calls if call.is_local and call.is_answered and call.counted]
    count = sum(call.counted for call in local)
    if not count:
        return None
    prompt, output = sum(c.prompt for c in local), sum(c.output for c in local)
    try:
        price = cheapest_price(
            basis.prices,
            "anthropic",
            prompt_tokens=prompt // count,
            output_tokens=output // count,
            at=basis.at,
            context_tokens=LEAST_CONTEXT,
            others=(basis.claude_model, *basis.others),
        )
    except PriceError:
        return None
    return price, exact(call_usd(price, prompt, output))


def _all_local(sums: Sums, calls: Sequence[CallSum], basis: Basis, window: Window) -> AllLocal:
    """What was asked of paid models, too, at the speed and power that the machine has shown.

    One repository pays for the machines by its part of the busy seconds.
    """
    own = [call for call in calls if call.is_local]
    busy = Decimal(repr(sum(call.busy_seconds for call in own)))
    joules = Decimal(repr(sum(call.joules for call in own)))
    speed = _speed(own)
    paid = [call for call in calls if not call.is_local and call.is_answered]
    more = speed.seconds(sum(c.prompt for c in paid), sum(c.output for c in paid))
    watts = joules / busy if busy else basis.rates.watts
    power = more * watts / JOULES_PER_KWH * basis.rates.usd_per_kwh
    elsewhere = sums.all_busy_seconds - sum(call.busy_seconds for call in sums.calls)
    needed = busy + more + Decimal(repr(max(elsewhere, 0.0)))
    machines = max(ceil(needed / window.seconds), 1)
    part = (busy + more) / needed if needed else Decimal(1)
    hardware = machines * part * hardware_usd(basis.rates, window.months)
    usd = total(own, lambda call: call.energy_usd) + exact(power + hardware)
    return AllLocal(usd, machines, speed, (busy + more) / 3600)


def _speed(own: Sequence[CallSum]) -> Speed:
    """Tokens by busy seconds of the window's local answers; assumed where there are too few."""
    answered = [call for call in own if call.is_answered and call.counted]
    calls = sum(call.counted for call in answered)
    seconds = Decimal(repr(sum(call.busy_seconds for call in answered)))
    tokens = sum(call.prompt + call.output for call in answered)
    if calls < ENOUGH_CALLS or not seconds or not tokens:
        return Speed()
    return Speed(tokens / seconds, tokens / seconds, f"measured over {calls:,} calls")

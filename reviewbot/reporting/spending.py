"""What a window cost, by who was paid for what."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from reviewbot.costs.local import JOULES_PER_KWH, JoulesHow, LocalRates, hardware_usd
from reviewbot.costs.money import exact
from reviewbot.reporting.sums import ZERO, CallSum, Sums
from reviewbot.reporting.window import Window

#: The last place of a float that energy is shown with.
_JOULES = Decimal("0.001")


@dataclass(frozen=True)
class Energy:
    """What our own hardware used while it worked."""

    kwh: Decimal = ZERO
    measured_kwh: Decimal = ZERO
    """By the cards' own counters; the rest is watts × busy seconds."""
    busy_hours: Decimal = ZERO

    @property
    def how(self) -> JoulesHow:
        if not self.kwh:
            return "none"
        if not self.measured_kwh:
            return "watts × seconds"
        return "measured" if self.measured_kwh == self.kwh else "mixed"


@dataclass(frozen=True)
class Spending:
    """USD of a window. The total is what settled calls cost and what the hardware lost of its price;
    `unknown_usd` is at most more."""

    claude_usd: Decimal = ZERO
    other_usd: Decimal = ZERO
    """Other paid services."""
    energy_usd: Decimal = ZERO
    amortisation_usd: Decimal = ZERO
    """The part of the hardware's price that calls used up: its busy share."""
    idle_usd: Decimal = ZERO
    """The rest of what it lost in that time."""
    unknown_usd: Decimal = ZERO
    energy: Energy = Energy()

    @property
    def hardware_usd(self) -> Decimal:
        return self.amortisation_usd + self.idle_usd

    @property
    def local_usd(self) -> Decimal:
        """Power and hardware, busy and idle."""
        return self.energy_usd + self.hardware_usd

    @property
    def calls_usd(self) -> Decimal:
        """All that hangs on calls: everything but idle hardware."""
        return self.claude_usd + self.other_usd + self.energy_usd + self.amortisation_usd

    @property
    def total_usd(self) -> Decimal:
        return self.calls_usd + self.idle_usd


def spending_of(sums: Sums, rates: LocalRates, window: Window) -> Spending:
    """Everything that the window cost.

    The hardware counts from the first call to it that the ledger has. One repository's part of its
    idle share is as large as its part of the busy seconds.
    """
    calls = sums.calls
    busy = total(calls, lambda call: call.amortisation_usd)
    return Spending(
        claude_usd=total(calls, lambda call: call.usd if call.is_claude else ZERO),
        other_usd=total(calls, lambda call: ZERO if call.is_claude else call.usd),
        energy_usd=total(calls, lambda call: call.energy_usd),
        amortisation_usd=busy,
        idle_usd=max(_share(sums, rates, window) - busy, ZERO),
        unknown_usd=total(calls, lambda call: call.unknown_usd),
        energy=_energy(calls),
    )


def total(calls: Iterable[CallSum], of: Callable[[CallSum], Decimal]) -> Decimal:
    """The exact sum of one amount."""
    return sum((of(call) for call in calls), ZERO)


def _share(sums: Sums, rates: LocalRates, window: Window) -> Decimal:
    """What the hardware lost of its price, as far as these calls answer for it."""
    if not sums.has_hardware:
        return ZERO
    whole = hardware_usd(rates, window.months)
    busy, all_busy = (
        Decimal(repr(each))
        for each in (sum(call.busy_seconds for call in sums.calls), sums.all_busy_seconds)
    )
    if busy >= all_busy:  # all of it, if it did anything; else nobody's in particular
        return whole if busy or not sums.of_repository else ZERO
    return exact(whole * busy / all_busy)


def _energy(calls: Iterable[CallSum]) -> Energy:
    joules, measured, busy = 0.0, 0.0, 0.0
    for call in calls:
        joules += call.joules
        busy += call.busy_seconds
        measured += call.joules if call.joules_how == "measured" else 0.0
    return Energy(_kwh(joules), _kwh(measured), Decimal(repr(busy)) / 3600)


def _kwh(joules: float) -> Decimal:
    return Decimal(repr(joules)).quantize(_JOULES) / JOULES_PER_KWH

"""What our own hardware costs: its power and the part of its price that a review uses up."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple

from reviewbot.costs.money import exact

JoulesHow = Literal["measured", "watts × seconds", "mixed", "none"]
"""Where joules come from; `mixed` only in sums."""

#: Mean length of a month in the Gregorian calendar: 365.25 days / 12.
DAYS_PER_MONTH = Decimal("30.4375")
SECONDS_PER_MONTH = DAYS_PER_MONTH * 86_400
JOULES_PER_KWH = Decimal(3_600_000)


@dataclass(frozen=True)
class LocalRates:
    """What the operator's hardware and power cost."""

    hardware_usd: Decimal
    hardware_months: int
    """Months over which the hardware is written off, at least 1."""
    usd_per_kwh: Decimal
    watts: Decimal
    """Power under load, used where energy is not measured."""


class LocalCost(NamedTuple):
    """What one call on our own hardware cost."""

    joules: float
    how: JoulesHow
    energy_usd: Decimal
    amortisation_usd: Decimal


class MonthlyCost(NamedTuple):
    """What the hardware costs in a month, busy or idle."""

    energy_usd: Decimal
    amortisation_usd: Decimal

    @property
    def total_usd(self) -> Decimal:
        return self.energy_usd + self.amortisation_usd


def local_cost(rates: LocalRates, busy_seconds: float, joules: float | None) -> LocalCost:
    """The cost of `busy_seconds` of the hardware; `joules` as measured, or None."""
    seconds = _decimal(max(busy_seconds, 0.0))
    used = rates.watts * seconds if joules is None else _decimal(max(joules, 0.0))
    share = rates.hardware_usd / rates.hardware_months / SECONDS_PER_MONTH
    return LocalCost(
        joules=float(used),
        how="watts × seconds" if joules is None else "measured",
        energy_usd=exact(used / JOULES_PER_KWH * rates.usd_per_kwh),
        amortisation_usd=exact(share * seconds),
    )


def monthly_cost(
    rates: LocalRates, hours_per_day: Decimal | int, *, days_per_year: int = 365
) -> MonthlyCost:
    """A month's cost of hardware that is under load `hours_per_day` on `days_per_year` days."""
    hours = Decimal(hours_per_day) * days_per_year / 12
    return MonthlyCost(
        energy_usd=exact(rates.watts * hours / 1000 * rates.usd_per_kwh),
        amortisation_usd=exact(rates.hardware_usd / rates.hardware_months),
    )


def hardware_usd(rates: LocalRates, months: Decimal) -> Decimal:
    """What the hardware loses of its price in so many months, busy or idle."""
    return exact(rates.hardware_usd / rates.hardware_months * months)


def _decimal(value: float) -> Decimal:
    """The shortest decimal that reads back as `value`, as people write it."""
    return Decimal(repr(float(value)))

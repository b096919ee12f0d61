"""Our own hardware: power and amortisation, for one call and for a month."""

from decimal import Decimal

import pytest

from reviewbot.costs.local import LocalRates, local_cost, monthly_cost

TEAM = LocalRates(
    hardware_usd=Decimal(1400),
    hardware_months=36,
    usd_per_kwh=Decimal("0.13"),
    watts=Decimal(350),
)


def test_a_month_of_twelve_hours_a_day_costs_about_56_dollars() -> None:
    month = monthly_cost(TEAM, 12)

    assert round(month.amortisation_usd, 2) == Decimal("38.89")
    assert round(month.energy_usd, 2) == Decimal("16.61")
    assert round(month.total_usd, 2) == Decimal("55.50")


def test_power_that_was_not_measured_is_watts_times_seconds() -> None:
    cost = local_cost(TEAM, busy_seconds=3600, joules=None)

    assert cost.how == "watts × seconds"
    assert cost.joules == 350 * 3600
    assert cost.energy_usd == Decimal("0.35") * Decimal("0.13")


def test_measured_joules_win_over_watts() -> None:
    cost = local_cost(TEAM, busy_seconds=10, joules=1_800_000.0)

    assert cost.how == "measured"
    assert cost.energy_usd == Decimal("0.065")


def test_amortisation_of_a_busy_month_is_a_month_of_the_price() -> None:
    cost = local_cost(TEAM, busy_seconds=30.4375 * 86_400, joules=0.0)

    assert cost.amortisation_usd == monthly_cost(TEAM, 0).amortisation_usd
    assert cost.energy_usd == 0


@pytest.mark.parametrize("seconds", [0.0, -5.0])
def test_no_time_or_a_clock_set_back_costs_nothing(seconds: float) -> None:
    cost = local_cost(TEAM, seconds, None)

    assert (cost.joules, cost.energy_usd, cost.amortisation_usd) == (0, 0, 0)

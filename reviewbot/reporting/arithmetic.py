"""From one scenario's stated figures to those that follow."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from reviewbot.reporting.assumptions import (
    DAYS,
    FigureName,
    Period,
    Power,
    Published,
    Scenario,
)
from reviewbot.reporting.economics import Hardware, break_even_months

MTOK = Decimal(1_000_000)
#: Figures that are sums of two others.
PARTS: Mapping[FigureName, tuple[FigureName, FigureName]] = {
    "api_usd": ("input_usd", "output_usd"),
    "local_usd": ("hardware_usd", "power_usd"),
    "hybrid_usd": ("claude_usd", "local_usd"),
}
_TIMELESS: frozenset[FigureName] = frozenset({"hybrid_percent", "break_even_months"})

Figures = Mapping[FigureName, Decimal]


class Comparison(NamedTuple):
    """A published figure beside ours."""

    published: Published
    per: Period
    ours: Decimal | None
    """None: nothing that was stated leads to it."""
    agrees: bool
    how: str
    """Why they agree, or by how much they don't."""


def work_out(scenario: Scenario, per: Period | None = None) -> Figures:
    """All figures that follow, a period of `per` (the scenario's own by default).

    Percent and months to break even are of no period.
    """
    days = DAYS[per or scenario.per]
    found: dict[FigureName, Decimal] = dict(_bill(scenario, days))
    found |= _own(scenario, days)
    api, local = found.get("api_usd"), found.get("local_usd")
    if api is not None and scenario.claude_share is not None:
        found["claude_usd"] = api * scenario.claude_share
        if local is not None:
            found["hybrid_usd"] = found["claude_usd"] + local
            if api:
                found["hybrid_percent"] = found["hybrid_usd"] / api * 100
    if (machine := hardware_of(scenario)) is not None:
        to_period = days / DAYS["month"]
        if scenario.hardware and scenario.hardware.months:
            found["worth_from_usd"] = machine.worth_from_usd * to_period
        if api is not None:
            replaced = (api - found.get("claude_usd", Decimal(0))) / to_period
            if (months := break_even_months(machine, replaced)) is not None:
                found["break_even_months"] = months
    return found


def hardware_of(scenario: Scenario) -> Hardware | None:
    """The scenario's machine and its power a month; None without one."""
    if scenario.hardware is None:
        return None
    _, power = _power(scenario.power, DAYS["month"])
    return Hardware(scenario.hardware.usd, scenario.hardware.months, power or Decimal(0))


def compare(scenario: Scenario) -> list[Comparison]:
    """Each published figure beside ours: equal as far as it is written out, or equal to its
    parts rounded and added up, or not."""
    return [_compare(scenario, published) for published in scenario.published]


def _bill(scenario: Scenario, days: Decimal) -> dict[FigureName, Decimal]:
    """What the paid model costs for everything."""
    if scenario.api:
        return {"api_usd": scenario.api.usd * days / DAYS[scenario.api.per]}
    work, prices = scenario.workload, scenario.prices
    if work is None or prices is None:
        return {}
    requests = work.requests * days / DAYS[work.per]
    if work.tokens is not None and prices.per_k is not None:
        return {"api_usd": requests * work.tokens * prices.per_k / 1000}
    given = requests * (work.input_tokens or 0) * (prices.input_per_mtok or 0) / MTOK
    made = requests * (work.output_tokens or 0) * (prices.output_per_mtok or 0) / MTOK
    return {"input_usd": given, "output_usd": made, "api_usd": given + made}


def _own(scenario: Scenario, days: Decimal) -> dict[FigureName, Decimal]:
    """What hardware and power cost."""
    found: dict[FigureName, Decimal] = {}
    kwh, power = _power(scenario.power, days)
    if kwh is not None:
        found["kwh"] = kwh
    if power is not None:
        found["power_usd"] = power
    if scenario.hardware and scenario.hardware.months:
        monthly = scenario.hardware.usd / scenario.hardware.months
        found["hardware_usd"] = monthly * days / DAYS["month"]
        found["local_usd"] = found["hardware_usd"] + (power or 0)
    return found


def _power(power: Power | None, days: Decimal) -> tuple[Decimal | None, Decimal | None]:
    """kWh and USD in so many days."""
    if power is None:
        return None, None
    if power.usd is not None:
        return None, power.usd * days / DAYS[power.per]
    hours = (power.hours_per_day or 0) * power.days_per_year * days / DAYS["year"]
    kwh = (power.watts or 0) * hours / 1000
    return kwh, None if power.usd_per_kwh is None else kwh * power.usd_per_kwh


def _compare(scenario: Scenario, published: Published) -> Comparison:
    name, value = published.figure, published.value
    per = published.per or scenario.per
    figures = work_out(scenario, per)
    ours = figures.get(name)
    if ours is None:
        return Comparison(published, per, None, False, "does not follow from what is stated")
    step = _step(value, published.about)
    if _rounded(ours, step) == value:
        return Comparison(published, per, ours, True, "as published")
    if _added_up(figures, name, step) == value:
        return Comparison(published, per, ours, True, "as published: rounded parts added up")
    by = (value - ours) / ours * 100 if ours else Decimal(0)
    return Comparison(published, per, ours, False, f"differs: published is {by:+,.0f} %")


def _added_up(figures: Figures, name: FigureName, step: Decimal) -> Decimal:
    """The figure as somebody gets it who rounds first and adds then."""
    parts = [part for part in PARTS.get(name, ()) if part in figures]
    if len(parts) < 2:
        return _rounded(figures[name], step)
    return sum((_added_up(figures, part, step) for part in parts), Decimal(0))


def _step(value: Decimal, about: bool) -> Decimal:
    """The last place that a published figure has; of an approximate one, its first digit's."""
    if about and value:
        return Decimal(1).scaleb(value.adjusted())
    exponent = value.as_tuple().exponent
    return Decimal(1).scaleb(min(exponent, 0) if isinstance(exponent, int) else 0)


def _rounded(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).quantize(Decimal(1), rounding=ROUND_HALF_UP) * step


def is_timeless(figure: FigureName) -> bool:
    """Whether a figure belongs to no period."""
    return figure in _TIMELESS

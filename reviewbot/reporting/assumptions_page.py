"""Stated figures and what follows from them, for people and as plain data."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from reviewbot.costs.money import decimal_text, exact
from reviewbot.publishing.figures import usd
from reviewbot.reporting.arithmetic import (
    Comparison,
    compare,
    hardware_of,
    is_timeless,
    work_out,
)
from reviewbot.reporting.assumptions import Assumptions, FigureName, Scenario
from reviewbot.reporting.economics import break_even_words, worth_words
from reviewbot.reporting.page import Bar, Bars, Block, Heading, Page, Paragraph, Points, Table

_NAMES: Mapping[FigureName, str] = {
    "input_usd": "input",
    "output_usd": "output",
    "api_usd": "all on the paid model",
    "claude_usd": "the part that stays on it",
    "hardware_usd": "hardware, written off",
    "power_usd": "power",
    "local_usd": "local: hardware and power",
    "hybrid_usd": "hybrid: that part and local",
    "hybrid_percent": "hybrid, of all on the paid model",
    "kwh": "energy",
    "break_even_months": "hardware is paid after",
    "worth_from_usd": "hardware is worth it from",
}
_BARS: tuple[FigureName, ...] = ("api_usd", "hybrid_usd", "local_usd")


def assumptions_page(stated: Assumptions) -> Page:
    """All scenarios of a file."""
    blocks: list[Block] = []
    for scenario in stated.scenarios:
        blocks += _scenario(scenario)
    return Page(stated.title, stated.source, blocks)


def assumptions_json(stated: Assumptions) -> dict[str, Any]:
    """The same as plain data; figures as decimal strings, exact to 12 places."""
    return {
        "schema": 1,
        "title": stated.title,
        "source": stated.source,
        "scenarios": [
            {
                "name": scenario.name,
                "per": scenario.per,
                "figures": {
                    name: decimal_text(exact(value)) for name, value in work_out(scenario).items()
                },
                "verdicts": list(_verdicts(scenario)),
                "published": [_comparison_json(each) for each in compare(scenario)],
            }
            for scenario in stated.scenarios
        ],
    }


def figure_text(name: FigureName, value: Decimal) -> str:
    """A figure with its unit."""
    if name == "hybrid_percent":
        return f"{value:,.1f} %"
    if name == "kwh":
        return f"{value:,.1f} kWh"
    return f"{value:,.1f} months" if name == "break_even_months" else usd(value)


def _scenario(scenario: Scenario) -> Iterator[Block]:
    figures = work_out(scenario)
    yield Heading(scenario.name)
    rows = [(_NAMES[name], figure_text(name, figures[name])) for name in _NAMES if name in figures]
    yield Table((f"a {scenario.per}", ""), rows)
    bars = [
        Bar(_NAMES[name], float(figures[name]), usd(figures[name]))
        for name in _BARS
        if name in figures
    ]
    if len(bars) > 1:
        yield Bars(f"USD a {scenario.per}", bars)
    if told := list(_verdicts(scenario)):
        yield Points(told)
    if compared := compare(scenario):
        yield Table(
            ("published", "figure", "here", ""),
            [_comparison_row(each) for each in compared],
            frozenset({3}),
        )
        if wrong := sum(not each.agrees for each in compared):
            verb = "does" if wrong == 1 else "do"
            yield Paragraph(
                f"{wrong} of {len(compared)} published figures {verb} not follow from these inputs.",
                strong=True,
            )


def _verdicts(scenario: Scenario) -> Iterator[str]:
    machine, monthly = hardware_of(scenario), work_out(scenario, "month")
    if machine is None:
        return
    if "api_usd" in monthly:
        saved = monthly["api_usd"] - monthly.get("claude_usd", Decimal(0))
        yield break_even_words(machine, saved, "the paid model")
    if machine.months:
        yield worth_words(machine)


def _as_published(name: FigureName, value: Decimal) -> str:
    """With the digits that it was published with."""
    if name.endswith("_usd"):
        return f"${value:,}" if value == int(value) else f"${value:,.2f}"
    unit = {"hybrid_percent": "%", "kwh": "kWh", "break_even_months": "months"}[name]
    return f"{value:,} {unit}"


def _comparison_row(compared: Comparison) -> tuple[str, str, str, str]:
    published, ours = compared.published, compared.ours
    name = published.figure
    period = "" if is_timeless(name) else f", a {compared.per}"
    about = "about " if published.about else ""
    return (
        f"{_NAMES[name]}{period}",
        about + _as_published(name, published.value),
        "–" if ours is None else figure_text(name, ours),
        compared.how,
    )


def _comparison_json(compared: Comparison) -> dict[str, Any]:
    return {
        "figure": compared.published.figure,
        "per": None if is_timeless(compared.published.figure) else compared.per,
        "published": decimal_text(compared.published.value),
        "ours": None if compared.ours is None else decimal_text(exact(compared.ours)),
        "agrees": compared.agrees,
        "how": compared.how,
    }

"""Stated figures: what follows from them, and how the published ones compare."""

from decimal import Decimal
from pathlib import Path

import pytest

from reviewbot.errors import DocumentError
from reviewbot.reporting.arithmetic import compare, hardware_of, work_out
from reviewbot.reporting.assumptions import Assumptions, parse_assumptions
from reviewbot.reporting.assumptions_page import assumptions_json, assumptions_page
from reviewbot.reporting.economics import break_even_words, worth_words
from reviewbot.reporting.page_text import page_text

FOLDER = Path(__file__).parents[2] / "examples" / "assumptions"
FILES = sorted(FOLDER.glob("*.yml"))


def shipped(name: str) -> Assumptions:
    return parse_assumptions((FOLDER / f"{name}.yml").read_text("utf-8"), name)


def parsed(text: str) -> Assumptions:
    return parse_assumptions(text, "mine.yml")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_published_figure_follows_or_is_known_not_to(file: Path) -> None:
    stated = parse_assumptions(file.read_text("utf-8"), file.name)

    compared = [each for scenario in stated.scenarios for each in compare(scenario)]

    wrong = [str(each.published.value) for each in compared if not each.agrees]
    assert compared
    assert wrong == (["8", "35", "50"] if file.stem == "card-power" else [])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("team-of-forty", [{"api_usd": "2700", "claude_usd": "540", "kwh": "127.75"}]),
        ("tokens-a-day", [{"input_usd": "2737.5", "output_usd": "1368.75", "api_usd": "4106.25"}]),
        (
            "monthly-bills",
            [
                {"input_usd": "30", "output_usd": "30", "api_usd": "60"},
                {"input_usd": "4.5", "output_usd": "22.5", "api_usd": "27"},
                {"api_usd": "7.2"},
                {"api_usd": "270"},
                {"api_usd": "72"},
                {"api_usd": "9000"},
                {"api_usd": "2400"},
            ],
        ),
        ("ten-million-requests", [{"input_usd": "25000", "api_usd": "75000"}]),
        ("workstation", [{"break_even_months": "8"}, {"break_even_months": "1.6"}]),
        ("card-power", [{"kwh": "2.8", "power_usd": "0.364"}]),
    ],
)
def test_the_exact_figures(name: str, expected: list[dict[str, str]]) -> None:
    found = [work_out(scenario) for scenario in shipped(name).scenarios]

    for figures, wanted in zip(found, expected, strict=True):
        shown = {key: figures[key] for key in wanted}  # type: ignore[index]
        assert {key: value.quantize(Decimal("1e-9")) for key, value in shown.items()} == {
            key: Decimal(value).quantize(Decimal("1e-9")) for key, value in wanted.items()
        }


def test_a_sum_of_rounded_parts_is_told_from_the_exact_one() -> None:
    (scenario,) = shipped("tokens-a-day").scenarios

    by_figure = {each.published.figure: each for each in compare(scenario)}

    assert by_figure["input_usd"].how == "as published"
    assert by_figure["api_usd"].how == "as published: rounded parts added up"


def test_hybrid_of_the_team() -> None:
    (scenario,) = shipped("team-of-forty").scenarios
    figures = work_out(scenario)

    assert round(figures["local_usd"], 4) == Decimal("55.4964")
    assert round(figures["hybrid_usd"], 4) == Decimal("595.4964")
    assert round(figures["hybrid_percent"], 1) == Decimal("22.1")


def test_the_threshold_follows_from_the_same_arithmetic() -> None:
    (scenario,) = shipped("team-of-forty").scenarios
    machine = hardware_of(scenario)

    assert machine
    assert "less than $55.50 of paid calls a month does not pay" in worth_words(machine)
    assert "in 36.0 months." in break_even_words(machine, machine.worth_from_usd, "an API")
    assert "after the 36 months" in break_even_words(machine, Decimal(55), "an API")
    assert "never pay for themselves" in break_even_words(machine, Decimal(16), "an API")


def test_the_period_of_the_figures_is_free() -> None:
    (scenario,) = shipped("ten-million-requests").scenarios

    assert work_out(scenario, "year")["api_usd"] == 75_000 * 365
    assert round(work_out(scenario, "month")["api_usd"], 9) == Decimal(75_000) * 365 / 12


def test_what_is_not_stated_is_not_worked_out() -> None:
    (scenario,) = parsed(
        "title: T\nscenarios:\n  - name: N\n    hardware: {usd: 10}\n"
        "    published: [{figure: api_usd, value: 5}]"
    ).scenarios

    assert work_out(scenario) == {}
    assert compare(scenario)[0].how == "does not follow from what is stated"


def test_the_text_shows_the_figure_that_does_not_follow() -> None:
    text = page_text(assumptions_page(shipped("card-power")))

    assert "energy, a day     8 kWh  2.8 kWh  differs: published is +186 %" in text
    assert "3 of 4 published figures do not follow from these inputs." in text
    assert max(map(len, text.splitlines())) <= 100


def test_json_has_exact_amounts() -> None:
    (scenario,) = assumptions_json(shipped("tokens-a-day"))["scenarios"]

    assert scenario["figures"]["api_usd"] == "4106.25"
    assert scenario["published"][2]["published"] == "4107"
    assert scenario["published"][2]["agrees"] is True


@pytest.mark.parametrize(
    ("scenario", "line", "complaint"),
    [
        ("workload: {tokens: 5}", 3, "`workload` and `prices` go together"),
        ("workload: {requests: 5}\n    prices: {per_k: 1}", 4, "needs either `tokens`"),
        ("workload: {tokens: 5}\n    prices: {input_per_mtok: 1}", 5, "both `input_per_mtok`"),
        (
            "workload: {tokens: 5}\n    prices: {input_per_mtok: 1, output_per_mtok: 1}",
            3,
            "`tokens` needs `per_k`",
        ),
        ("power: {watts: 5}", 4, "needs either `watts` and `hours_per_day`, or `usd`"),
        ("power: {watts: 5, hours_per_day: 25}", 4, "less than or equal to 24"),
        ("hardwear: {usd: 5}", 4, "did you mean `hardware`?"),
        ("hardware: {usd: -5}", 4, "greater than 0"),
        ("claude_share: 1.5", 4, "less than or equal to 1"),
        ("per: week", 4, "'day', 'month' or 'year'"),
        ("claude_share: 0.5", 3, "states nothing to work out"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(scenario: str, line: int, complaint: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parsed(f"title: T\nscenarios:\n  - name: N\n    {scenario}\n")

    assert complaint in str(caught.value)
    assert caught.value.line == line

"""A month's money, worked out by hand beside the forecast."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from reporting.conftest import NEWEST

from reviewbot.costs.cheapest import cheapest_price
from reviewbot.costs.prices import PriceBook
from reviewbot.errors import PriceError
from reviewbot.publishing.figures import usd
from reviewbot.reporting.forecast import Basis, Past, forecast, per_month_of, percentiles
from reviewbot.reporting.forecast_json import forecast_json
from reviewbot.reporting.forecast_page import difficulty_words, verdicts
from reviewbot.reporting.replay import Replayed, Strategy

#: 600 tokens of an answer: 30 000 millionths at $50 per M, 3 000 at $5.
ANSWER, CHEAP_ANSWER = Decimal("0.030"), Decimal("0.003")


def test_difficulty_says_its_share_and_what_it_costs_beside_the_usual_split(
    change: Callable[..., Replayed], basis: Basis
) -> None:
    easy, hard = change(10_000, days_old=1), change(10_000, days_old=2, difficult=True)

    made = forecast([Past("shop", "main", (easy, hard))], basis)

    assert made.shares[0].difficult == 1
    usual, line = made.lines[Strategy.PULL_REQUEST], made.lines[Strategy.DIFFICULTY]
    assert usual.spend.claude_usd == 0
    assert line.spend.claude_usd == made.lines[Strategy.CLAUDE].spend.claude_usd / 2
    said = difficulty_words(made)
    assert "50 % of the changes would go to Claude instead of 0 %" in said
    assert usd(line.usd) in said


def test_claude_only_is_every_prompt_at_its_price(past: Past, basis: Basis) -> None:
    line = forecast([past], basis).lines[Strategy.CLAUDE]

    seven_plain, two_risky = 7 * (Decimal("0.10") + ANSWER), 2 * (Decimal("0.20") + ANSWER)
    assert line.usd == (seven_plain + two_risky) * 100  # ten changes, a thousand a month
    assert line.gpu_hours == 0


def test_a_hybrid_pays_claude_for_the_risky_part_only(past: Past, basis: Basis) -> None:
    lines = forecast([past], basis).lines

    whole, by_file = lines[Strategy.PULL_REQUEST], lines[Strategy.FILE]
    assert whole.spend.claude_usd == 2 * (Decimal("0.20") + ANSWER) * 100
    assert by_file.spend.claude_usd == 2 * (Decimal("0.05") + ANSWER) * 100
    assert whole.amortisation_usd == by_file.amortisation_usd == 25


def test_local_power_is_busy_time(past: Past, basis: Basis) -> None:
    line = forecast([past], basis).lines[Strategy.LOCAL]

    # 10 s of reading each 10 000 tokens, 10 s of writing each answer; 360 W at $0.20
    seconds = (7 * (10 + 10) + 2 * (20 + 10)) * 100
    assert line.spend.seconds == seconds
    assert round(line.gpu_hours, 9) == round(Decimal(seconds) / 3600, 9)
    assert line.spend.energy_usd == Decimal(seconds) / 3600 * Decimal("0.36") * Decimal("0.20")
    assert line.usd == line.spend.energy_usd + 25


def test_the_cheap_twin_has_no_card(past: Past, basis: Basis) -> None:
    line = forecast([past], basis).lines[Strategy.CHEAP_FILE]

    rest = 7 * (Decimal("0.010") + CHEAP_ANSWER) + 2 * (Decimal("0.015") + CHEAP_ANSWER)
    assert line.spend.cheap_usd == rest * 100
    assert line.amortisation_usd == line.spend.energy_usd == 0


def test_the_bill_lies_in_its_interval(past: Past, basis: Basis) -> None:
    for line in forecast([past], basis).lines.values():
        assert line.interval.low <= float(line.usd) <= line.interval.high


def test_a_cheap_model_that_beats_the_card_is_said_to(past: Past, basis: Basis) -> None:
    said = verdicts(forecast([past], basis))

    assert "the card buys privacy and independence, not money" in said[1]


def test_a_card_that_beats_the_cheap_model_is_said_to(past: Past, basis: Basis) -> None:
    found = forecast([past], replace(basis, per_month=Decimal(100_000)))

    said = verdicts(found)

    assert "the card saves money as well" in said[1]
    assert found.cards == 1


def test_a_card_that_never_pays_is_said_to(past: Past, basis: Basis) -> None:
    said = verdicts(forecast([past], replace(basis, per_month=Decimal(1))))

    assert "more than Claude alone." in said[0]
    assert "never pay for themselves" in said[2]


def test_more_work_than_a_card_can_do_takes_more_cards(past: Past, basis: Basis) -> None:
    found = forecast([past], replace(basis, per_month=Decimal(400_000)))

    assert found.cards == 4  # 20 s each on average: 8 000 000 s of 2 629 800
    assert found.lines[Strategy.LOCAL].amortisation_usd == 100
    assert any("4 such machines" in said for said in verdicts(found))


def test_what_is_stated_is_split_as_the_histories_are(
    past: Past, basis: Basis, change: Callable[..., Replayed]
) -> None:
    small = Past("tools", "main", (change(1_000), change(1_000, days_old=3)))

    shares = forecast([past, small], basis).shares

    assert [share.per_month.quantize(Decimal("0.01")) for share in shares] == [
        Decimal("833.33"),
        Decimal("166.67"),
    ]
    assert shares[0].tiers == {"claude": 2, "local": 7, "skip": 1, "ignored": 0}
    assert shares[0].areas == {"auth": 2}
    assert shares[0].tokens == (10_000, 20_000)


def test_json_adds_up(past: Past, basis: Basis) -> None:
    data = forecast_json(forecast([past], basis))

    for line in data["strategies"].values():
        parts = ("claude_usd", "cheap_usd", "energy_usd", "amortisation_usd")
        added = sum(Decimal(line[part]) for part in parts)
        assert abs(Decimal(line["usd"]) - added) <= Decimal("1e-9")
    assert data["break_even_months"]["hybrid_file"]["claude"] > 0
    assert data["basis"]["claude"]["source"] == "operator price"


@pytest.mark.parametrize(
    ("ages", "expected"),
    [
        ([0], 1),
        ([0, 1, 2], 3),  # three days are no rate: they count as a month
        ([0, 30.4375, 60.875], "1.5"),
        ([*range(366), 400, 5_000], "30.5"),  # only the last year counts
    ],
)
def test_the_rate_is_that_of_the_last_year(
    ages: list[float], expected: object, change: Callable[..., Replayed]
) -> None:
    changes = [change(100, days_old=age) for age in ages]

    assert per_month_of([change.at for change in changes]).quantize(Decimal("0.1")) == Decimal(
        str(expected)
    )


def test_percentiles_are_by_nearest_rank() -> None:
    assert percentiles([]) == (0, 0)
    assert percentiles([7]) == (7, 7)
    assert percentiles(list(range(1, 101))) == (50, 95)


def test_the_cheapest_model_is_the_cheapest_for_such_prompts() -> None:
    def cheapest(prompt_tokens: int, context_tokens: int = 100_000) -> str:
        return cheapest_price(
            PriceBook(),
            "anthropic",
            prompt_tokens=prompt_tokens,
            output_tokens=600,
            at=NEWEST,
            context_tokens=context_tokens,
        ).model

    assert cheapest(50_000) == "claude-haiku-5-5"
    assert cheapest(150_000) != "claude-haiku-5-5"  # long prompts cost five times as much there
    with pytest.raises(PriceError, match="no model of anthropic"):
        cheapest(50_000, context_tokens=10**9)


def test_the_operators_price_can_be_the_cheapest(basis: Basis) -> None:
    price = cheapest_price(
        basis.prices,
        "anthropic",
        prompt_tokens=10,
        output_tokens=10_000_000,
        at=NEWEST,
        context_tokens=10**9,
        others=("claude-dear", "claude-cheap", "claude-nobody-knows"),
    )

    assert price.model == "claude-cheap"

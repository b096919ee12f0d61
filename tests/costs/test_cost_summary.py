"""One line of money for a review: nothing spent is left out, nothing unspent is shown as spent."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from reviewbot.costs.calls import Call, CallStart
from reviewbot.costs.summary import CostSummary, summarize
from reviewbot.review.engine import Outcome, Usage


@pytest.fixture
def paid(claude_start: CallStart, today: datetime) -> Call:
    return Call(
        claude_start,
        Outcome.ANSWERED,
        "claude-opus-5-5",
        today,
        3.0,
        usage=Usage(1000, 100),
        usd=Decimal("0.006"),
    )


@pytest.fixture
def local(paid: Call) -> Call:
    start = replace(paid.start, engine="openai", provider=None, reserved_usd=Decimal(0))
    return replace(
        paid,
        start=start,
        usd=Decimal(0),
        energy_usd=Decimal("0.0001"),
        amortisation_usd=Decimal("0.0002"),
        joules=21_000.0,
        joules_how="watts × seconds",
    )


def test_money_is_summed_by_who_gets_it(paid: Call, local: Call) -> None:
    other = replace(paid, start=replace(paid.start, engine="openai", provider="openai"))

    summary = summarize([paid, paid, local, other], Decimal("0.05"))

    assert summary.claude_usd == Decimal("0.012")
    assert summary.local_usd == Decimal("0.0003")
    assert summary.other_external_usd == Decimal("0.006")
    assert summary.total_usd == Decimal("0.0183")
    assert summary.unknown_usd == 0
    assert (summary.joules, summary.joules_how) == (21_000.0, "watts × seconds")
    assert summary.calls == 4


def test_what_is_unknown_is_apart_from_what_was_spent(paid: Call, claude_start: CallStart) -> None:
    timed_out = replace(paid, outcome=Outcome.TIMED_OUT, usd=Decimal("0.25"), unknown=True)

    summary = summarize([paid, timed_out, claude_start])

    assert summary.total_usd == Decimal("0.006")
    assert summary.unknown_usd == Decimal("0.5")
    assert summary.calls == 3


def test_ways_to_measure_are_named_and_mixtures_too(local: Call) -> None:
    measured = replace(local, joules_how="measured")

    assert summarize([measured, measured]).joules_how == "measured"
    assert summarize([measured, local]).joules_how == "mixed"
    assert summarize([]).joules_how == "none"


def test_one_scripted_answer_makes_all_figures_would_cost(paid: Call) -> None:
    assert not summarize([paid]).scripted
    assert summarize([paid, replace(paid, scripted=True)]).scripted


def test_an_estimated_count_marks_the_summary(paid: Call) -> None:
    guessed = replace(paid, usage=Usage(1000, 100, estimated=True))

    assert summarize([paid, guessed]).estimated
    assert not summarize([paid]).estimated


def test_dollars_are_printed_as_decimal_strings() -> None:
    printed = CostSummary(total_usd=Decimal("0.0120"), all_claude_usd=Decimal("0.5")).to_json()

    assert printed["total_usd"] == "0.012"
    assert printed["all_claude_usd"] == "0.5"
    assert CostSummary().to_json()["all_claude_usd"] is None

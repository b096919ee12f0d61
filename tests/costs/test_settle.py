"""What a reply comes to in the ledger: billed, free, or unknown at its reserve."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from reviewbot.costs.calls import Call, CallStart
from reviewbot.costs.local import LocalRates
from reviewbot.costs.prices import PriceBook
from reviewbot.costs.settle import settle_call
from reviewbot.review.engine import Outcome, Reply, Usage

RAW = {"model": "claude-opus-5-5", "usage": {"input_tokens": 1000, "output_tokens": 100}}


@pytest.fixture
def settled(book: PriceBook, rates: LocalRates, today: datetime) -> Any:
    """Settle a reply ten seconds after its start."""

    def settle(start: CallStart, reply: Reply, **more: Any) -> Call:
        later = today + timedelta(seconds=10)
        return settle_call(start, reply, prices=book, rates=rates, at=later, **more)

    return settle


@pytest.mark.parametrize("outcome", [Outcome.ANSWERED, Outcome.REFUSED, Outcome.MALFORMED])
def test_whatever_was_counted_is_billed(
    settled: Any, claude_start: CallStart, outcome: Outcome
) -> None:
    reply = Reply(outcome, "claude-opus-5-5", 3.0, usage=Usage(1000, 100), raw=RAW)

    call = settled(claude_start, reply)

    assert (call.usd, call.unknown) == (Decimal("0.006"), False)
    assert call.price.source.startswith("genai-prices")
    assert call.joules_how == "none"


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome.RATE_LIMITED,
        Outcome.OVERLOADED,
        Outcome.DENIED,
        Outcome.TOO_LONG,
        Outcome.OVER_BUDGET,
    ],
)
def test_an_error_of_the_service_or_a_question_not_put_costs_nothing(
    settled: Any, claude_start: CallStart, outcome: Outcome
) -> None:
    call = settled(claude_start, Reply(outcome, "", 0.1))

    assert (call.usd, call.unknown, call.model) == (0, False, "claude-opus-5-5")


@pytest.mark.parametrize(
    "reply",
    [
        Reply(Outcome.TIMED_OUT, "", 300.0),
        Reply(Outcome.UNREACHABLE, "", 1.0),
        Reply(Outcome.ANSWERED, "claude-opus-5-5", 3.0, text="{}"),
        Reply(Outcome.ANSWERED, "claude-opus-5-5", 3.0, raw={"usage": {"input_tokens": "x"}}),
        Reply(Outcome.ANSWERED, "x", 3.0, usage=Usage(9, 9, estimated=True)),
        Reply(Outcome.ANSWERED, "x", 3.0, usage=Usage(-9, 9), raw={"usage": {"input_tokens": -9}}),
    ],
)
def test_what_nobody_can_tell_stays_at_its_reserve(
    settled: Any, claude_start: CallStart, reply: Reply
) -> None:
    call = settled(claude_start, reply)

    assert (call.usd, call.unknown) == (claude_start.reserved_usd, True)
    assert call.warnings


def test_a_scripted_answer_says_what_it_would_cost(settled: Any, claude_start: CallStart) -> None:
    reply = Reply(Outcome.ANSWERED, "x", 0.1, usage=Usage(1000, 100, estimated=True), scripted=True)

    call = settled(claude_start, reply)

    assert (call.usd, call.unknown, call.scripted) == (Decimal("0.006"), False, True)
    assert call.usage.estimated


def test_our_own_hardware_costs_power_and_its_share(settled: Any, claude_start: CallStart) -> None:
    start = replace(
        claude_start, engine="openai", provider=None, model="coder", reserved_usd=Decimal(0)
    )

    alone = settled(start, Reply(Outcome.ANSWERED, "coder", 60.0, usage=Usage(10, 10)))
    shared = settled(start, Reply(Outcome.ANSWERED, "coder", 60.0), busy_seconds=15.0)

    assert (alone.usd, alone.busy_seconds, alone.joules) == (0, 60.0, 21_000.0)
    assert alone.local_usd > 0
    assert shared.local_usd * 4 == pytest.approx(alone.local_usd, abs=Decimal("1e-11"))


def test_a_call_prints_its_dollars_as_decimal_strings(
    settled: Any, claude_start: CallStart
) -> None:
    raw = {**RAW, "service_tier": "standard"}
    reply = Reply(Outcome.ANSWERED, "claude-opus-5-5", 3.0, usage=Usage(1000, 100), raw=raw)

    printed = settled(claude_start, reply).to_json()

    assert printed["usd"] == "0.006"
    assert printed["reserved_usd"] == "0.25"
    assert printed["price"]["output"] == "20"
    assert printed["service_tier"] == "standard"
    assert printed["usage"]["input"] == 1000
    assert claude_start.to_json()["outcome"] == "unknown"
    assert claude_start.to_json()["usd"] == "0.25"

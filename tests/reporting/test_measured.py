"""What a ledger tells of the next month."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from reviewbot.costs.calls import Call, CallStart
from reviewbot.reporting.measured import (
    ENOUGH_CALLS,
    Lengths,
    Speed,
    measured_lengths,
    measured_speed,
)
from reviewbot.review.engine import Outcome, Usage

NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def call() -> Callable[..., Call]:
    def make(provider: str | None, output: int, purpose: str = "review", **more: object) -> Call:
        start = CallStart(
            "id", "r", "o/r", 1, None, None, purpose, 0, 1, "e", provider, "m", Decimal(0), NOW
        )
        known: dict[str, object] = {"outcome": Outcome.ANSWERED, "busy_seconds": 0.0} | more
        usage = Usage(input=1000, output=output)
        return Call(start, model="m", settled_at=NOW, latency_seconds=1, usage=usage, **known)  # type: ignore[arg-type]

    return make


def test_an_empty_ledger_leaves_the_documented_default() -> None:
    assert measured_lengths([]) == Lengths(Decimal(600), Decimal(600), 0, 0)
    assert measured_speed([]) is None


def test_means_are_taken_of_enough_real_answers(call: Callable[..., Call]) -> None:
    claude = [call("anthropic", tokens) for tokens in (100, 300)] * (ENOUGH_CALLS // 2)
    local = [call(None, 50, busy_seconds=5.0)] * ENOUGH_CALLS
    noise = [
        call("anthropic", 9_000, scripted=True),
        call("anthropic", 9_000, outcome=Outcome.REFUSED),
        call("openai", 9_000),
    ]

    lengths = measured_lengths([*claude, *local, *noise])

    assert lengths == Lengths(Decimal(200), Decimal(50), ENOUGH_CALLS, ENOUGH_CALLS)
    assert measured_speed([*claude, *local]) == Speed(
        Decimal(210), Decimal(210), "measured over 20 calls"
    )


def test_only_what_reads_a_part_says_how_long_answers_are(call: Callable[..., Call]) -> None:
    half = ENOUGH_CALLS // 2
    read = [
        *[call("anthropic", 300), call("anthropic", 500, "refine")] * half,
        *[call(None, 200), call(None, 100, "draft")] * half,
    ]
    short = [
        *[call("anthropic", 20, word) for word in ("route", "fix", "escalate")] * half,
        *[call(None, 20, word) for word in ("route", "fix", "verify")] * half,
    ]

    assert measured_lengths([*read, *short]) == Lengths(
        Decimal(400), Decimal(150), ENOUGH_CALLS, ENOUGH_CALLS
    )
    assert measured_lengths(short) == Lengths()


def test_a_few_calls_are_not_enough(call: Callable[..., Call]) -> None:
    few = [call(None, 50, busy_seconds=5.0)] * (ENOUGH_CALLS - 1)

    assert measured_lengths(few) == Lengths()
    assert measured_speed(few) is None


def test_measured_speed_gives_back_the_measured_time(call: Callable[..., Call]) -> None:
    speed = measured_speed([call(None, 50, busy_seconds=5.0)] * ENOUGH_CALLS)

    assert speed
    assert speed.seconds(1000, 50) == 5

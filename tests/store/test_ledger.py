"""The ledger gives back what was written, exactly, and each call is settled once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from reviewbot.costs.calls import Call, CallStart
from reviewbot.costs.prices import Price
from reviewbot.costs.summary import summarize
from reviewbot.errors import StoreError
from reviewbot.review.engine import Outcome, Usage
from reviewbot.store.ledger import Store, open_store

NewStart = Callable[..., CallStart]
Answered = Callable[..., Call]


def test_a_call_reads_back_as_it_was_written(
    store: Store, new_start: NewStart, answered: Answered
) -> None:
    call = answered(
        new_start(reserved_usd=Decimal("0.123456789012")),
        usage=Usage(1, 2, cache_read=3, cache_write_5m=4, cache_write_1h=5, estimated=True),
        raw={"model": "claude-opus-5-5", "usage": {"input_tokens": 1, "service_tier": None}},
        service_tier="standard",
        price=Price(
            provider="anthropic",
            model="claude-opus-5-5",
            input=Decimal(4),
            output=Decimal(20),
            cache_read=Decimal("0.2"),
            cache_write_5m=None,
            cache_write_1h=None,
            source="genai-prices 0.2.3",
            conditions="processing=batch",
        ),
        usd=Decimal("0.000000000001"),
        unknown=True,
        energy_usd=Decimal("0.1"),
        amortisation_usd=Decimal("8999999.999999999999"),
        joules=0.1 + 0.2,
        joules_how="watts × seconds",
        busy_seconds=1 / 3,
        detail="naïve “quotes” 🦊",
        warnings=("one", "two"),
        scripted=True,
    )

    store.start_call(call.start)
    store.settle_call(call)

    assert store.calls() == [call]


def test_a_started_call_that_never_ended_counts_at_its_reserve(
    store: Store, new_start: NewStart
) -> None:
    start = new_start()

    store.start_call(start)

    assert store.calls() == [start]
    assert summarize(store.calls()).unknown_usd == start.reserved_usd
    assert start.to_json()["outcome"] == "unknown"


def test_a_failed_call_without_usage_or_price_is_kept_too(
    store: Store, new_start: NewStart, answered: Answered
) -> None:
    call = answered(
        new_start(number=None, installation=None, provider=None),
        outcome=Outcome.RATE_LIMITED,
        usage=None,
        usd=Decimal(0),
    )

    store.start_call(call.start)
    store.settle_call(call)

    assert store.calls() == [call]


def test_a_call_is_settled_once(store: Store, new_start: NewStart, answered: Answered) -> None:
    call = answered(new_start())
    store.start_call(call.start)
    store.settle_call(call)

    with pytest.raises(StoreError, match="settled before"):
        store.settle_call(replace(call, usd=Decimal(0)))

    assert store.calls() == [call]


def test_a_call_is_not_settled_without_a_start(
    store: Store, new_start: NewStart, answered: Answered
) -> None:
    with pytest.raises(StoreError, match="never started"):
        store.settle_call(answered(new_start()))

    assert store.calls() == []


def test_a_call_is_started_once(store: Store, new_start: NewStart) -> None:
    start = new_start()
    store.start_call(start)

    with pytest.raises(StoreError, match="started already"):
        store.start_call(start)


def test_calls_are_found_by_review_repository_and_time(store: Store, new_start: NewStart) -> None:
    november = datetime(2026, 11, 1, tzinfo=UTC)
    starts = [
        new_start(review_id="b", repository="acme/api", started_at=november),
        new_start(review_id="a", started_at=november - timedelta(microseconds=1)),
        new_start(review_id="b", started_at=november + timedelta(days=29, hours=23)),
        new_start(review_id="b", started_at=november + timedelta(days=30)),
    ]
    for start in starts:
        store.start_call(start)

    month = store.calls(since=november, until=november + timedelta(days=30))

    assert month == [starts[0], starts[2]]
    assert store.calls(review_id="a") == [starts[1]]
    assert store.calls(repository="acme/api") == [starts[0]]
    assert store.calls() == [starts[1], starts[0], starts[2], starts[3]]


def test_times_of_any_zone_come_back_in_utc(store: Store, new_start: NewStart) -> None:
    tokyo = datetime(2026, 11, 21, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=9)))

    store.start_call(new_start(started_at=tokyo))

    (read,) = store.calls(since=tokyo)
    assert isinstance(read, CallStart)
    assert read.started_at == tokyo
    assert read.started_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"started_at": datetime(2026, 11, 21)}, "a time without zone"),  # noqa: DTZ001 (meant)
        ({"reserved_usd": Decimal("1e-13")}, "more than 12 decimals"),
    ],
)
def test_a_value_that_would_be_changed_is_refused(
    store: Store, new_start: NewStart, changed: dict[str, object], problem: str
) -> None:
    with pytest.raises(StoreError, match=problem):
        store.start_call(new_start(**changed))


def test_text_that_no_database_takes_is_kept_readable(
    store: Store, new_start: NewStart, answered: Answered
) -> None:
    start = new_start()
    call = answered(start, model="a\0b", detail="half \ud800 pair", raw={"model": "a\0b\ud800"})

    store.start_call(start)
    store.settle_call(call)

    (read,) = store.calls()
    assert isinstance(read, Call)
    assert (read.model, read.detail) == ("a�b", "half � pair")
    assert read.raw == {"model": "a\0b\ud800"}


def test_what_was_written_is_there_after_a_restart(url: str, new_start: NewStart) -> None:
    start = new_start()
    with open_store(url) as first:
        first.start_call(start)

    with open_store(url) as second:
        assert second.calls() == [start]

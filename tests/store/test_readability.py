"""The share of answers that could not be read, as the ledger tells it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from reviewbot.costs.calls import Call, CallStart
from reviewbot.costs.readability import Readability
from reviewbot.review.engine import Outcome
from reviewbot.store.ledger import Store

NewStart = Callable[..., CallStart]
Answered = Callable[..., Call]


def test_answers_are_counted_by_model_and_what_of_them_could_not_be_read(
    store: Store, new_start: NewStart, answered: Answered
) -> None:
    here = {"engine": "llama", "provider": None, "model": "tiny.gguf"}
    first = new_start(**here)
    calls = [
        answered(first, raw={"lines": 4, "unreadable_lines": 0}),
        answered(new_start(**here), outcome=Outcome.TRUNCATED, raw={"lines": 2}),
        answered(
            new_start(**here),
            outcome=Outcome.TRUNCATED,
            raw={"lines": 3, "unreadable_lines": 2},
        ),
        answered(new_start(**here), outcome=Outcome.TIMED_OUT, usage=None),  # no answer at all
        answered(new_start(), raw={"model": "claude-opus-5-5"}),
        answered(new_start(), outcome=Outcome.MALFORMED),
        answered(new_start(), outcome=Outcome.RATE_LIMITED, usage=None),
    ]
    last = new_start()
    calls.append(answered(last))
    for call in calls:
        store.start_call(call.start)
        store.settle_call(call)
    store.start_call(new_start())  # never settled

    found = store.readability(since=first.started_at, until=last.started_at)
    later = store.readability(
        since=first.started_at + timedelta(microseconds=1), until=last.started_at
    )

    claude = Readability("claude", "claude-opus-5-5", 2, 1, 0, 0)
    assert found == [claude, Readability("llama", "tiny.gguf", 3, 1, 9, 2)]
    assert later == [claude, Readability("llama", "tiny.gguf", 2, 1, 5, 2)]
    assert [each.failure_rate for each in found] == [0.5, 1 / 3]
    assert replace(claude, answers=0, unreadable=0).failure_rate == 0


def test_without_answers_there_is_nothing_to_count(store: Store, new_start: NewStart) -> None:
    start = new_start()
    store.start_call(start)

    assert store.readability(since=start.started_at, until=start.started_at) == []

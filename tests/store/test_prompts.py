"""Prompts, answers, attempts and heartbeats: what lets a worker go on after a crash."""

import dataclasses
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from reviewbot.costs.calls import Call, CallStart
from reviewbot.review.engine import Outcome, Prompt, Reply, Usage
from reviewbot.store.jobs import JobStore, open_job_store
from reviewbot.store.prompts import Question, prompt_hash

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PROMPT = Prompt(
    system="Review.",
    shared="A change: \ud800 and \0.",
    unit="+x = 1",
    schema={"type": "object", "properties": {}},
    max_output_tokens=500,
    paths=("a.py", "b.py"),
    lines=((1, 5), (9, 9)),
    cache_prefix=True,
)
REPLY = Reply(
    outcome=Outcome.ANSWERED,
    model="claude-opus-5-5",
    seconds=1.5,
    text='{"findings": []} \ud800 \0',
    usage=Usage(10, 5, cache_read=3),
    raw={"usage": {"input_tokens": 10}},
    joules=2.5,
)


@pytest.fixture
def store(url: str) -> Iterator[JobStore]:
    with open_job_store(url) as opened:
        yield opened


@pytest.fixture
def question() -> Question:
    return Question("review-1", "claude", 0, prompt_hash(PROMPT))


def test_a_prompt_reads_back_as_it_was_and_is_kept_once(store: JobStore) -> None:
    first = store.put_prompt(PROMPT, at=NOW)
    again = store.put_prompt(PROMPT, at=NOW + timedelta(days=1))

    assert first == again == prompt_hash(PROMPT)
    assert store.prompt(first) == PROMPT


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Prompt)])
def test_every_part_of_a_prompt_is_in_its_hash(name: str) -> None:
    others = {"schema": {}, "max_output_tokens": 1, "cache_prefix": False, "lines": ((1, 1),)}
    other = dataclasses.replace(PROMPT, **{name: others.get(name, ("c",))})

    assert prompt_hash(other) != prompt_hash(PROMPT)


def test_an_answer_and_its_settlement_are_written_together(
    store: JobStore,
    new_start: Callable[..., CallStart],
    answered: Callable[..., Call],
    question: Question,
) -> None:
    first, second = new_start(), new_start()
    store.start_call(first)
    store.start_call(second)
    other = dataclasses.replace(REPLY, text="something else")

    held = [store.settle_answer(answered(first), question, 1, REPLY)]
    held.append(store.settle_answer(answered(second), question, 1, other))

    [answer] = store.answers(question)
    assert (answer.attempt, answer.call_id, answer.reply) == (1, first.id, REPLY)
    assert held == [REPLY, REPLY]
    assert store.calls() == [answered(first), answered(second)]  # both were paid
    assert store.settle_answer(answered(first), question, 1, other) == REPLY  # as if it broke off
    assert len(store.calls()) == 2


def test_answers_belong_to_one_question(
    store: JobStore,
    new_start: Callable[..., CallStart],
    answered: Callable[..., Call],
    question: Question,
) -> None:
    start = new_start()
    store.start_call(start)
    store.settle_answer(answered(start), question, 1, REPLY)

    for other in (
        dataclasses.replace(question, review_id="review-2"),
        dataclasses.replace(question, role="fallback"),
        dataclasses.replace(question, unit=1),
        dataclasses.replace(question, prompt_hash="0" * 64),
    ):
        assert store.answers(other) == ()


def test_attempts_count_until_the_job_ends(store: JobStore) -> None:
    assert [store.begin_attempt("rv:1") for _ in range(3)] == [1, 2, 3]
    store.forgive_attempt("rv:1")
    assert store.begin_attempt("rv:1") == 3
    assert store.begin_attempt("rv:2") == 1
    store.end_attempts("rv:1")

    assert store.begin_attempt("rv:1") == 1


def test_heartbeats_tell_who_is_there(store: JobStore) -> None:
    store.beat("local", at=NOW)
    store.beat("other", at=NOW + timedelta(seconds=1))
    store.beat("local", at=NOW + timedelta(seconds=5), engines="claude")

    beats = {beat.executor: (beat.started_at, beat.seen_at, beat.engines) for beat in store.beats()}
    store.end_beats("other")

    assert beats["local"] == (NOW, NOW + timedelta(seconds=5), "claude")
    assert [beat.executor for beat in store.beats()] == ["local"]

"""A question that two workers ask at once, as happens when one of them was taken for dead."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from durable_jobs import Place
from model_servers.claude import ClaudeServer
from model_servers.openai import OpenAIServer
from model_servers.server import Asked

from reviewbot.config.policy import Budget
from reviewbot.costs.calls import Call
from reviewbot.review.engine import Outcome, Prompt
from reviewbot.service.calling import AskJob
from reviewbot.service.dbos_setup import jobs_engine, migrate_jobs

NOTHING = '{"walkthrough": "Nothing of note.", "findings": []}'
SCHEMA = {
    "type": "object",
    "properties": {"findings": {"type": "array", "items": {"type": "string"}}},
    "required": ["findings"],
    "additionalProperties": False,
}


def test_of_two_answers_to_one_question_one_holds_and_both_are_counted(
    tmp_path: Path, claude_server: ClaudeServer, openai_server: OpenAIServer
) -> None:
    place = Place(str(tmp_path), "", claude_server.root, claude_server.key, openai_server.root)
    migrate_jobs(place.settings)
    parts = place.parts(jobs_engine(place.settings))
    prompt = Prompt("Review.", "A change.", "+ a line", SCHEMA, 1_000)
    both = threading.Barrier(2)

    def answer(_: Asked) -> str:
        both.wait(10)
        return NOTHING

    claude_server.answering = answer
    with parts.caller.store as store, ThreadPoolExecutor(2) as workers:
        digest = store.put_prompt(prompt, at=datetime.now(UTC))
        job = AskJob("review", "claude", 0, digest, 1, "acme/shop", 2, 3, "review")
        tries = [workers.submit(parts.caller.try_once, job, 1) for _ in range(2)]
        waits = [one.result() for one in tries]
        calls = store.calls(review_id="review")
        answers = len(store.answers(job.question))

    assert waits == [None, None]
    assert len(claude_server.bill) == len(calls) == 2
    assert all(isinstance(call, Call) for call in calls)
    assert answers == 1


def test_a_question_is_put_under_the_caps_with_which_it_was_kept(
    tmp_path: Path, claude_server: ClaudeServer, openai_server: OpenAIServer
) -> None:
    """A worker may take up what an earlier version has queued: that knows of no caps."""
    place = Place(str(tmp_path), "", claude_server.root, claude_server.key, openai_server.root)
    migrate_jobs(place.settings)
    parts = place.parts(jobs_engine(place.settings))
    with parts.caller.store as store:
        digest = store.put_prompt(
            Prompt("Review.", "A change.", "+ a line", SCHEMA, 1_000), at=datetime.now(UTC)
        )
        job = AskJob("review", "claude", 0, digest, 1, "acme/shop", 2, 3, "review")
        budget = Budget(per_pr_usd=Decimal("0.001")).model_dump(mode="json")
        capped = AskJob.from_dict({**replace(job, unit=1).as_dict(), "budget": budget})
        earlier = AskJob.from_dict({k: v for k, v in job.as_dict().items() if k != "budget"})

        for each in (capped, earlier):
            parts.caller.try_once(each, 1)

        outcomes = {
            each.unit: store.answers(each.question)[0].reply.outcome for each in (capped, earlier)
        }
    assert outcomes[1] is Outcome.OVER_BUDGET
    assert outcomes[0] is not Outcome.OVER_BUDGET
    assert len(claude_server.bill) == 1
    assert capped.budget["per_pr_usd"] == "0.001"

"""A question that two workers ask at once, as happens when one of them was taken for dead."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from durable_jobs import Place
from model_servers.claude import ClaudeServer
from model_servers.openai import OpenAIServer
from model_servers.server import Asked

from reviewbot.costs.calls import Call
from reviewbot.review.engine import Prompt
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

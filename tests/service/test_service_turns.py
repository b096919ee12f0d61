"""A large review and a small one behind it: the local model is shared in turns."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from durable_jobs import Place
from model_servers.claude import ClaudeServer
from model_servers.openai import OpenAIServer
from model_servers.server import Asked
from sqlalchemy import Engine

from reviewbot.config.policy import load_policy
from reviewbot.engines.openai_compatible import OpenAICompatibleEngine
from reviewbot.review.engine import Prompt, Reply
from reviewbot.service import worker
from reviewbot.service.dbos_setup import jobs_engine, migrate_jobs
from reviewbot.service.durable import Parts
from reviewbot.service.jobs import ReviewJob
from reviewbot.service.queue import DbosQueue
from reviewbot.service.workflows import review_id

#: Many questions about one change.
POLICY = load_policy("review: {passes: 5}\n")
ANSWER = '{"walkthrough": "Counts.", "findings": []}'


class OneAtATime(OpenAICompatibleEngine):
    """An engine that says how much it works on side by side."""

    at_once = 1

    def ask_in_turn(self, prompt: Prompt, *, timeout: float, begun: Callable[[], None]) -> Reply:
        begun()
        return self.ask(prompt, timeout=timeout)


@dataclass(frozen=True)
class SlowPlace(Place):
    """Where the local model takes turns, and is asked several times."""

    def parts(self, jobs_database: Engine) -> Parts:
        parts = super().parts(jobs_database)
        local: Any = parts.caller.asker.engines["local"]
        local.__class__ = OneAtATime
        return replace(parts, setup=lambda job: replace(parts.setup(job), policy=POLICY))


def job(number: int) -> ReviewJob:
    return ReviewJob(
        installation=11,
        repository="acme/shop",
        repository_id=22,
        number=number,
        head="a" * 40,
        base="0" * 40,
        request="auto",
    )


def test_a_second_review_does_not_wait_for_all_questions_of_the_first(
    tmp_path: Path, claude_server: ClaudeServer, openai_server: OpenAIServer
) -> None:
    place = SlowPlace(str(tmp_path), "", claude_server.root, claude_server.key, openai_server.root)
    order: list[str] = []
    go_on = threading.Event()

    def answered(asked: Asked) -> str:
        order.append("first" if "pages_101" in asked.user else "second")
        assert go_on.wait(60)
        return ANSWER

    openai_server.answering = answered
    engine, stop = jobs_engine(place.settings), threading.Event()
    migrate_jobs(place.settings)
    parts, queue = place.parts(engine), DbosQueue(engine)
    thread = threading.Thread(target=worker.work, args=(place.settings, engine, parts, stop))
    thread.start()

    def asked(number: int) -> int:
        name = f"ask:{review_id(job(number))}"
        return len(queue.client.list_workflows(workflow_id_prefix=name))

    def until(happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not happened():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    try:
        queue.enqueue_review(job(101))
        until(lambda: asked(101) == 5 and len(order) == 2)
        queue.enqueue_review(job(102))
        until(lambda: asked(102) == 5)
        waiting = list(order)
        go_on.set()
        until(lambda: len(place.host.posts()) == 2)
    finally:
        go_on.set()
        stop.set()
        thread.join()
        parts.caller.store.close()
        engine.dispose()

    assert waiting == ["first", "first"]  # one is worked on, one is at hand
    assert order[2:5].count("second") >= 2
    assert sorted(order) == ["first"] * 5 + ["second"] * 5

"""A local model asked several times in one durable review: each question is a job of its own."""

import json
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path

import durable_jobs
from durable_jobs import Place
from model_servers.claude import ClaudeServer
from model_servers.openai import OpenAIServer
from model_servers.server import Asked
from sqlalchemy import Engine

from reviewbot.config.policy import load_policy
from reviewbot.costs.calls import Call
from reviewbot.service.dbos_setup import jobs_engine, migrate_jobs
from reviewbot.service.durable import Parts
from reviewbot.service.jobs import ReviewJob
from reviewbot.service.queue import DbosQueue
from reviewbot.service.workflows import review_id
from reviewbot.store.jobs import open_job_store

POLICY = load_policy("""\
route:
  uncertain: ask
  rules:
    - {id: shop.pages, area: pages, why: Counts pages, weight: 2, added: ['total']}
review: {passes: 3, verify: true}
""")
#: A change that the rules leave in doubt.
JOB = ReviewJob(
    installation=11,
    repository="acme/shop",
    repository_id=22,
    number=101,
    head="a" * 40,
    base="0" * 40,
    request="auto",
)
FINDING = {
    "path": "shop/pages_101.py",
    "line": 2,
    "end_line": None,
    "quote": "    return total // size",
    "severity": "high",
    "category": "correctness",
    "title": "The last page is lost",
    "body": "Rounds down.",
    "suggestion": None,
    "confidence": 0.9,
}


class ThoughtfulPlace(Place):
    """Where everything is asked more than once."""

    def parts(self, jobs_database: Engine) -> Parts:
        parts = super().parts(jobs_database)
        return replace(parts, setup=lambda job: replace(parts.setup(job), policy=POLICY))


def answered(asked: Asked) -> str:
    if "The areas:" in asked.user:
        return '{"risky": false, "area": "none", "why": "Counts pages."}'
    if "Finding 1:" in asked.user:
        return '{"verdicts": [{"finding": 1, "verdict": "real"}]}'
    return json.dumps({"walkthrough": "Counts.", "findings": [FINDING]})


def until(done: Callable[[], bool], process: BaseProcess, place: Place) -> None:
    deadline = time.monotonic() + 60
    while not done():
        alive = process.is_alive() and time.monotonic() < deadline
        assert alive, "\n".join(path.read_text() for path in Path(place.folder).glob("*.log"))
        time.sleep(0.05)


def test_a_crash_between_the_questions_buys_none_of_them_twice(
    tmp_path: Path, claude_server: ClaudeServer, openai_server: OpenAIServer
) -> None:
    place = ThoughtfulPlace(
        str(tmp_path), "", claude_server.root, claude_server.key, openai_server.root
    )
    openai_server.answering = answered
    context, engine = multiprocessing.get_context("spawn"), jobs_engine(place.settings)
    migrate_jobs(place.settings)
    queue, host = DbosQueue(engine), place.host
    hold = place.holds.folder / str(JOB.number)
    hold.write_text("after the answer")  # to the first question, about the route
    queue.enqueue_review(JOB)

    first = context.Process(target=durable_jobs.run, args=(place, f"{tmp_path}/1.log"))
    first.start()
    until(hold.with_suffix(".reached").exists, first, place)
    first.kill()
    first.join()
    hold.unlink()
    second = context.Process(target=durable_jobs.run, args=(place, f"{tmp_path}/2.log"))
    second.start()
    until(lambda: len(host.posts()) == 1, second, place)
    second.terminate()
    second.join()

    name = review_id(JOB)
    with open_job_store(place.settings.database) as store:
        calls = [call for call in store.calls(review_id=name) if isinstance(call, Call)]
        review = store.review(name)
    asks = queue.client.list_workflows(workflow_id_prefix=f"ask:{name}")
    engine.dispose()
    assert Counter(call.start.purpose for call in calls) == {"route": 1, "review": 3, "verify": 1}
    assert len(asks) == len({ask.workflow_id for ask in asks}) == 5
    assert len(openai_server.bill) == 5
    assert claude_server.bill == []
    assert sorted(host.posts()[0]["calls"]) == sorted(call.id for call in calls)
    assert review is not None
    assert [f["passes"] for f in review.result["findings"]] == [[3, 3]]

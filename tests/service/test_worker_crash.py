"""`kill -9` of a real worker with a job at each boundary of its steps: nothing lost, nothing twice."""

import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path

import durable_jobs
import pytest
from databases import new_database
from durable_jobs import Place
from model_servers.claude import ClaudeServer
from model_servers.openai import OpenAIServer
from model_servers.server import Asked

from reviewbot.costs.calls import Call, CallStart
from reviewbot.service.dbos_setup import jobs_engine, migrate_jobs
from reviewbot.service.jobs import ReportJob, ReviewJob, job_id
from reviewbot.service.queue import DbosQueue
from reviewbot.service.workflows import MAX_ATTEMPTS, review_id
from reviewbot.store.feedback import open_feedback_store
from reviewbot.store.jobs import open_job_store

POINTS = {
    1: "before ask",
    2: "in mid-call",
    3: "after the answer",
    4: "before publish",
    5: "after publish",
    6: "before ask",
}
POISON = 6


@pytest.fixture(params=["sqlite", "postgresql"])
def place(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    claude_server: ClaudeServer,
    openai_server: OpenAIServer,
) -> Place:
    url = ""
    if request.param == "postgresql":
        url = new_database(request.getfixturevalue("postgresql_server"))
    return Place(str(tmp_path), url, claude_server.root, claude_server.key, openai_server.root)


@pytest.fixture
def start_worker(processes: ForkServerContext, place: Place) -> Iterator[Callable[[], BaseProcess]]:
    started: list[BaseProcess] = []

    def start() -> BaseProcess:
        log = f"{place.folder}/worker{len(started)}.log"
        started.append(processes.Process(target=durable_jobs.run, args=(place, log)))
        started[-1].start()
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.join()


def until(done: Callable[[], bool], process: BaseProcess, place: Place) -> None:
    """Wait for what a worker does; its log is the failure's message."""
    deadline = time.monotonic() + 30
    while not done():
        alive = process.is_alive() and time.monotonic() < deadline
        assert alive, "\n".join(path.read_text() for path in Path(place.folder).glob("*.log"))
        time.sleep(0.05)


def test_a_killed_worker_goes_on_where_it_was(
    place: Place,
    start_worker: Callable[[], BaseProcess],
    claude_server: ClaudeServer,
) -> None:
    jobs = {number: job_for(number) for number in POINTS}
    claude_server.answering = one_finding
    engine = jobs_engine(place.settings)
    migrate_jobs(place.settings)
    queue, host = DbosQueue(engine), place.host
    store = open_job_store(place.settings.database)
    for number, point in POINTS.items():
        (place.holds.folder / str(number)).write_text(point)
    for _ in range(MAX_ATTEMPTS - 1):
        store.begin_attempt(job_id(jobs[POISON]))
    for job in jobs.values():
        queue.enqueue_review(job)

    first = start_worker()
    reached = [place.holds.folder / f"{number}.reached" for number in POINTS]
    until(lambda: all(path.exists() for path in reached), first, place)
    first.kill()
    first.join()
    for number in POINTS:
        (place.holds.folder / str(number)).unlink()
    second = start_worker()
    until(lambda: len(host.posts()) == len(POINTS), second, place)
    statuses = lambda: {w.status for w in queue.client.list_workflows()}  # noqa: E731
    until(lambda: statuses() == {"SUCCESS"}, second, place)
    second.terminate()

    second.join(timeout=30)
    assert second.exitcode == 0
    assert store.beats()[1:] == ()  # only the killed one, if it had a name of its own, is left
    posts = {post["number"]: post for post in host.posts()}
    assert sorted(posts) == sorted(POINTS)
    assert "ended 5 times" in posts.pop(POISON)["failed"]
    for number, post in posts.items():
        name = review_id(jobs[number])
        calls = store.calls(review_id=name)
        settled = [call for call in calls if isinstance(call, Call)]
        lost = [call for call in calls if isinstance(call, CallStart)]
        assert post["review"] == name
        assert post["calls"] == [call.id for call in settled]
        assert (len(settled), len(lost)) == (1, 1 if POINTS[number] == "in mid-call" else 0)
        assert store.review(name) is not None
    assert len(claude_server.bill) == len(posts) + 1  # the call that was killed in its middle
    with open_feedback_store(place.settings.database) as feedback:
        rows = feedback.posted_findings(
            since=datetime(2020, 1, 1, tzinfo=UTC), until=datetime(2100, 1, 1, tzinfo=UTC)
        )
    assert sorted(row.number for row in rows) == sorted(posts)
    assert {(row.engine, row.model, row.tier) for row in rows} == {
        ("claude", "claude-opus-5-5", "claude")
    }
    store.close()
    engine.dispose()


def test_a_report_whose_worker_is_killed_is_posted_once(
    place: Place, start_worker: Callable[[], BaseProcess]
) -> None:
    job = ReportJob(month="2026-11", repository="acme/shop", installation=11, repository_id=701)
    engine = jobs_engine(place.settings)
    migrate_jobs(place.settings)
    queue, host = DbosQueue(engine), place.host
    (place.holds.folder / "701").write_text("before the report")
    name = queue.enqueue_report(job)

    first = start_worker()
    until((place.holds.folder / "701.reached").exists, first, place)
    first.kill()
    first.join()
    (place.holds.folder / "701").unlink()
    second = start_worker()
    done = lambda: {w.workflow_id: w.status for w in queue.client.list_workflows()}  # noqa: E731
    until(lambda: done() == {name: "SUCCESS"}, second, place)

    assert (host.folder / "reports" / "701.2026-11").read_text() == "posted\n"
    engine.dispose()


def one_finding(asked: Asked) -> str:
    [path] = set(re.findall(r"shop/auth/login_\d+\.py", asked.user))
    finding = {
        "path": path, "line": 2, "end_line": None,
        "quote": "    return user.digest == digest(password)", "severity": "critical",
        "category": "security", "title": "Timing leaks the digest", "body": "Compare at once.",
        "confidence": 0.9, "suggestion": None,
    }  # fmt: skip
    return json.dumps({"walkthrough": "Simplifies.", "findings": [finding]})


def job_for(number: int) -> ReviewJob:
    return ReviewJob(
        installation=11,
        repository="acme/shop",
        repository_id=22,
        number=number,
        head=f"{number:040x}",
        base="b" * 40,
        request="auto",
    )

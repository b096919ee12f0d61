"""A durable review under a cap, killed amid a call that is paid for: reserved once, decided once."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path

import durable_jobs
import pytest
from databases import new_database
from durable_jobs import Place
from model_servers.claude import ClaudeServer
from model_servers.openai import OpenAIServer
from sqlalchemy import Engine

from reviewbot import asking
from reviewbot.config.policy import load_policy
from reviewbot.costs.budget import Payer
from reviewbot.costs.calls import Call, CallStart
from reviewbot.review.engine import Outcome
from reviewbot.service.dbos_setup import jobs_engine, migrate_jobs
from reviewbot.service.durable import Parts
from reviewbot.service.jobs import ReviewJob
from reviewbot.service.queue import DbosQueue
from reviewbot.service.workflows import review_id
from reviewbot.store.jobs import open_job_store

#: More than a question to Claude reserves here, less than two of them.
CAP = Decimal("0.15")
JOB = ReviewJob(
    installation=11,
    repository="acme/shop",
    repository_id=22,
    number=1,
    head="a" * 40,
    base="0" * 40,
    request="auto",
)


@dataclass(frozen=True)
class CappedPlace(Place):
    """Where a pull request may spend so much."""

    cap: str = ""
    when_exhausted: str = "local"

    def parts(self, jobs_database: Engine) -> Parts:
        asking.LATER = (0.1, 0.1, 0.1)  # a dead call's reserve never shrinks
        parts = super().parts(jobs_database)
        budget = f"{{per_pr_usd: {self.cap}, when_exhausted: {self.when_exhausted}}}"
        policy = load_policy(f"budget: {budget}\n")
        return replace(parts, setup=lambda job: replace(parts.setup(job), policy=policy))


@pytest.fixture(params=["sqlite", "postgresql"])
def place(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    claude_server: ClaudeServer,
    openai_server: OpenAIServer,
) -> CappedPlace:
    url = ""
    if request.param == "postgresql":
        url = new_database(request.getfixturevalue("postgresql_server"))
    return CappedPlace(
        str(tmp_path), url, claude_server.root, claude_server.key, openai_server.root
    )


def until(done: Callable[[], bool], process: BaseProcess, place: Place) -> None:
    deadline = time.monotonic() + 60
    while not done():
        alive = process.is_alive() and time.monotonic() < deadline
        assert alive, "\n".join(path.read_text() for path in Path(place.folder).glob("*.log"))
        time.sleep(0.05)


def killed_and_started_again(processes: ForkServerContext, place: CappedPlace, point: str) -> None:
    """One review whose worker is killed at `point`, and a second worker that ends it."""
    engine = jobs_engine(place.settings)
    migrate_jobs(place.settings)
    queue, host = DbosQueue(engine), place.host
    hold = place.holds.folder / str(JOB.number)
    hold.write_text(point)
    queue.enqueue_review(JOB)
    first = processes.Process(target=durable_jobs.run, args=(place, f"{place.folder}/1.log"))
    first.start()
    until(hold.with_suffix(".reached").exists, first, place)
    first.kill()
    first.join()
    hold.unlink()
    second = processes.Process(target=durable_jobs.run, args=(place, f"{place.folder}/2.log"))
    second.start()
    until(lambda: len(host.posts()) == 1, second, place)
    second.terminate()
    second.join()
    engine.dispose()


def test_a_call_that_died_keeps_its_reserve_and_what_no_longer_fits_is_read_here(
    processes: ForkServerContext, place: CappedPlace, claude_server: ClaudeServer
) -> None:
    killed_and_started_again(processes, replace(place, cap=str(CAP)), "in mid-call")

    with open_job_store(place.settings.database) as store:
        calls = store.calls(review_id=review_id(JOB))
        review = store.review(review_id(JOB))
        [pull, *_] = store.spending(Payer("acme/shop", 22, 1), datetime.now(UTC)).accounts
    [died] = [call for call in calls if isinstance(call, CallStart)]
    ended = [call for call in calls if isinstance(call, Call)]
    assert len(claude_server.bill) == 1, "it was billed; a second one might have passed the cap"
    assert [call.engine for call in ended if call.outcome is Outcome.ANSWERED] == ["openai"]
    assert {call.outcome for call in ended if call.engine == "claude"} == {Outcome.OVER_BUDGET}
    assert pull.used_usd == died.reserved_usd <= CAP < 2 * died.reserved_usd
    assert review is not None
    assert review.result["coverage"][0]["reason"].startswith("risky, budget used up")


@pytest.mark.parametrize("point", ["after the answer", "before publish"])
def test_a_review_that_was_decided_before_the_crash_is_decided_alike_after_it(
    processes: ForkServerContext, place: CappedPlace, claude_server: ClaudeServer, point: str
) -> None:
    """What is left covers no second question, and none is asked."""
    killed_and_started_again(processes, replace(place, cap=str(CAP), when_exhausted="hold"), point)

    with open_job_store(place.settings.database) as store:
        [call] = store.calls(review_id=review_id(JOB))
        review = store.review(review_id(JOB))
        [pull, *_] = store.spending(Payer("acme/shop", 22, 1), datetime.now(UTC)).accounts
    assert isinstance(call, Call)
    assert call.outcome is Outcome.ANSWERED
    assert len(claude_server.bill) == 1
    assert (pull.reserved_usd, pull.external_usd, pull.calls) == (0, call.usd, 1)
    assert review is not None
    assert review.result["held"] == ""
    [shown, *_] = review.result["spending"]["accounts"]
    assert (shown["external_usd"], shown["cap_usd"]) == (str(call.usd.normalize()), str(CAP))


def test_a_held_review_that_is_begun_again_after_a_crash_stays_held(
    processes: ForkServerContext, place: CappedPlace, claude_server: ClaudeServer
) -> None:
    killed_and_started_again(
        processes, replace(place, cap="0.001", when_exhausted="hold"), "before publish"
    )

    with open_job_store(place.settings.database) as store:
        review = store.review(review_id(JOB))
        calls = store.calls(review_id=review_id(JOB))
    assert review is not None
    assert review.result["held"] == "this pull request may spend $0.001"
    assert (calls, claude_server.asked) == ([], [])

"""Durable jobs in a worker of this process: each ends once, in order, and visibly."""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from dbos import DBOS
from durable_jobs import FileHost, Holds, Place
from hurried import POLL_SECONDS
from model_servers.behaviours import Answer, Fail
from model_servers.claude import ClaudeServer
from model_servers.openai import OpenAIServer
from sqlalchemy import Engine

from reviewbot.costs.calls import Call
from reviewbot.review.engine import Outcome
from reviewbot.service import dbos_setup, worker
from reviewbot.service.dbos_setup import jobs_engine, migrate_jobs
from reviewbot.service.jobs import CommandJob, FeedbackJob, ReportJob, ReviewJob, job_id
from reviewbot.service.queue import DbosQueue
from reviewbot.service.workflows import MAX_ATTEMPTS, review_id
from reviewbot.store.engine import StoreBusy
from reviewbot.store.jobs import JobStore, open_job_store
from reviewbot.store.ledger import Store

_numbers = count(1)


@dataclass(frozen=True)
class Service:
    """A worker that runs, and what a test needs of it."""

    queue: DbosQueue
    host: FileHost
    store: JobStore
    claude: ClaudeServer
    local: OpenAIServer
    engine: Engine

    def result(self, name: str) -> dict[str, Any]:
        """What the job came to."""
        handle: Any = self.queue.client.retrieve_workflow(name)
        found: dict[str, Any] = handle.get_result(polling_interval_sec=0.05)
        return found

    def status(self, name: str) -> str:
        handle: Any = self.queue.client.retrieve_workflow(name)
        return str(handle.get_status().status)

    def posts(self, number: int) -> list[dict[str, Any]]:
        return [post for post in self.host.posts() if post["number"] == number]

    def head(self, number: int, head: str) -> None:
        """What the pull request's newest head is, or that it is `closed`."""
        Path(self.host.folder, "heads", str(number)).write_text(head)

    def hold(self, job: ReviewJob) -> Callable[[], None]:
        """Start a job that stays in the middle of its way, until the returned function is called."""
        reached, release = _held[job.number] = (threading.Event(), threading.Event())
        self.queue.enqueue_review(job)
        assert reached.wait(20)
        return release.set


_held: dict[int, tuple[threading.Event, threading.Event]] = {}


class HeldHere(Holds):
    """Holds of this process, by an event."""

    def at(self, point: str, number: int) -> None:
        if point == "before ask" and number in _held:
            reached, release = _held[number]
            reached.set()
            release.wait(20)


class PlaceHere(Place):
    @property
    def holds(self) -> Holds:
        return HeldHere(Path(self.folder, "hold"))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """One worker for all tests of a kind of database."""
    url = ""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql_server")
        name = f"jobs_{uuid.uuid4().hex[:8]}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        url = server.replace("/postgres?", f"/{name}?")
    folder = str(tmp_path_factory.mktemp("jobs"))
    with pytest.MonkeyPatch.context() as patch, ClaudeServer() as claude, OpenAIServer() as local:
        patch.setattr(dbos_setup, "POLL_SECONDS", dbos_setup.POLL_SECONDS | POLL_SECONDS)
        place = PlaceHere(folder, url, claude.root, claude.key, local.root)
        engine = jobs_engine(place.settings)
        migrate_jobs(place.settings)
        parts, stop = place.parts(engine), threading.Event()
        thread = threading.Thread(target=worker.work, args=(place.settings, engine, parts, stop))
        thread.start()
        queue = DbosQueue(engine)
        store = open_job_store(place.settings.database)
        yield Service(queue, place.host, store, claude, local, engine)
        stop.set()
        thread.join()
        assert claude.problems == local.problems == []
        parts.caller.store.close()
        store.close()
        engine.dispose()


@pytest.fixture
def job() -> ReviewJob:
    """A review of a pull request of its own, that Claude does."""
    return new_job(next(_numbers))


@pytest.fixture
def plain_job() -> ReviewJob:
    """One that the local model does."""
    return new_job(100 + next(_numbers))


def new_job(number: int, head: str = "a") -> ReviewJob:
    return ReviewJob(
        installation=11,
        repository="acme/shop",
        repository_id=22,
        number=number,
        head=head * 40,
        base="0" * 40,
        request="auto",
    )


def feedback_on(job: ReviewJob) -> FeedbackJob:
    """The pull request was closed."""
    return FeedbackJob(
        installation=job.installation,
        repository=job.repository,
        repository_id=job.repository_id,
        number=job.number,
        event="pull",
        key="ab12",
    )


def test_a_job_twice_is_one_review(service: Service, job: ReviewJob) -> None:
    first = service.queue.enqueue_review(job)
    again = service.queue.enqueue_review(job)
    outcome = service.result(first)
    after = service.queue.enqueue_review(job)

    assert first == again == after == job_id(job)
    assert outcome["outcome"] == "reviewed"
    assert service.result(after) == outcome
    [post] = service.posts(job.number)
    [call] = service.store.calls(review_id=outcome["review"])
    assert post["calls"] == [call.id]
    assert outcome["review"] == review_id(job)


def test_the_local_model_has_a_queue_of_its_own(service: Service, plain_job: ReviewJob) -> None:
    outcome = service.result(service.queue.enqueue_review(plain_job))

    [call] = service.store.calls(review_id=outcome["review"])
    assert isinstance(call, Call)
    assert (call.provider, call.start.installation) == (None, 11)
    [ask] = service.queue.client.list_workflows(workflow_id_prefix=f"ask:{outcome['review']}")
    assert ask.queue_name == "gpu"


def test_reviews_of_one_pull_request_run_one_after_another(
    service: Service, job: ReviewJob
) -> None:
    release = service.hold(job)
    asked = replace(job, request="comment:1")
    other = new_job(next(_numbers))
    service.queue.enqueue_review(asked)

    service.result(service.queue.enqueue_review(other))  # another one overtakes
    waiting = service.status(job_id(asked))
    release()
    service.result(job_id(asked))

    assert waiting == "ENQUEUED"
    reviews = [post["review"] for post in service.posts(job.number)]
    assert reviews == [review_id(job), review_id(asked)]


def test_only_the_newest_of_the_heads_that_wait_is_reviewed(
    service: Service, job: ReviewJob
) -> None:
    release = service.hold(job)
    second, third = (replace(job, head=letter * 40) for letter in "cd")
    for following in (second, third):
        service.queue.enqueue_review(following)
    service.head(job.number, third.head)
    release()

    assert service.result(job_id(third))["outcome"] == "reviewed"
    assert service.result(job_id(second)) == {"outcome": "superseded"}
    assert [post["head"] for post in service.posts(job.number)] == [third.head]


def test_a_push_that_is_taken_back_is_reviewed_after_all(service: Service, job: ReviewJob) -> None:
    pushed = replace(job, head="c" * 40)
    service.head(job.number, pushed.head)
    came_late = service.result(service.queue.enqueue_review(job))
    service.result(job_id(pushed))
    service.head(job.number, job.head)

    service.queue.enqueue_review(job)

    assert came_late == {"outcome": "superseded"}
    assert service.result(job_id(job))["outcome"] == "reviewed"
    assert [post["head"] for post in service.posts(job.number)] == [pushed.head, job.head]


def test_a_head_that_is_back_after_another_one_is_a_new_job(
    service: Service, job: ReviewJob
) -> None:
    pushed = replace(job, head="c" * 40)
    service.result(service.queue.enqueue_review(job))
    again = service.queue.enqueue_review(job)
    for each in (pushed, job, pushed):
        service.head(job.number, each.head)
        names = [service.queue.enqueue_review(each) for _ in range(3)]
        assert len(set(names)) == 1
        service.result(names[0])
        assert service.queue.enqueue_review(each) == job_id(each), "it is what is shown"

    late = service.result(service.queue.enqueue_review(job))

    assert again == job_id(job)
    heads = [job.head, pushed.head, job.head, pushed.head]
    assert [post["head"] for post in service.posts(job.number)] == heads
    assert late["outcome"] == "superseded", "the delivery of an old head is no push"


def test_a_pull_request_that_is_reopened_is_reviewed(service: Service, job: ReviewJob) -> None:
    service.head(job.number, "closed")
    closed = service.result(service.queue.enqueue_review(job))
    service.head(job.number, job.head)

    service.queue.enqueue_review(job)
    service.queue.enqueue_review(job)

    assert closed == {"outcome": "superseded"}
    assert service.result(job_id(job))["outcome"] == "reviewed"
    assert len(service.posts(job.number)) == 1


def test_what_people_make_of_a_review_waits_for_the_review(
    service: Service, job: ReviewJob
) -> None:
    release = service.hold(job)
    name = service.queue.enqueue_feedback(feedback_on(job))
    waiting = service.status(name)
    release()

    assert waiting == "ENQUEUED"
    assert service.result(name) == {"outcome": "done", "written": 1}


def report_on(repository_id: int) -> ReportJob:
    return ReportJob(
        month="2026-11", repository="acme/shop", installation=11, repository_id=repository_id
    )


def test_a_report_that_several_workers_ask_for_is_posted_once(service: Service) -> None:
    others = [DbosQueue(service.engine) for _ in range(3)]
    names = {queue.enqueue_report(report_on(701)) for queue in others}
    done = service.result(*names)

    service.queue.enqueue_report(report_on(701))

    assert done == {"outcome": "done", "issue": 701}
    assert Path(service.host.folder, "reports", "701.2026-11").read_text() == "posted\n"


def test_a_refused_report_is_not_tried_again_by_itself(service: Service) -> None:
    bug = Path(service.host.folder, "bugs", "702.report")
    bug.write_text("issues are switched off")
    name = service.queue.enqueue_report(report_on(702))
    failed = service.result(name)
    bug.unlink()

    again = service.result(service.queue.enqueue_report(report_on(702)))

    assert again == failed == {"outcome": "failed", "reason": "issues are switched off"}
    assert not Path(service.host.folder, "reports", "702.2026-11").exists()


def test_feedback_that_could_not_be_read_is_read_when_it_is_delivered_again(
    service: Service, job: ReviewJob
) -> None:
    bug = Path(service.host.folder, "bugs", f"{job.number}.feedback")
    bug.write_text("there is no such pull request")
    failed = service.result(service.queue.enqueue_feedback(feedback_on(job)))
    bug.unlink()

    again = service.result(service.queue.enqueue_feedback(feedback_on(job)))
    service.result(service.queue.enqueue_review(job))
    no_more = service.result(service.queue.enqueue_feedback(feedback_on(job)))

    assert failed == {"outcome": "failed", "reason": "there is no such pull request"}
    assert again == {"outcome": "done", "written": 0}
    assert no_more == again, "what is done is not done again"


def test_a_head_that_is_no_longer_the_newest_is_not_posted(
    service: Service, job: ReviewJob
) -> None:
    release = service.hold(job)
    service.head(job.number, "e" * 40)
    release()

    assert service.result(job_id(job))["outcome"] == "superseded"
    newer = service.result(job_id(replace(job, head="e" * 40)))  # its delivery never came
    assert [post["head"] for post in service.posts(job.number)] == ["e" * 40]
    assert newer["outcome"] == "reviewed"


def test_deliveries_in_the_wrong_order_lose_nothing(service: Service, job: ReviewJob) -> None:
    release = service.hold(job)
    newest, older = replace(job, head="f" * 40), replace(job, head="c" * 40)
    service.head(job.number, newest.head)
    service.queue.enqueue_review(newest)
    service.queue.enqueue_review(older)
    release()

    assert service.result(job_id(newest))["outcome"] == "reviewed"
    assert service.result(job_id(older)) == {"outcome": "superseded"}
    assert [post["head"] for post in service.posts(job.number)] == [newest.head]


def test_a_closed_pull_request_is_left_alone(service: Service, job: ReviewJob) -> None:
    release = service.hold(job)
    waiting = [replace(job, request=f"comment:{n}") for n in (3, 4)]
    for asked in waiting:
        service.queue.enqueue_review(asked)
    service.head(job.number, "closed")

    release()

    ends = [service.result(job_id(each))["outcome"] for each in (job, *waiting)]
    assert ends == ["superseded"] * 3
    assert service.posts(job.number) == []


def test_a_rate_limit_is_slept_out_and_the_answer_bought_once(
    service: Service, job: ReviewJob
) -> None:
    service.claude.play(Fail(429, headers={"retry-after": "1"}))

    outcome = service.result(service.queue.enqueue_review(job))

    calls = service.store.calls(review_id=outcome["review"])
    assert [call.outcome for call in calls if isinstance(call, Call)] == [
        "rate_limited",
        "answered",
    ]
    [ask] = service.queue.client.list_workflows(workflow_id_prefix=f"ask:{outcome['review']}")
    steps = service.queue.client.list_workflow_steps(ask.workflow_id)
    assert [step["function_name"] for step in steps] == ["call", "DBOS.sleep", "call"]
    assert outcome["outcome"] == "reviewed"


def test_an_answer_that_cannot_be_read_is_asked_for_once_more(
    service: Service, job: ReviewJob
) -> None:
    """As at a terminal: such a try is worth another at once."""
    service.claude.play(Answer("Looks good to me!"))

    outcome = service.result(service.queue.enqueue_review(job))

    calls = service.store.calls(review_id=outcome["review"])
    outcomes = [call.outcome for call in calls if isinstance(call, Call)]
    assert outcomes == [Outcome.MALFORMED, Outcome.ANSWERED]
    assert [post["review"] for post in service.posts(job.number)] == [outcome["review"]]


def test_a_job_that_keeps_crashing_the_worker_is_given_up_and_told(
    service: Service, job: ReviewJob
) -> None:
    for _ in range(MAX_ATTEMPTS):
        service.store.begin_attempt(job_id(job))

    outcome = service.result(service.queue.enqueue_review(job))

    assert (outcome["outcome"], outcome["review"]) == ("failed", review_id(job))
    [post] = service.posts(job.number)
    assert "ended 5 times" in post["failed"]
    assert service.store.calls(review_id=review_id(job)) == []


def test_a_bug_is_told_without_what_it_holds(service: Service, job: ReviewJob) -> None:
    Path(service.host.folder, "bugs", str(job.number)).write_text("a secret")

    outcome = service.result(service.queue.enqueue_review(job))

    [post] = service.posts(job.number)
    assert (outcome["outcome"], post["review"]) == ("failed", review_id(job))
    assert post["failed"] == "an error inside reviewbot"


def test_a_denied_key_is_told(service: Service, job: ReviewJob) -> None:
    service.claude.play(Fail(401, message="invalid x-api-key"))

    outcome = service.result(service.queue.enqueue_review(job))

    assert outcome["outcome"] == "failed"
    assert "claude" in service.posts(job.number)[0]["failed"]


def test_a_command_runs_once(service: Service) -> None:
    command = CommandJob(
        installation=11,
        repository="acme/shop",
        repository_id=22,
        number=1,
        comment_id=next(_numbers),
        kind="issue_comment",
        author="ada",
        command="why",
    )

    first = service.queue.enqueue_command(command)
    again = service.queue.enqueue_command(command)

    assert first == again
    assert service.result(first) == {"outcome": "done", "did": "why"}


def test_the_worker_is_seen(service: Service) -> None:
    [beat] = service.store.beats()

    assert beat.executor == "local" or service.engine.dialect.name == "postgresql"


def test_claude_is_asked_no_more_than_so_often(service: Service) -> None:
    queue = DBOS.retrieve_queue("claude")

    assert queue is not None
    assert queue.limiter == {"limit": 200, "period": 60}


def test_a_database_that_is_away_for_a_moment_costs_nothing(
    service: Service, job: ReviewJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = iter(range(40))
    writing = Store._writing

    @contextmanager
    def hiccup(store: Store) -> Iterator[Any]:
        if next(away, 1) % 2 == 0:
            raise StoreBusy("the database can't be used")
        with writing(store) as connection:
            yield connection

    monkeypatch.setattr(Store, "_writing", hiccup)
    monkeypatch.setattr("reviewbot.store.patience.WAITS", (0.0, 0.0, 0.0))

    before = len(service.claude.bill)

    outcome = service.result(service.queue.enqueue_review(job))

    assert outcome["outcome"] == "reviewed"
    [call] = service.store.calls(review_id=outcome["review"])
    assert isinstance(call, Call)
    assert len(service.claude.bill) == before + 1

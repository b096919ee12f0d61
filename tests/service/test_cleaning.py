"""What is old goes, in the real tables; what running jobs need stays, and the rest is bounded."""

import random
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from databases import new_database
from sqlalchemy import Engine, text

from reviewbot.config.settings import Settings
from reviewbot.review.engine import Prompt
from reviewbot.service.cleaning import CLEAN, Cleaning
from reviewbot.service.dbos_setup import jobs_engine, migrate_jobs
from reviewbot.service.jobs import ReviewJob, job_id
from reviewbot.service.queue import DbosQueue
from reviewbot.service.upkeep import Chore, Done, Upkeep
from reviewbot.service.workflows import review_id
from reviewbot.store.cleaning import CleaningStore, open_cleaning_store
from reviewbot.store.jobs import JobStore, open_job_store

JOB = ReviewJob(
    installation=1,
    repository="acme/shop",
    repository_id=2,
    number=1,
    head="a" * 40,
    base="b" * 40,
    request="auto",
)
PROMPT = Prompt("Review.", "x" * 20_000, "+ a line", {"type": "object"}, 1_000)
OLD = timedelta(days=8)


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    url = ""
    if request.param == "postgresql":
        url = new_database(request.getfixturevalue("postgresql_server"))
    made = Settings(data_dir=tmp_path / "data", database_url=url)
    migrate_jobs(made)
    return made


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    engine = jobs_engine(settings)
    yield engine
    engine.dispose()


@pytest.fixture
def queue(engine: Engine) -> Iterator[DbosQueue]:
    made = DbosQueue(engine)
    yield made
    made.client.destroy()


@pytest.fixture
def store(settings: Settings) -> Iterator[JobStore]:
    with open_job_store(settings.database) as opened:
        yield opened


@pytest.fixture
def cleaning(settings: Settings) -> Iterator[CleaningStore]:
    with open_cleaning_store(settings.database) as opened:
        yield opened


def test_what_a_running_job_needs_stays_and_goes_when_it_has_ended(
    engine: Engine, queue: DbosQueue, store: JobStore, cleaning: CleaningStore
) -> None:
    """Two reviews asked the same prompt; one of them still waits."""
    waiting, ended = JOB, replace(JOB, number=2)
    digest = asked(store, waiting, PROMPT)
    asked(store, ended, PROMPT)
    alone = asked(store, ended, replace(PROMPT, unit="+ another"))
    enqueue(queue, engine, waiting)
    enqueue(queue, engine, ended, over=True)
    store.begin_attempt(job_id(ended))

    first = clean(queue, cleaning)
    kept = [store.prompt(digest), store.prompt(alone)]
    queue.client.cancel_workflow(job_id(waiting))
    clean(queue, cleaning)

    assert kept == [PROMPT, None]
    assert first == Done(2, complete=True), "a prompt and a job"
    assert store.prompt(digest) is None
    assert store.attempts(job_id(ended)) == 0
    assert queue.client.list_workflows() == []


def test_without_retention_texts_go_with_their_job_but_the_job_is_known_while_it_may_come_again(
    engine: Engine, queue: DbosQueue, store: JobStore, cleaning: CleaningStore
) -> None:
    digest = asked(store, JOB, PROMPT, ago=timedelta(minutes=5))
    enqueue(queue, engine, JOB, ago=timedelta(days=2))

    clean(queue, cleaning, days=0)
    running = store.prompt(digest)
    queue.client.cancel_workflow(job_id(JOB))
    clean(queue, cleaning, days=0)

    assert running == PROMPT
    assert store.prompt(digest) is None
    assert [job.workflow_id for job in queue.client.list_workflows()] == [job_id(JOB)]


def test_a_prompt_that_is_asked_again_is_new(
    engine: Engine, queue: DbosQueue, store: JobStore, cleaning: CleaningStore
) -> None:
    digest = asked(store, JOB, PROMPT)
    asked(store, replace(JOB, number=3), PROMPT, ago=timedelta())

    clean(queue, cleaning)

    assert store.prompt(digest) == PROMPT


def test_weeks_of_reviews_take_no_more_room_than_the_first(
    settings: Settings,
    engine: Engine,
    queue: DbosQueue,
    store: JobStore,
    cleaning: CleaningStore,
) -> None:
    """Each week 40 reviews with a prompt of 20 kB each; the week before is cleaned away."""
    sizes = []
    for week in range(5):
        for n in range(1, 41):
            job = replace(JOB, number=1 + n + 100 * week)
            unlike = random.Random(job.number).randbytes(10_000).hex()
            asked(store, job, replace(PROMPT, shared=unlike))
            enqueue(queue, engine, job, over=True)
        sizes.append(pages(settings, engine, store))
        done = clean(queue, cleaning)
        assert done == Done(80, complete=True)

    print(f"bytes by week: {sizes}")  # noqa: T201 - the figure that docs/operating.md states
    assert sizes[1] > 40 * 20_000
    assert max(sizes[2:]) < 1.3 * sizes[1]


def asked(store: JobStore, job: ReviewJob, prompt: Prompt, *, ago: timedelta = OLD) -> str:
    return store.put_prompt(prompt, at=datetime.now(UTC) - ago, review_id=review_id(job))


def enqueue(
    queue: DbosQueue, engine: Engine, job: ReviewJob, *, ago: timedelta = OLD, over: bool = False
) -> None:
    """A job that came a while ago; `over`: and has ended."""
    name = queue.enqueue_review(job)
    schema = "reviewbot_jobs." if engine.dialect.name == "postgresql" else ""
    then = int((datetime.now(UTC) - ago).timestamp() * 1000)
    age = text(f"UPDATE {schema}workflow_status SET created_at = :at WHERE workflow_uuid = :name")
    with engine.begin() as connection:
        connection.execute(age, {"at": then, "name": name})
    if over:
        queue.client.cancel_workflow(name)


def clean(queue: DbosQueue, store: CleaningStore, *, days: int = 7) -> Done | None:
    work = Cleaning(queue.client, store, days).work
    chore = Chore(CLEAN, timedelta(days=1), work, at_start=True)
    return Upkeep(store, (chore,)).turn(chore, "worker", threading.Event())


def pages(settings: Settings, engine: Engine, store: JobStore) -> int:
    """Bytes of both databases; PostgreSQL's after the vacuum that it does by itself in time."""
    if engine.dialect.name == "sqlite":
        return sum(path.stat().st_size for path in settings.data_dir.glob("*.db"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM"))
        tables = "('prompts', 'prompt_uses', 'answers', 'workflow_status')"
        size = f"SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relname IN {tables}"
        return int(connection.execute(text(size)).scalar_one())

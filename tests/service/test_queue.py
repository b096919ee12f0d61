"""The queue as a listener uses it: durable or refused, never in a form that no worker takes up."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from reviewbot.config.settings import Settings
from reviewbot.service.dbos_setup import jobs_engine, migrate_jobs
from reviewbot.service.jobs import (
    CommandJob,
    FeedbackJob,
    QueueDepth,
    QueueUnavailable,
    ReviewJob,
    job_id,
    partition,
)
from reviewbot.service.queue import DbosQueue


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    engine = jobs_engine(settings)
    yield engine
    engine.dispose()


@pytest.fixture
def job() -> ReviewJob:
    return ReviewJob(
        installation=11,
        repository="acme/shop",
        repository_id=22,
        number=7,
        head="a" * 40,
        base="b" * 40,
        request="auto",
    )


@pytest.mark.parametrize("request_", ["auto", "draft", "comment:5", "check:1:ab", "sweep:1"])
def test_every_review_has_its_partition(
    settings: Settings, engine: Engine, job: ReviewJob, request_: str
) -> None:
    """Without one, DBOS would leave it in the queue for ever, in silence."""
    migrate_jobs(settings)
    queue = DbosQueue(engine)
    wanted = ReviewJob.from_dict({**job.as_dict(), "request": request_})

    name = queue.enqueue_review(wanted)

    [row] = rows(engine)
    assert row["workflow_uuid"] == name
    assert (row["queue_name"], row["queue_partition_key"]) == ("reviews", partition(22, 7))
    assert row["application_version"] == "1"
    assert row["serialization"] == "portable_json"


def test_a_command_is_kept(settings: Settings, engine: Engine) -> None:
    migrate_jobs(settings)
    command = CommandJob(
        installation=11,
        repository="acme/shop",
        repository_id=22,
        number=7,
        comment_id=5,
        kind="issue_comment",
        author="ada",
        command="why",
    )

    DbosQueue(engine).enqueue_command(command)

    assert [row["queue_name"] for row in rows(engine)] == ["commands"]


def test_feedback_comes_after_the_reviews_of_its_pull_request(
    settings: Settings, engine: Engine, job: ReviewJob
) -> None:
    migrate_jobs(settings)
    queue = DbosQueue(engine)
    place = {name: job.as_dict()[name] for name in ("installation", "repository", "repository_id")}
    closed = FeedbackJob(**place, number=7, event="pull", key="ab12")

    queue.enqueue_review(job)
    names = [queue.enqueue_feedback(closed) for _ in range(3)]

    review, feedback = rows(engine)
    assert {feedback["workflow_uuid"]} == set(names) == {"fb:11:22#7:pull:ab12"}
    for column in ("queue_name", "queue_partition_key", "application_version", "serialization"):
        assert feedback[column] == review[column]


def test_reviews_that_wait_and_run_are_counted(
    settings: Settings, engine: Engine, job: ReviewJob
) -> None:
    migrate_jobs(settings)
    queue = DbosQueue(engine)
    for number in range(1, 4):
        queue.enqueue_review(replace(job, number=number))
    command = CommandJob(
        installation=11,
        repository="acme/shop",
        repository_id=22,
        number=7,
        comment_id=5,
        kind="issue_comment",
        author="ada",
        command="why",
    )
    queue.enqueue_command(command)
    taken_up = "UPDATE workflow_status SET status = 'PENDING' WHERE workflow_uuid = :id"
    with engine.begin() as connection:
        connection.execute(text(taken_up), {"id": job_id(replace(job, number=1))})

    assert queue.depth() == QueueDepth(waiting=2, running=1)


def test_a_queue_without_tables_is_not_counted(engine: Engine) -> None:
    with pytest.raises(QueueUnavailable):
        DbosQueue(engine).depth()


def test_what_cannot_be_stored_is_refused(engine: Engine, job: ReviewJob) -> None:
    queue = DbosQueue(engine)  # there are no tables

    with pytest.raises(QueueUnavailable, match="OperationalError"):
        queue.enqueue_review(job)


def test_jobs_are_on_disk_and_in_order_to_the_millisecond(
    settings: Settings, engine: Engine, job: ReviewJob
) -> None:
    migrate_jobs(settings)
    queue = DbosQueue(engine)
    for number in range(1, 6):
        queue.enqueue_review(ReviewJob.from_dict({**job.as_dict(), "number": number}))

    created = [row["created_at"] for row in rows(engine)]
    assert len({moment % 1000 for moment in created}) > 1  # not whole seconds
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2  # FULL


def test_deliveries_of_the_same_moment_are_all_kept(
    settings: Settings, engine: Engine, job: ReviewJob
) -> None:
    migrate_jobs(settings)
    queue = DbosQueue(engine)
    jobs = [replace(job, number=number) for number in range(1, 41)]

    with ThreadPoolExecutor(16) as threads:
        names = list(threads.map(queue.enqueue_review, [*jobs, *jobs]))  # each one twice

    assert names == [job_id(wanted) for wanted in (*jobs, *jobs)]
    assert {row["workflow_uuid"] for row in rows(engine)} == set(names)
    assert len(rows(engine)) == len(jobs)


def test_a_job_that_somebody_cancelled_is_taken_up_again(
    settings: Settings, engine: Engine, job: ReviewJob
) -> None:
    migrate_jobs(settings)
    queue = DbosQueue(engine)
    queue.enqueue_review(job)
    queue.client.cancel_workflows([job_id(job)])
    [cancelled] = rows(engine)

    queue.enqueue_review(job)

    [again] = rows(engine)
    assert (cancelled["status"], again["status"]) == ("CANCELLED", "ENQUEUED")
    assert (again["queue_name"], again["queue_partition_key"]) == ("reviews", job.partition)
    assert again["application_version"] == "1"


def rows(engine: Engine) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        found = connection.execute(text("SELECT * FROM workflow_status ORDER BY created_at"))
        return [dict(row._mapping) for row in found]

"""The machine fails under the service: a full disk, a locked database, a clock that jumps."""

import resource
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest
from github_simulator.state import Pull, Repository
from moved_clock import MovedClock, moved_clock
from serving import HURRIED_SERVE, HURRIED_WORKER, WEB, Service, answer, child, surroundings

from reviewbot.service.dbos_setup import migrate_jobs


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with surroundings(tmp_path_factory.mktemp("machine")) as made:
        made.start(*HURRIED_SERVE)
        made.listening()
        yield made


@pytest.fixture
def service(running: Service) -> Service:
    running.claude.asked.clear()
    running.claude.bill.clear()
    running.claude.answering = answer
    return running


@contextmanager
def full_disk(service: Service, process: str) -> Iterator[None]:
    """No file of the data folder can grow: the process may write none of its bytes."""
    pid = child(service.process.pid, process)
    assert pid
    pids = [pid, *([inner] if (inner := child(pid, process)) else [])]
    for each in pids:
        resource.prlimit(each, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        for each in pids:
            unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            resource.prlimit(each, resource.RLIMIT_FSIZE, unlimited)


def test_a_delivery_that_meets_a_full_disk_is_refused_and_comes_back(service: Service) -> None:
    repository = service.repository()
    pull = repository.open_pull("work1", title="Simplify login")
    payload = service.github.payloads.pull_request(repository, pull)

    with full_disk(service, "web"):
        refused = service.deliver("pull_request", payload)
    accepted = service.deliver("pull_request", payload)
    service.reviewed(pull)

    assert (refused.status, refused.headers.get("Retry-After")) == (503, "30")
    assert accepted.status == 202
    assert_reviewed_once(service, repository, pull)


def test_an_answer_that_meets_a_full_disk_is_kept_when_there_is_room_again(
    service: Service,
) -> None:
    repository = service.repository()
    release = service.hold()
    pull = service.opened(repository)
    service.until(lambda: service.claude.asked, "Claude is asked")

    with full_disk(service, "worker"):
        release()
        time.sleep(1.5)  # it tries again and again
        during = len(pull.reviews)
    service.reviewed(pull)

    assert during == 0
    assert_reviewed_once(service, repository, pull)


@contextmanager
def locked(service: Service) -> Iterator[None]:
    """Another program holds a write lock on both databases."""
    files = (service.settings.data_dir / name for name in ("reviewbot.db", "jobs.db"))
    with (
        closing(sqlite3.connect(next(files))) as ours,
        closing(sqlite3.connect(next(files))) as jobs,
    ):
        for connection in (ours, jobs):
            connection.isolation_level = None
            connection.execute("PRAGMA busy_timeout=5000")
            connection.execute("BEGIN IMMEDIATE")
        yield


def test_databases_that_are_locked_for_a_while_only_cost_time(service: Service) -> None:
    repository = service.repository(pulls=2)
    release = service.hold()
    pull = service.opened(repository)
    service.until(lambda: service.claude.asked, "Claude is asked")

    with locked(service):
        release()
        time.sleep(1.5)
        during = len(pull.reviews)
    other = service.opened(repository, 2)
    service.reviewed(pull, other)

    assert during == 0
    for each in (pull, other):
        assert_reviewed_once(service, repository, each)


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> MovedClock:
    made = moved_clock(tmp_path_factory.mktemp("clock"))
    if made is None:
        pytest.skip("a C compiler makes the clock that can be moved")
    return made


@pytest.fixture(scope="module")
def elsewhen(tmp_path_factory: pytest.TempPathFactory, clock: MovedClock) -> Iterator[Service]:
    """A service whose worker has a clock of its own."""
    with surroundings(tmp_path_factory.mktemp("elsewhen")) as made:
        migrate_jobs(made.settings)
        made.start(*WEB)
        made.listening()
        made.more = clock.environment
        made.start(*HURRIED_WORKER)
        yield made


@pytest.mark.parametrize("hours", [5, -5, pytest.param(24 * 40, marks=pytest.mark.soak)])
def test_a_clock_that_jumps_and_is_set_right_changes_nothing(
    elsewhen: Service, clock: MovedClock, hours: int
) -> None:
    elsewhen.claude.bill.clear()
    repository = elsewhen.repository()
    release = elsewhen.hold()
    asked = len(elsewhen.claude.asked)
    pull = elsewhen.opened(repository)
    elsewhen.until(lambda: len(elsewhen.claude.asked) > asked, "Claude is asked")

    clock.move(timedelta(hours=hours))
    release()
    time.sleep(1)
    clock.move(timedelta())
    elsewhen.reviewed(pull)

    assert_reviewed_once(elsewhen, repository, pull)


def assert_reviewed_once(service: Service, repository: Repository, pull: Pull) -> None:
    assert len(pull.reviews) == len(pull.threads) == len(pull.comments) == 1
    [check] = [one for one in repository.checks if one.head == repository.ends(pull)[1]]
    assert (check.status, check.conclusion) == ("completed", "success")
    settled, unknown = service.calls(repository, pull)
    assert [call.outcome.value for call in settled] == ["answered"]
    assert unknown == []

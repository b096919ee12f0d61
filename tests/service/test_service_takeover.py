"""On PostgreSQL the listener and several workers live apart; one takes over from another."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import psycopg
import pytest
from databases import new_database
from serving import HURRIED_WORKER, WEB, Service, answer, surroundings

from reviewbot.service.worker import LOST_DATABASE
from reviewbot.store.jobs import JobStore, open_job_store


class Workers:
    """Workers beside a listener; a test starts, kills and stops them."""

    def __init__(self, service: Service, store: JobStore) -> None:
        self.service, self._store = service, store
        self.living: list[subprocess.Popen[bytes]] = []

    def beside(self, sleeper: subprocess.Popen[bytes]) -> None:
        """One that lives beside one that sleeps."""
        self.living.remove(sleeper)
        self.first(1)

    def first(self, count: int) -> list[subprocess.Popen[bytes]]:
        """So many that live: those of the test before, less what is too many, and new ones."""
        self.living = [worker for worker in self.living if worker.poll() is None]
        for worker in self.living[count:]:
            worker.terminate()
            worker.wait()
        self.living = self.living[:count]
        while len(self.living) < count:
            self.one_more()
        return self.living

    def one_more(self, *queues: str) -> None:
        """For these queues, or for all."""
        self.living.append(self.service.start(*HURRIED_WORKER, *queues))
        since = datetime.now(UTC)
        self.service.until(lambda: self._seen(since), "all workers are seen")

    def _seen(self, since: datetime) -> bool:
        """The first sign of life comes before there are tables for jobs, the second after."""
        beats = [beat for beat in self._store.beats() if beat.seen_at > since]
        working = [beat for beat in beats if beat.seen_at > beat.started_at]
        return len(working) == len(self.living)


@pytest.fixture(scope="module")
def workers(postgresql_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    """`reviewbot web` by itself."""
    folder = tmp_path_factory.mktemp("apart")
    with surroundings(folder, new_database(postgresql_server)) as service:
        service.start(*WEB)
        service.listening()
        with open_job_store(service.settings.database) as store:
            yield Workers(service, store)


@pytest.fixture
def service(workers: Workers) -> Service:
    workers.service.claude.asked.clear()
    workers.service.claude.answering = answer
    return workers.service


def test_two_workers_review_each_pull_request_once(service: Service, workers: Workers) -> None:
    workers.first(2)
    repository = service.repository(pulls=6)

    pulls = [service.opened(repository, n) for n in range(1, 7)]
    service.reviewed(*pulls)

    assert all(len(pull.reviews) == len(pull.comments) == 1 for pull in pulls)
    assert len(service.claude.asked) == len(service.calls(repository)[0]) == 6


def test_what_a_killed_worker_did_another_does(service: Service, workers: Workers) -> None:
    [victim] = workers.first(1)
    release = service.hold()
    repository = service.repository()
    pull = service.opened(repository)
    service.until(lambda: service.claude.asked, "Claude is asked")
    workers.first(2)

    victim.kill()
    victim.wait()
    release()
    service.reviewed(pull)

    assert len(pull.reviews) == len(pull.threads) == len(pull.comments) == 1
    settled, unknown = service.calls(repository)
    assert (len(settled), len(unknown)) == (1, 1)


def test_each_host_does_what_it_listens_for(service: Service, workers: Workers) -> None:
    """A GPU box reads the changes, another machine asks Claude and answers people."""
    workers.first(0)
    workers.one_more("reviews", "gpu")
    pull = service.opened(service.repository())
    service.until(lambda: "ENQUEUED" in service.jobs().values(), "a question to Claude waits")
    assert service.claude.asked == []

    workers.one_more("claude", "commands", "reports")
    service.reviewed(pull)

    assert len(service.claude.asked) == len(pull.reviews) == 1
    workers.first(0)  # the next ones do everything


@pytest.mark.soak
def test_a_worker_that_slept_while_it_asked_does_not_post_again(
    service: Service, workers: Workers
) -> None:
    [sleeper] = workers.first(1)
    release = service.hold()
    pull = service.opened(service.repository())
    service.until(lambda: service.claude.asked, "Claude is asked")

    sleeper.send_signal(signal.SIGSTOP)
    workers.beside(sleeper)
    release()
    service.reviewed(pull)
    sleeper.send_signal(signal.SIGCONT)

    assert sleeper.wait(20) == LOST_DATABASE
    service.at_rest()
    assert len(pull.reviews) == len(pull.threads) == len(pull.comments) == 1


def test_a_worker_that_slept_while_it_posted_does_not_post_again(
    service: Service, workers: Workers
) -> None:
    """The other one finds the review that is there already; the sleeper wakes in the middle."""
    [sleeper] = workers.first(1)
    repository = service.repository()
    service.github.latency = 0.1
    pull = service.opened(repository)
    service.until(lambda: pull.reviews, "the review is posted")

    sleeper.send_signal(signal.SIGSTOP)
    workers.beside(sleeper)
    seen = len(service.github.requests)
    service.until(lambda: len(service.github.requests) > seen + 2, "the other one looks")
    sleeper.send_signal(signal.SIGCONT)
    service.reviewed(pull)
    service.github.latency = 0.0

    assert sleeper.wait(20) == LOST_DATABASE
    service.at_rest()
    assert len(pull.reviews) == len(pull.threads) == len(pull.comments) == 1
    [check] = repository.checks
    assert check.status == "completed"


def test_a_worker_that_lost_its_database_ends(service: Service, workers: Workers) -> None:
    """Instead of working on unseen while others take over."""
    [worker] = workers.first(1)
    name = psycopg.conninfo.conninfo_to_dict(service.database_url)["dbname"]
    elsewhere = service.database_url.replace(f"/{name}?", "/postgres?")

    with psycopg.connect(elsewhere, autocommit=True) as server:
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        server.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        )
        with suppress(subprocess.TimeoutExpired):  # it may ask for it until it is back
            worker.wait(8)
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    code = worker.wait(20)

    assert code == LOST_DATABASE
    assert service.opened(service.repository()), "the listener finds it again"

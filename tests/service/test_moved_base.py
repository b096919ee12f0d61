"""A base that moves between a push and its delivery: the head is reviewed once all the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from forked import start_worker, worker_context
from serving import HEAD, WEB, Service, surroundings

from reviewbot.service.dbos_setup import migrate_jobs


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A listener, and no worker yet."""
    with surroundings(tmp_path) as made:
        migrate_jobs(made.settings)
        made.start(*WEB)
        made.listening()
        yield made


def test_one_head_told_of_with_two_bases_is_reviewed_once(service: Service) -> None:
    """The push is told of with the base of then; the job before it finds the base of now."""
    repository = service.repository()
    pull = service.opened(repository)
    head = repository.push(pull, {"shop/auth/login_1.py": f"{HEAD}# again\n"})
    told = service.github.payloads.pull_request(repository, pull, "synchronize")
    repository.content.commit("main", {"README.md": "moved\n"})
    assert service.deliver("pull_request", told).status == 202

    worker = start_worker(worker_context(), service.environment, service.folder / "worker.log")
    service.reviewed(pull)
    worker.terminate()
    worker.join(30)

    assert len(service.jobs()) == 4, "three reviews, and the one question of one of them"
    assert [review.commit for review in pull.reviews] == [head]
    assert [(check.head, check.status) for check in repository.checks] == [(head, "completed")]
    assert len(pull.comments) == len(service.claude.bill) == 1


def test_a_head_told_of_with_two_bases_of_which_none_is_that_of_now_is_reviewed_once(
    service: Service,
) -> None:
    repository = service.repository()
    pull = repository.open_pull("work1", title="Simplify login")
    told = []
    for text in ("moved", "moved again"):
        told.append(service.github.payloads.pull_request(repository, pull))
        repository.content.commit("main", {"README.md": f"{text}\n"})
    for payload in told:
        assert service.deliver("pull_request", payload).status == 202

    worker = start_worker(worker_context(), service.environment, service.folder / "worker.log")
    service.reviewed(pull)
    service.at_rest()
    worker.terminate()
    worker.join(30)

    assert len(repository.checks) == len(pull.reviews) == len(pull.comments) == 1
    assert len(service.claude.bill) == 1


def test_a_head_whose_other_job_comes_later_is_not_reviewed_again(service: Service) -> None:
    repository = service.repository()
    pull = repository.open_pull("work1", title="Simplify login")
    told = service.github.payloads.pull_request(repository, pull)
    repository.content.commit("main", {"README.md": "moved\n"})
    now = service.github.payloads.pull_request(repository, pull)
    worker = start_worker(worker_context(), service.environment, service.folder / "worker.log")

    assert service.deliver("pull_request", now).status == 202
    service.reviewed(pull)
    assert service.deliver("pull_request", told).status == 202
    service.at_rest()
    worker.terminate()
    worker.join(30)

    assert len(service.jobs()) == 3
    assert len(repository.checks) == len(pull.reviews) == len(pull.comments) == 1


def test_a_head_told_of_with_an_old_base_alone_is_reviewed(service: Service) -> None:
    repository = service.repository()
    pull = repository.open_pull("work1", title="Simplify login")
    told = service.github.payloads.pull_request(repository, pull)
    repository.content.commit("main", {"README.md": "moved\n"})
    worker = start_worker(worker_context(), service.environment, service.folder / "worker.log")

    assert service.deliver("pull_request", told).status == 202
    service.reviewed(pull)
    worker.terminate()
    worker.join(30)

    assert len(repository.checks) == len(pull.reviews) == len(pull.comments) == 1

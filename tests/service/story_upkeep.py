"""Stories of what the service does by itself: deliveries that were missed are found again."""

import re

import requests
from github_simulator.state import Pull, Repository
from serving import HURRIED_SERVE, Service


def test_deliveries_of_an_outage_are_reviewed_after_the_start_each_once(
    service: Service, repository: Repository
) -> None:
    before = max(recovered(service), 0)
    stop(service)
    other = service.repository("globex")
    theirs = other.open_pull("work1", title="Simplify login")
    pulls = [repository.open_pull(f"work{n}", title="Simplify login") for n in range(1, 4)]
    sent = [missed(service, repository, pull) for pull in pulls]
    sent.append(missed(service, other, theirs))
    service.github.attempt(service.github.deliveries[-1])  # "Redeliver" was pressed in vain

    start(service)
    service.reviewed(*pulls, theirs)
    service.until(lambda: recovered(service) >= before + 4, "the figures tell of it")
    stop(service)
    start(service)
    service.until(lambda: recovered(service) >= before + 4, "the figures are there again")
    service.at_rest()

    assert sent == [0, 0, 0, 0]
    assert all(len(pull.reviews) == len(pull.comments) == 1 for pull in (*pulls, theirs))
    assert len(service.claude.bill) == 4
    assert service.newest_review(other, theirs)
    assert service.newest_review(repository, pulls[0])


def start(service: Service) -> None:
    service.start(*HURRIED_SERVE)
    service.listening()


def stop(service: Service) -> None:
    service.process.terminate()
    service.process.wait(45)


def missed(service: Service, repository: Repository, pull: Pull) -> int:
    payload = service.github.payloads.pull_request(repository, pull)
    return service.deliver("pull_request", payload).status


def recovered(service: Service) -> int:
    """What the metrics say; -1 without figures."""
    figures = requests.get(f"{service.url}/metrics", timeout=5).text
    found = re.search(r"^reviewbot_deliveries_recovered_total ([\d.]+)$", figures, re.MULTILINE)
    return int(float(found[1])) if found else -1

"""The story of `kill -9` of listener, worker and supervisor: nothing is lost, nothing comes twice."""

import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from decimal import Decimal

import pytest
from github_simulator.state import Pull, Repository
from serving import EVER, HURRIED_SERVE, Service, alive, child

from reviewbot.costs.prices import PriceBook

#: Who is killed at the moments of a run; both kinds of database together make ten.
VICTIMS = ("worker", "web", "supervisor", "worker", "web")
#: Requests to GitHub and the models from a delivery to the end of its review, about.
REQUESTS = 14
MILLION = 1_000_000


@pytest.fixture
def chance() -> Iterator[random.Random]:
    """What decides; the seed is told when the test fails."""
    seed = int(os.environ.get("CRASH_SEED") or random.SystemRandom().randrange(10**9))
    sys.stderr.write(f"CRASH_SEED={seed}\n")
    return random.Random(seed)


def test_killed_at_random_moments_nothing_is_lost_and_nothing_comes_twice(
    service: Service, chance: random.Random
) -> None:
    victims = list(VICTIMS)
    chance.shuffle(victims)
    repository = service.repository(pulls=len(victims) + 1)
    pulls: list[Pull] = []

    for number, victim in enumerate(victims, 1):
        service.reviewed(*pulls[:-1])  # so that no review meets more than a few of the crashes
        moment = requests_seen(service) + chance.randrange(REQUESTS)
        pulls.append(opened(service, repository, number))
        wait_for(service, moment, pulls[-1])
        time.sleep(chance.random() * 0.05)
        over = requests_seen(service) - moment
        sys.stderr.write(f"{victim} killed {over:+} from request {moment}\n")
        killed(service, victim)
    pulls.append(opened(service, repository, len(victims) + 1))
    service.reviewed(*pulls)

    assert set(service.jobs().values()) <= {"SUCCESS", "CANCELLED"}
    for pull in pulls:
        assert_posted_once(repository, pull)
        assert_paid_once(service, repository, pull)
    assert_written_once(service, repository, pulls)
    assert_the_ledger_covers_the_bill(service, repository)


def opened(service: Service, repository: Repository, number: int) -> Pull:
    """A new pull request; it is told of until the listener has heard it."""
    pull = repository.open_pull(f"work{number}", title="Simplify login")
    payload = service.github.payloads.pull_request(repository, pull)
    service.until(lambda: service.deliver("pull_request", payload).status == 202, "it is accepted")
    return pull


def wait_for(service: Service, moment: int, pull: Pull) -> None:
    """So many requests, or the end of the review if that comes before."""
    service.until(lambda: requests_seen(service) >= moment or pull.comments, "the moment")


def requests_seen(service: Service) -> int:
    """How far the service is, as seen from outside."""
    return len(service.github.requests) + len(service.claude.requests)


def killed(service: Service, victim: str) -> None:
    """`kill -9`; a killed supervisor is started again at once."""
    if victim == "supervisor":
        service.process.kill()
        service.process.wait()
        service.start(*HURRIED_SERVE)
        return
    pid = child(service.process.pid, victim)
    if pid:  # else it is just being started again
        os.kill(pid, signal.SIGKILL)
        service.until(lambda: not alive(pid), "it is dead")


def assert_posted_once(repository: Repository, pull: Pull) -> None:
    head = repository.ends(pull)[1]
    assert len(pull.reviews) == len(pull.threads) == len(pull.comments) == 1
    assert "Timing leaks the digest" in pull.threads[0].body
    [check] = [check for check in repository.checks if check.head == head]
    assert check.status == "completed"


def assert_written_once(service: Service, repository: Repository, pulls: list[Pull]) -> None:
    """What was posted, for what people will make of it."""
    with service.store() as store:
        found = store.posted_findings(**EVER, repository=repository.full_name)
    assert sorted(row.number for row in found) == [pull.number for pull in pulls]
    assert all(row.inline for row in found)


def assert_paid_once(service: Service, repository: Repository, pull: Pull) -> None:
    """Calls may be cut off; after the one whose answer was stored there is none."""
    settled, unknown = service.calls(repository, pull)
    assert len(settled) == 1
    assert all(start.started_at <= settled[0].start.started_at for start in unknown)


def assert_the_ledger_covers_the_bill(service: Service, repository: Repository) -> None:
    settled, unknown = service.calls(repository)
    price = PriceBook().price_of("anthropic", "claude-opus-5-5")
    billed = sum(
        (
            price.input * charge.input + price.output * charge.output
            for charge in service.claude.bill
        ),
        Decimal(0),
    )
    known = sum((call.usd for call in settled), Decimal(0))
    reserved = sum((start.reserved_usd for start in unknown), Decimal(0))
    assert len(settled) <= len(service.claude.bill) <= len(settled) + len(unknown)
    assert known <= billed / MILLION <= known + reserved

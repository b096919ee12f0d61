"""Poll mode in its real processes: no port is open to the outside, and nothing is delivered."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from databases import new_database
from serving import HURRIED_WORKER, Service, surroundings
from upkeeping import NOWHERE

from reviewbot.config.settings import load_settings
from reviewbot.errors import SettingsError
from reviewbot.service.dbos_setup import migrate_jobs
from reviewbot.service.recovering import POLL
from reviewbot.store.upkeep import open_upkeep_store


@pytest.fixture(params=["sqlite", "postgresql"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    url = ""
    if request.param == "postgresql":
        url = new_database(request.getfixturevalue("postgresql_server"))
    with surroundings(tmp_path, url) as made:
        made.more = {
            "REVIEWBOT_DELIVERY": "poll",
            "REVIEWBOT_WEBHOOK_SECRET": "",
            "REVIEWBOT_MARKER_KEY": "a key that signs our marks",
        }
        yield made


def test_a_pull_request_is_reviewed_without_any_webhook(service: Service) -> None:
    """Only a worker runs: it listens nowhere."""
    repository = service.repository(pulls=2)
    pull = repository.open_pull("work1", title="Simplify login")
    migrate_jobs(service.settings)
    service.start(*HURRIED_WORKER)
    unreachable(service, repository, pull)

    service.reviewed(pull)
    later = repository.open_pull("work2", title="Simplify login")
    unreachable(service, repository, later)
    service.reviewed(pull, later)

    assert all(len(each.reviews) == len(each.comments) == 1 for each in (pull, later))
    assert len(service.claude.bill) == 2
    with open_upkeep_store(service.settings.database) as store:
        service.until(lambda: polled(store) >= 1, "polled ones are counted")


def test_served_pages_are_there_but_take_no_deliveries(service: Service) -> None:
    service.start("-m", "reviewbot", "serve")
    service.listening()

    posted = requests.post(f"{service.url}/webhook", data=b"{}", timeout=5)
    page = requests.get(f"{service.url}/healthz", timeout=5)

    assert (posted.status_code, page.status_code) == (404, 200)
    assert "for this machine only: it polls" in service.log()


@pytest.mark.parametrize("bind", ["0.0.0.0:8080", "[::]:8080", "reviews.example.com:80"])
def test_poll_mode_is_on_loopback_only(bind: str) -> None:
    with pytest.raises(SettingsError, match="REVIEWBOT_BIND: poll mode listens on loopback only"):
        load_settings({"REVIEWBOT_DELIVERY": "poll", "REVIEWBOT_BIND": bind})


def unreachable(service: Service, repository: object, pull: object) -> None:
    payload = service.github.payloads.pull_request(repository, pull)
    assert service.github.deliver(NOWHERE, "pull_request", payload).status == 0


def polled(store: object) -> int:
    return sum(chore.total for chore in store.chores() if chore.name == POLL)

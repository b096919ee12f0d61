"""Open pull requests without a review: found once, the newest first, as many as is fair."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from databases import new_database
from github_simulator.apps import Installation
from github_simulator.state import Repository
from sqlalchemy import insert
from upkeeping import House, house

from reviewbot.service.intake import keep
from reviewbot.service.sweeping import RESERVE, SWEEP, Sweep
from reviewbot.service.upkeep import Chore, Done
from reviewbot.service.webhook import read_delivery
from reviewbot.store.engine import connect
from reviewbot.store.pulls import PullStore, open_pull_store
from reviewbot.store.schema import reviews


@pytest.fixture(params=["sqlite", "postgresql"])
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    url = ""
    if request.param == "postgresql":
        url = new_database(request.getfixturevalue("postgresql_server"))
    with house(tmp_path, url) as made:
        yield made


@pytest.fixture
def acme(here: House) -> Installation:
    return here.install("acme")


@pytest.fixture
def shop(here: House, acme: Installation) -> Repository:
    return here.repository("acme/shop", pulls=5)


@pytest.fixture
def pulls(here: House) -> Iterator[PullStore]:
    with open_pull_store(here.settings.database) as store:
        yield store


@pytest.fixture
def sweep(here: House, pulls: PullStore) -> Sweep:
    return Sweep(here.app, here.queue, here.store, pulls.is_paused)


def test_open_pull_requests_without_a_review_are_found_once(
    here: House, shop: Repository, sweep: Sweep
) -> None:
    shop.open_pull("work1")
    shop.open_pull("work2", draft=True)
    shop.close(shop.open_pull("work3"))

    first, second = here.turn(hourly(sweep)), here.turn(hourly(sweep, ago=True))

    assert first == Done(2, complete=True)
    assert second == Done(0, complete=True)
    assert sorted(name.rpartition(":")[2] for name in here.jobs()) == ["auto", "draft"]
    [state] = here.store.chores()
    assert (state.name, state.total) == ("sweep", 2)


def test_a_delivery_that_comes_later_is_the_same_job(
    here: House, shop: Repository, sweep: Sweep
) -> None:
    pull = shop.open_pull("work1")
    here.turn(hourly(sweep))
    [swept] = here.jobs()
    here.missed(shop, pull)

    taken = keep(here.queue, read_delivery("pull_request", here.github.deliveries[0].body))

    assert taken.job == swept
    assert len(here.jobs()) == 1


def test_what_is_reviewed_queued_or_paused_is_left_alone(
    here: House, shop: Repository, acme: Installation, sweep: Sweep, pulls: PullStore
) -> None:
    reviewed, queued, paused, left = (shop.open_pull(f"work{n}") for n in range(1, 5))
    engine = connect(here.settings.database)
    with engine.begin() as connection:
        row = {
            "id": "r1", "repository": shop.full_name, "number": reviewed.number,
            "installation": acme.id, "repository_id": shop.id, "head": shop.ends(reviewed)[1],
            "tier": "local", "areas": [], "certainty": "sure", "created_at": datetime.now(UTC),
            "result": {},
        }  # fmt: skip
        connection.execute(insert(reviews).values(row))
    engine.dispose()
    here.missed(shop, queued)
    keep(here.queue, read_delivery("pull_request", here.github.deliveries[0].body))
    pulls.pause(shop.id, paused.number, by="ada", at=datetime.now(UTC))
    before = set(here.jobs())

    done = here.turn(hourly(sweep))

    assert done == Done(1, complete=True)
    [new] = set(here.jobs()) - before
    assert f"{shop.id}#{left.number}:" in new


def test_each_installation_gets_its_share_the_newest_first(
    here: House, shop: Repository, sweep: Sweep
) -> None:
    theirs = here.install("globex")
    other = here.repository("globex/shop")
    other.open_pull("work1")
    today = datetime.now(UTC)
    for n, days in enumerate((3, 1, 2, 8, 0), 1):
        when = f"{today - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"
        shop.open_pull(f"work{n}", updated_at=when)

    some = hourly(replace(sweep, most=2), ago=True)

    turns, shares = [], []
    for _ in range(3):
        turns.append(here.turn(some))
        names = [name for name in here.jobs() if f":{theirs.id}:" not in name]
        shares.append({int(name.partition("#")[2].partition(":")[0]) for name in names})

    assert [done.amount for done in turns if done] == [3, 2, 0]
    assert shares == [{5, 2}, {5, 2, 3, 1}, {5, 2, 3, 1}], "nobody touched the fourth for a week"


def test_requests_are_left_to_reviews_and_a_broken_installation_stops_nobody(
    here: House, shop: Repository, sweep: Sweep
) -> None:
    here.install("globex").permissions = {"metadata": "read"}  # may not list pull requests
    third = here.install("initech")
    other = here.repository("initech/shop")
    other.open_pull("work1")
    shop.open_pull("work1")
    here.github.limits = replace(here.github.limits, requests_an_hour=RESERVE)

    nothing = here.turn(hourly(sweep))
    here.github.limits = replace(here.github.limits, requests_an_hour=5_000)
    done = here.turn(hourly(sweep, ago=True))

    assert nothing == Done(0, complete=True)
    assert done == Done(2, complete=True)
    assert any(f":{third.id}:" in name for name in here.jobs())


def test_its_token_can_only_read(here: House, shop: Repository, sweep: Sweep) -> None:
    shop.open_pull("work1")

    here.turn(hourly(sweep))

    [grant] = here.github.apps.grants.values()
    assert grant.permissions == {"metadata": "read", "pull_requests": "read"}


def hourly(sweep: Sweep, *, ago: bool = False) -> Chore:
    """The chore; with `ago` it is due again."""
    return Chore(SWEEP, timedelta(hours=1), sweep.work, at_start=ago)

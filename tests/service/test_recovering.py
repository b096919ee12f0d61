"""Deliveries from GitHub's log: each once, in order, as far as GitHub lets us."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from databases import new_database
from github_simulator.state import Repository
from upkeeping import NOWHERE, House, house

from reviewbot.service.intake import keep
from reviewbot.service.jobs import ReviewJob, job_id
from reviewbot.service.recovering import RECOVER, RESERVE, Recovery
from reviewbot.service.upkeep import LEASE, Chore, Done, Turn, Upkeep
from reviewbot.service.webhook import read_delivery


@pytest.fixture(params=["sqlite", "postgresql"])
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    url = ""
    if request.param == "postgresql":
        url = new_database(request.getfixturevalue("postgresql_server"))
    with house(tmp_path, url) as made:
        made.install("acme")
        yield made


@pytest.fixture
def shop(here: House) -> Repository:
    return here.repository("acme/shop", pulls=5)


@pytest.fixture
def chore(here: House) -> Chore:
    recovery = Recovery(here.app, here.queue, here.store)
    return Chore(RECOVER, timedelta(minutes=5), recovery.work, at_start=True)


def test_missed_deliveries_become_jobs_once(here: House, shop: Repository, chore: Chore) -> None:
    for n in range(1, 6):
        here.missed(shop, shop.open_pull(f"work{n}"))

    first, second = here.turn(chore), here.turn(chore)

    assert first == Done(5, complete=True)
    assert second == Done(0, complete=True)
    assert len(here.jobs()) == 5
    [state] = here.store.chores()
    assert state.total == 5
    fetched = here.github.counts()["GET /app/hook/deliveries/{n}"]
    assert fetched == 5, "what is taken is not asked for again"


def test_one_that_came_after_all_is_the_same_job(
    here: House, shop: Repository, chore: Chore
) -> None:
    """GitHub did not wait for the answer, or somebody sent it again; its log spells the same
    content in other bytes."""
    pull = shop.open_pull("work1")
    here.missed(shop, pull)
    shop.close(pull)
    here.missed(shop, pull, "closed")
    for one in here.github.deliveries:
        body = json.dumps(one.payload, indent=2, sort_keys=True).encode()
        keep(here.queue, read_delivery(one.event, body))
    before = here.jobs()

    here.turn(chore)

    assert here.jobs() == before
    assert len(before) == 2


def test_installations_are_not_mixed_up(here: House, shop: Repository, chore: Chore) -> None:
    theirs = here.install("globex")
    other = here.repository("globex/shop")
    pull = other.open_pull("work1")
    here.missed(shop, shop.open_pull("work1"))
    here.missed(other, pull)
    [first, second] = here.github.deliveries
    # a log that means another installation than the payload
    here.github.deliveries.append(
        replace(second, id=here.github.next_id(), guid="mixed-up", body=first.body)
    )
    mixed = json.loads(first.body)
    here.github.fail(
        f"/app/hook/deliveries/{here.github.deliveries[-1].id}$",
        200,
        body={
            "id": 1,
            "request": {
                "headers": {},
                "payload": {**mixed, "installation": {"id": theirs.id + 99}},
            },
        },
    )

    here.turn(chore)

    owners = {name.split(":")[1]: name for name in here.jobs()}
    assert len(here.jobs()) == len(owners) == 2
    assert f":{other.id}#" in owners[str(theirs.id)]


def test_only_one_worker_has_the_turn(here: House, shop: Repository, chore: Chore) -> None:
    for n in range(1, 6):
        here.missed(shop, shop.open_pull(f"work{n}"))

    with ThreadPoolExecutor(4) as workers:
        turns = list(workers.map(lambda name: here.turn(chore, name), "abcd"))

    assert sum(done.amount for done in turns if done) == 5
    assert here.github.counts()["GET /app/hook/deliveries/{n}"] == 5
    assert len(here.jobs()) == 5


def test_a_limit_is_respected_and_the_rest_comes_later(
    here: House, shop: Repository, chore: Chore
) -> None:
    for n in range(1, 6):
        here.missed(shop, shop.open_pull(f"work{n}"))
    third = sorted(one.id for one in here.github.deliveries)[2]
    here.github.secondary_limit(f"/app/hook/deliveries/{third}$", retry_after=77)

    stopped = here.turn(chore)
    later = here.turn(chore)

    assert stopped == Done(2, complete=False, wait=77)
    assert later == Done(3, complete=True)
    assert len(here.jobs()) == 5


def test_requests_of_the_hour_are_left_to_others(
    here: House, shop: Repository, chore: Chore
) -> None:
    for n in range(1, 6):
        here.missed(shop, shop.open_pull(f"work{n}"))
    here.github.limits = replace(here.github.limits, requests_an_hour=RESERVE + 4)

    done = here.turn(chore)

    assert done == Done(3, complete=False)
    assert len(here.jobs()) == 3


def test_a_turn_takes_no_more_than_its_share(here: House, shop: Repository, chore: Chore) -> None:
    for n in range(1, 6):
        here.missed(shop, shop.open_pull(f"work{n}"))
    oldest = json.loads(here.github.deliveries[0].body)["number"]
    few = replace(chore, work=Recovery(here.app, here.queue, here.store, most=1).work)

    done = here.turn(few)

    assert done == Done(1, complete=False)
    [name] = here.jobs()
    assert f"#{oldest}:" in name


def test_pages_are_followed_and_what_is_too_old_is_left(
    here: House, shop: Repository, chore: Chore
) -> None:
    pull = shop.open_pull("work1")
    here.missed(shop, pull)
    [one] = here.github.deliveries
    ping = replace(one, event="ping", body=b'{"zen": "Mind your words."}')
    old = replace(one, id=1, guid="old", when=one.when - timedelta(days=3, hours=1))
    pings = [replace(ping, id=here.github.next_id(), guid=f"ping-{n}") for n in range(250)]
    here.github.deliveries[:] = [old, *pings[:120], one, *pings[120:]]

    done = here.turn(chore)

    assert done == Done(1, complete=True)
    assert here.github.counts()["GET /app/hook/deliveries"] == 3


def test_what_can_not_be_read_is_left_and_told(
    here: House, shop: Repository, chore: Chore, caplog: pytest.LogCaptureFixture
) -> None:
    pull = shop.open_pull("work1")
    payload = here.github.payloads.pull_request(shop, pull)
    here.github.deliver(NOWHERE, "pull_request", {**payload, "pull_request": {}}, guid="broken")
    here.missed(shop, pull)

    done = here.turn(chore)

    assert done == Done(1, complete=True)
    assert "delivery broken can't be taken" in caplog.text
    assert list(here.jobs()) == [job_id(_job(here, shop))]


def test_without_the_app_or_github_a_turn_fails_and_the_next_one_works(
    here: House, shop: Repository, chore: Chore
) -> None:
    here.missed(shop, shop.open_pull("work1"))
    here.github.fail("/app/hook/deliveries", 502, times=1)

    failed, later = here.turn(chore), here.turn(chore)

    assert failed is None
    assert later == Done(1, complete=True)


def test_a_worker_that_died_in_mid_turn_goes_on_at_once_when_it_is_back(
    here: House, shop: Repository, chore: Chore
) -> None:
    """On SQLite there is one worker, always of the same name."""
    here.missed(shop, shop.open_pull("work1"))
    now = datetime.now(UTC)
    here.store.claim(chore.name, "local", now=now, until=now + LEASE)  # and then `kill -9`

    assert here.turn(chore, "another") is None
    assert here.turn(chore, "local") == Done(1, complete=True)


@pytest.mark.parametrize("held", [True, False])
def test_a_clock_that_was_forty_days_ahead_puts_nothing_off(
    here: House, shop: Repository, chore: Chore, held: bool
) -> None:
    ahead = datetime.now(UTC) + timedelta(days=40)
    here.store.claim(chore.name, "wrong", now=ahead, until=ahead + LEASE)
    if not held:
        soon = ahead + timedelta(minutes=5)
        here.store.release(chore.name, "wrong", due=soon, done_until=ahead, done=0)
    here.missed(shop, shop.open_pull("work1"))

    assert here.turn(replace(chore, at_start=False)) == Done(1, complete=True)


def test_a_worker_that_is_told_to_end_leaves_its_turn_to_others(
    here: House, shop: Repository, chore: Chore
) -> None:
    here.missed(shop, shop.open_pull("work1"))
    begun, stuck = threading.Event(), threading.Event()

    def work(turn: Turn) -> Done:
        begun.set()
        stuck.wait(60)  # a request that takes its time
        turn.goes_on()
        return Done(0, complete=False)

    ending, stopping = Upkeep(here.store, (replace(chore, work=work),)), threading.Event()
    ending.start("first", stopping)
    assert begun.wait(60)
    assert here.turn(chore, "second") is None

    stopping.set()
    ending.end("first", patience=0.1)

    assert here.turn(chore, "second") == Done(1, complete=True)
    stuck.set()
    ending.end("first", patience=60)  # its thread leaves no connection behind


def _job(here: House, shop: Repository) -> ReviewJob:
    base, head = shop.ends(shop.pulls[1])
    [installation] = here.github.apps.installations
    return ReviewJob(
        installation=installation,
        repository=shop.full_name,
        repository_id=shop.id,
        number=1,
        head=head,
        base=base,
        request="auto",
    )

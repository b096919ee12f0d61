"""What people asked for on a pull request, and its reviews."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from publishing.sample_reviews import shop_review

from reviewbot.costs.calls import Call, CallStart
from reviewbot.store.pulls import PullStore, open_pull_store

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LARGEST = 2**63 - 1, 10**10 - 1


@pytest.fixture
def pulls(url: str) -> Iterator[PullStore]:
    with open_pull_store(url) as opened:
        yield opened


@pytest.mark.parametrize("place", [(22, 7), LARGEST])
def test_a_pull_request_is_paused_until_it_is_resumed(
    pulls: PullStore, place: tuple[int, int]
) -> None:
    before = pulls.is_paused(*place)
    pulls.pause(*place, by="ada", at=NOW)
    pulls.pause(*place, by="bob", at=NOW)
    others = pulls.is_paused(place[0], 8), pulls.is_paused(23, place[1])
    paused = pulls.is_paused(*place)
    pulls.resume(*place)
    pulls.resume(*place)

    assert (before, paused, others, pulls.is_paused(*place)) == (False, True, (False, False), False)


@pytest.mark.parametrize("place", [(22, 7), LARGEST])
def test_dismissed_findings_are_those_of_the_pull_request(
    pulls: PullStore, place: tuple[int, int]
) -> None:
    for fingerprint in ("0" * 16, "a" * 16, "a" * 16):
        pulls.dismiss(*place, fingerprint, by="ada", at=NOW)

    assert pulls.dismissed(*place) == {"0" * 16, "a" * 16}
    assert pulls.dismissed(22, 8) == frozenset()


def test_two_who_ask_at_once_disturb_nobody(pulls: PullStore) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: pulls.pause(22, 7, by=name, at=NOW), "abcdefgh"))
        list(pool.map(lambda name: pulls.dismiss(22, 7, "f" * 16, by=name, at=NOW), "abcdefgh"))

    assert pulls.is_paused(22, 7)
    assert pulls.dismissed(22, 7) == {"f" * 16}


def test_the_newest_review_is_the_one_that_began_last(pulls: PullStore) -> None:
    review = shop_review()
    later = replace(review, id="later", created_at=review.created_at + timedelta(hours=1))
    elsewhere = replace(later, id="elsewhere", change=replace(later.change, number=8))
    latest = replace(later, created_at=later.created_at + timedelta(hours=1))

    for each in (later, review, elsewhere):
        pulls.save_review(each, installation=5, repository_id=22)
    pulls.save_review(replace(latest, id="not ours"), installation=6, repository_id=22)

    found = pulls.newest_review(5, 22, 7)
    assert found is not None
    assert found.id == "later"
    assert pulls.newest_review(5, 22, 9) is None
    assert pulls.newest_review(5, 23, 7) is None
    assert pulls.newest_review(LARGEST[0], *LARGEST) is None


def test_all_calls_of_a_pull_request_are_found(
    pulls: PullStore, new_start: Callable[..., CallStart], answered: Callable[..., Call]
) -> None:
    mine = [new_start(review_id=name, installation=5) for name in ("one", "two", "two")]
    for other in (new_start(number=8), new_start(repository_id=23), new_start(installation=6)):
        pulls.start_call(other)
    for start in mine:
        pulls.start_call(start)
    pulls.settle_call(answered(mine[0]))

    found = pulls.pull_calls(5, 22, 7)

    assert found == [answered(mine[0]), mine[1], mine[2]]

"""A review is kept as it was printed, without what was sent to a model."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reviewbot.change.model import Change
from reviewbot.costs.summary import CostSummary
from reviewbot.publishing.result import Review, review_json
from reviewbot.routing.model import Route, Tier
from reviewbot.store.ledger import Store


@pytest.fixture
def review() -> Review:
    route = Route(
        tier=Tier.CLAUDE,
        areas=("auth", "payments"),
        certainty="sure",
        scores={"auth": 4.5},
        reasons=(),
        files=(),
        why="touches sign-in",
    )
    change = Change(
        files=(),
        title="Sign in with a passkey \0 \U0001f511",
        base="a" * 40,
        head="b" * 40,
        repository="acme/shop",
        number=7,
    )
    return Review(
        id="review-1",
        change=change,
        route=route,
        findings=(),
        coverage=(),
        calls=(),
        cost=CostSummary(),
        created_at=datetime(2026, 11, 21, 12, 0, 0, 5, tzinfo=UTC),
    )


def test_a_review_reads_back_as_it_was_printed(store: Store, review: Review) -> None:
    store.save_review(review, installation=99)

    read = store.review("review-1")

    assert read is not None
    assert read.result == review_json(review)
    assert (read.repository, read.number, read.installation) == ("acme/shop", 7, 99)
    assert (read.tier, read.areas, read.certainty) == ("claude", ("auth", "payments"), "sure")
    assert (read.base, read.head) == ("a" * 40, "b" * 40)
    assert read.created_at == review.created_at


def test_a_repeated_step_writes_the_review_again(store: Store, review: Review) -> None:
    store.save_review(review)
    store.save_review(replace(review, notes=("second time",)))

    read = store.review("review-1")

    assert read is not None
    assert read.result["notes"] == ["second time"]


def test_a_review_of_a_local_range_has_no_repository(store: Store, review: Review) -> None:
    local = replace(review, change=replace(review.change, repository=None, number=None))

    store.save_review(local)

    read = store.review("review-1")
    assert read is not None
    assert (read.repository, read.number) == ("", None)


def test_a_review_that_is_not_there_is_none(store: Store) -> None:
    assert store.review("nothing") is None

"""Sampled comparisons are counted without reading reviews."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from publishing.sample_reviews import shop_review

from reviewbot.publishing.result import Review
from reviewbot.reporting.regret import Counts
from reviewbot.review.answer import Severity
from reviewbot.review.regret import PURPOSE, Regret, Side
from reviewbot.store.ledger import Store

FOUND: Counter[tuple[Severity, Side]] = Counter(
    {(Severity.HIGH, "both"): 1, (Severity.HIGH, "only_claude"): 2, (Severity.LOW, "only_local"): 3}
)


def compared_review(**changed: object) -> Review:
    """A review whose second call was Claude's, for the comparison."""
    review = shop_review()
    claude, local = review.calls
    again = replace(claude, start=replace(claude.start, purpose=PURPOSE))
    return replace(review, calls=(local, again), regret=Regret(FOUND), **changed)


def test_a_comparison_is_found_by_time_and_repository(store: Store) -> None:
    first = compared_review()
    later = compared_review(id="later", created_at=first.created_at + timedelta(days=40))
    for review in (later, first, replace(shop_review(), id="not sampled")):
        store.save_review(review, repository_id=22)

    [found, _] = store.sampled()
    [next_month] = store.sampled(since=first.created_at + timedelta(days=1))

    assert (found.review_id, found.repository, found.usd) == (
        first.id,
        "acme/shop",
        Decimal("0.0412"),
    )
    assert found.by_severity == {Severity.HIGH: Counts(1, 0, 2), Severity.LOW: Counts(0, 3, 0)}
    assert next_month.review_id == "later"
    assert store.sampled(until=first.created_at) == []
    assert store.sampled(repository="acme/other") == []


def test_a_repeated_step_writes_the_comparison_again(store: Store) -> None:
    store.save_review(compared_review())
    store.save_review(compared_review())
    [once] = store.sampled()

    store.save_review(replace(compared_review(), regret=None))

    assert once.review_id == compared_review().id
    assert store.sampled() == []

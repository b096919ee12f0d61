"""The database itself refuses to change the ledger, whoever asks."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from publishing.sample_reviews import shop_review

from reviewbot.costs.calls import Call, CallStart
from reviewbot.publishing.feedback import FeedbackKind, PostedFinding
from reviewbot.store.engine import connect
from reviewbot.store.feedback import Entry, open_feedback_store
from reviewbot.store.ledger import Store
from reviewbot.store.posted import Posting

CHANGES = [
    "UPDATE call_started SET reserved_usd = 0",
    "UPDATE call_settled SET usd = 0 WHERE id IS NOT NULL",
    "DELETE FROM call_started",
    "DELETE FROM call_settled",
    "UPDATE feedback SET kind = 'thumbs up'",
    "DELETE FROM feedback WHERE id IS NOT NULL",
]
ON_SQLITE = [
    "INSERT OR REPLACE INTO call_settled SELECT * FROM call_settled",
    "REPLACE INTO call_started SELECT * FROM call_started",
    "REPLACE INTO feedback SELECT * FROM feedback",
]
ON_POSTGRESQL = [
    "TRUNCATE call_settled",
    "TRUNCATE call_started CASCADE",
    "TRUNCATE feedback",
    "INSERT INTO call_settled SELECT * FROM call_settled ON CONFLICT (id) DO UPDATE SET usd = 0",
]


def assert_refused(url: str, store: Store, statement: str) -> None:
    """Run `statement` past all of our code, and see that nothing changed."""
    before = store.calls(), feedback_of(url)
    engine = connect(url)
    with pytest.raises(sa.exc.DBAPIError, match="is append-only"), engine.begin() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()
    assert (store.calls(), feedback_of(url)) == before
    assert all(before)


def feedback_of(url: str) -> list[PostedFinding]:
    since, until = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
    with open_feedback_store(url) as store:
        found = store.posted_findings(since=since, until=until)
    return [finding for finding in found if finding.feedback]


@pytest.fixture
def settled(
    url: str, store: Store, new_start: Callable[..., CallStart], answered: Callable[..., Call]
) -> Store:
    """A ledger with one settled call, and one finding of which somebody thought something."""
    call = answered(new_start())
    store.start_call(call.start)
    store.settle_call(call)
    now, review = call.settled_at, shop_review()
    store.save_review(review)
    store.add_posted(review.id, Posting(5, 22, now, inline=(0,)))
    with open_feedback_store(url) as feedback:
        entry = Entry(f"{review.id}:0", FeedbackKind.THUMBS_DOWN, "ada", now, "thumbs down:ada")
        feedback.add_feedback([entry])
    return store


@pytest.mark.parametrize("statement", CHANGES)
def test_rows_are_neither_changed_nor_deleted(url: str, settled: Store, statement: str) -> None:
    assert_refused(url, settled, statement)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("statement", ON_SQLITE)
def test_sqlite_does_not_replace_rows(url: str, settled: Store, statement: str) -> None:
    assert_refused(url, settled, statement)


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("statement", ON_POSTGRESQL)
def test_postgresql_does_not_empty_tables(url: str, settled: Store, statement: str) -> None:
    assert_refused(url, settled, statement)

"""The database itself refuses to change the ledger, whoever asks."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from reviewbot.costs.calls import Call, CallStart
from reviewbot.store.engine import connect
from reviewbot.store.ledger import Store

CHANGES = [
    "UPDATE call_started SET reserved_usd = 0",
    "UPDATE call_settled SET usd = 0 WHERE id IS NOT NULL",
    "DELETE FROM call_started",
    "DELETE FROM call_settled",
]
ON_SQLITE = [
    "INSERT OR REPLACE INTO call_settled SELECT * FROM call_settled",
    "REPLACE INTO call_started SELECT * FROM call_started",
]
ON_POSTGRESQL = [
    "TRUNCATE call_settled",
    "TRUNCATE call_started CASCADE",
    "INSERT INTO call_settled SELECT * FROM call_settled ON CONFLICT (id) DO UPDATE SET usd = 0",
]


def assert_refused(url: str, store: Store, statement: str) -> None:
    """Run `statement` past all of our code, and see that nothing changed."""
    before = store.calls()
    engine = connect(url)
    with pytest.raises(sa.exc.DBAPIError, match="is append-only"), engine.begin() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()
    assert store.calls() == before != []


@pytest.fixture
def settled(
    store: Store, new_start: Callable[..., CallStart], answered: Callable[..., Call]
) -> Store:
    """A ledger with one settled call."""
    call = answered(new_start())
    store.start_call(call.start)
    store.settle_call(call)
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

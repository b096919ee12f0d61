"""A fresh database for each test, on SQLite and on a real PostgreSQL server."""

import itertools
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from reviewbot.costs.calls import Call, CallStart
from reviewbot.review.engine import Outcome, Usage
from reviewbot.store.ledger import Store, open_store

_numbers = itertools.count()


@pytest.fixture
def postgresql_url(postgresql_server: str) -> str:
    """A new, empty schema: a whole database each would cost 7 MB of disk."""
    name = f"t{next(_numbers)}"
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    return f"{postgresql_server}&options=-csearch_path%3D{name}"


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A database that is not there yet, in a folder that is not either."""
    return f"sqlite:///{tmp_path}/data/reviewbot.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """Each kind of database in turn."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_store(url) as opened:
        yield opened


@pytest.fixture
def new_start() -> Callable[..., CallStart]:
    """Make starts, each a second later than the one before."""
    moments = itertools.count()

    def make(**changed: Any) -> CallStart:
        values: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "review_id": "review-1",
            "repository": "acme/shop",
            "number": 7,
            "installation": 4_000_000_000,
            "repository_id": 22,
            "purpose": "review",
            "unit": 0,
            "attempt": 1,
            "engine": "claude",
            "provider": "anthropic",
            "model": "claude-opus-5-5",
            "reserved_usd": Decimal("0.25"),
            "started_at": datetime(2026, 11, 21, 12, tzinfo=UTC)
            + timedelta(seconds=next(moments), microseconds=7),
        }
        return CallStart(**{**values, **changed})

    return make


@pytest.fixture
def answered() -> Callable[..., Call]:
    """Settle a start as answered."""

    def make(start: CallStart, **changed: Any) -> Call:
        values: dict[str, Any] = {
            "start": start,
            "outcome": Outcome.ANSWERED,
            "model": "claude-opus-5-5-20261101",
            "settled_at": start.started_at + timedelta(seconds=3),
            "latency_seconds": 2.75,
            "usage": Usage(1000, 100),
            "usd": Decimal("0.006"),
        }
        return Call(**{**values, **changed})

    return make

"""A ledger of an earlier version gets the accounts that its calls and reviews come to."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from ledger_sums import ledger_sums
from publishing.sample_reviews import scripted_review, shop_review
from test_accounts import booked

import reviewbot.store
from reviewbot.costs.budget import Payer
from reviewbot.costs.calls import Call, CallStart
from reviewbot.publishing.result import Review, review_json
from reviewbot.review.engine import Outcome
from reviewbot.store.engine import connect
from reviewbot.store.ledger import Store, open_store
from reviewbot.store.migrations.versions import v0007_accounts
from reviewbot.store.schema import (
    VERSION_TABLE,
    call_settled,
    call_started,
    metadata,
    reviews,
)

DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
LEDGER = (call_started, call_settled)


def as_before(url: str, store: Store, saved: dict[str, tuple[Review, int | None]]) -> None:
    """Make the database anew at the revision before, with the ledger and these reviews in it."""
    kept = [_row(name, *each) for name, each in saved.items()]
    engine = connect(url)
    with engine.begin() as connection:
        rows = {table: connection.execute(sa.select(table)).mappings().all() for table in LEDGER}
        metadata.drop_all(connection)
        connection.execute(sa.text(f"DROP TABLE {VERSION_TABLE}"))
        if connection.dialect.name == "postgresql":
            for name in metadata.tables:
                connection.execute(sa.text(f"DROP FUNCTION IF EXISTS {name}_append_only"))
        _upgrade(connection, v0007_accounts.down_revision)
        for table, found in {**rows, reviews: kept}.items():
            there = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
            for row in found:
                values = {name: value for name, value in row.items() if name in there}
                connection.execute(sa.insert(table).values(values))
    engine.dispose()


def _row(name: str, review: Review, repository_id: int | None) -> dict[str, Any]:
    return {
        "id": name,
        "repository": "acme/shop",
        "number": 7,
        "installation": 5,
        "repository_id": repository_id,
        "tier": "claude",
        "areas": [],
        "certainty": "sure",
        "created_at": review.created_at,
        "result": review_json(review),
    }


def _upgrade(connection: sa.Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(reviewbot.store.__path__[0], "migrations")))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def test_calls_and_reviews_that_are_there_are_booked(
    url: str,
    store: Store,
    new_start: Callable[..., CallStart],
    answered: Callable[..., Call],
) -> None:
    runs, done, lost, played = (new_start() for _ in range(4))
    here = new_start(engine="llama", provider=None, reserved_usd=Decimal(0), started_at=DECEMBER)
    unnamed = new_start(repository="", repository_id=None, number=None, engine="openai")
    for start in (runs, done, lost, played, here, unnamed):
        store.start_call(start)
    store.settle_call(answered(done, usd=Decimal("0.000000000001")))
    store.settle_call(
        answered(lost, outcome=Outcome.TIMED_OUT, usd=lost.reserved_usd, unknown=True)
    )
    store.settle_call(answered(played, scripted=True))
    local = {"usd": Decimal(0), "energy_usd": Decimal("1e-12"), "joules": 2.5}
    store.settle_call(answered(here, **local))
    store.settle_call(answered(unnamed, usd=Decimal("8999999.999999999999")))
    known = booked(url)
    review = shop_review()
    exact = replace(review.cost, all_claude_usd=Decimal("0.000000000001"))
    none = replace(review.cost, all_claude_usd=None)
    saved: dict[str, tuple[Review, int | None]] = {
        "one": (review, 22),
        "two": (replace(review, cost=exact), 22),
        "three": (replace(review, cost=none), 22),
        "by name": (review, None),
        "scripted": (scripted_review(), 22),
    }
    as_before(url, store, saved)

    with open_store(url) as upgraded:
        spending = upgraded.spending(Payer("acme/shop", 22, 7), review.created_at)
        by_name = upgraded.spending(Payer("acme/shop", None, 7), review.created_at)
        later = upgraded.spending(Payer("acme/shop", 22, 7), DECEMBER)

    assert booked(url) == known == ledger_sums(store.calls())
    once, twice = review.cost.all_claude_usd, Decimal("0.053800000001")
    assert [account.all_claude_usd for account in spending.accounts] == [twice, twice, once + twice]
    assert [account.all_claude_usd for account in by_name.accounts][:2] == [once, once]
    assert later.of("repository").joules == 2.5


def test_a_new_database_and_an_upgraded_one_take_the_same_calls(
    url: str, store: Store, new_start: Callable[..., CallStart], answered: Callable[..., Call]
) -> None:
    start = new_start()
    store.start_call(start)
    as_before(url, store, {})

    with open_store(url) as upgraded:
        upgraded.settle_call(answered(start))

        assert booked(url) == ledger_sums(upgraded.calls())

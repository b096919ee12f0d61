"""Caps hold for what a ledger and the past have together, and a refusal names the whole cap."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from reviewbot.costs.budget import Account, Caps, Payer, Scope
from reviewbot.costs.calls import CallStart
from reviewbot.past_spending import with_past
from reviewbot.store.ledger import Store, open_store

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
PAYER = Payer("acme/shop", 22, 7)
MONTH = Scope("repository", "22", "2026-11")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/reviewbot.db") as opened:
        yield opened


def start(usd: str) -> CallStart:
    return CallStart(
        id=str(uuid.uuid4()),
        review_id="r",
        repository="acme/shop",
        number=7,
        installation=None,
        repository_id=22,
        purpose="review",
        unit=0,
        attempt=1,
        engine="claude",
        provider="anthropic",
        model="claude-opus-5-5",
        reserved_usd=Decimal(usd),
        started_at=NOW,
    )


def spent(usd: str, scope: Scope = MONTH) -> Account:
    return Account(scope, external_usd=Decimal(usd), claude_usd=Decimal(usd), calls=3)


def test_a_call_must_fit_beside_the_past(store: Store) -> None:
    books = with_past(store, [spent("0.90")])
    caps = Caps(repository_usd=Decimal(1))

    assert books.start_call(start("0.06"), caps) is None
    refusal = books.start_call(start("0.05"), caps)

    assert refusal
    assert (refusal.kind, refusal.cap_usd) == ("repository", Decimal(1))


def test_a_past_above_the_cap_leaves_nothing(store: Store) -> None:
    books = with_past(store, [spent("3"), spent("0.2", Scope("pull", "22#7", ""))])

    refusal = books.start_call(start("0.000001"), Caps(repository_usd=Decimal(1)))

    assert refusal
    assert refusal.cap_usd == Decimal(1)


def test_another_months_past_and_other_caps_do_not_count(store: Store) -> None:
    books = with_past(store, [spent("3", Scope("repository", "22", "2026-10"))])

    assert books.start_call(start("0.5"), Caps(repository_usd=Decimal(1))) is None
    assert books.start_call(start("9"), Caps()) is None


def test_both_are_told_as_one(store: Store) -> None:
    books = with_past(store, [spent("0.90")])
    books.start_call(start("0.06"), Caps())

    month = books.spending(PAYER, NOW, review_id=None).of("repository")

    assert month
    assert (month.used_usd, month.claude_usd, month.calls) == (Decimal("0.96"), Decimal("0.90"), 3)


def test_without_a_past_the_books_are_the_same(store: Store) -> None:
    assert with_past(store, ()) is store

"""Figures of answers, as `/metrics` has them from the ledger."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from reviewbot.costs.calls import Call, CallStart
from reviewbot.costs.readability import Readability
from reviewbot.errors import StoreError
from reviewbot.review.engine import Outcome
from reviewbot.service.lazy import LazyStore
from reviewbot.service.metrics import Metrics
from reviewbot.store.ledger import Store, open_store


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/reviewbot.db"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_store(url) as opened:
        yield opened


def settle(store: Store, name: str, outcome: Outcome, **raw: int) -> None:
    now = datetime.now(UTC)
    start = CallStart(
        id=name,
        review_id="r",
        repository="acme/shop",
        number=7,
        installation=1,
        repository_id=2,
        purpose="review",
        unit=0,
        attempt=1,
        engine="llama",
        provider=None,
        model="tiny.gguf",
        reserved_usd=Decimal(0),
        started_at=now,
    )
    store.start_call(start)
    store.settle_call(Call(start, outcome, "tiny.gguf", now, 1.0, raw=raw))


def test_unreadable_answers_are_counted_from_the_ledger(url: str, store: Store) -> None:
    settle(store, "a", Outcome.ANSWERED, lines=3, unreadable_lines=0)
    settle(store, "b", Outcome.TRUNCATED, lines=2, unreadable_lines=1)
    settle(store, "c", Outcome.UNREACHABLE)

    text = Metrics(LazyStore(url).readability).text().decode()

    tiny = 'engine="llama",model="tiny.gguf"'
    assert f"reviewbot_answers_total{{{tiny}}} 2.0" in text
    assert f"reviewbot_answers_unreadable_total{{{tiny}}} 1.0" in text
    assert f'reviewbot_answer_lines_total{{{tiny},readable="yes"}} 5.0' in text
    assert f'reviewbot_answer_lines_total{{{tiny},readable="no"}} 1.0' in text


def test_the_ledger_is_not_asked_again_at_once(url: str, store: Store) -> None:
    metrics = Metrics(LazyStore(url).readability)
    metrics.text()
    settle(store, "a", Outcome.ANSWERED)

    assert b"tiny.gguf" not in metrics.text()


def test_without_a_database_the_other_figures_are_there() -> None:
    def away(*, since: datetime, until: datetime) -> Sequence[Readability]:
        raise StoreError("no route")

    metrics = Metrics(away)
    metrics.delivery("ping", "ping")

    text = metrics.text().decode()

    assert 'reviewbot_deliveries_total{event="ping",outcome="ping"} 1.0' in text
    assert "# TYPE reviewbot_answers_total counter" in text
    assert "no route" not in text

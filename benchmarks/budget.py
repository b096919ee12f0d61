"""A capped call in a month of 100 000 calls: reserve and settle, beside the same two rows alone.

`python benchmarks/budget.py [DATABASE_URL]`: default is SQLite in a temporary folder.
"""

import json
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from statistics import median

import sqlalchemy as sa
from processes import table

from reviewbot.costs.budget import Caps, Payer
from reviewbot.costs.calls import Call, CallStart
from reviewbot.review.engine import Outcome, Usage
from reviewbot.store import accounts, calls
from reviewbot.store.engine import connect
from reviewbot.store.ledger import Store, open_store
from reviewbot.store.schema import call_settled, call_started

BEFORE, MEASURED, REPOSITORIES = 100_000, 400, 40
NOW = datetime.now(UTC)
CAPS = Caps(Decimal(1_000), Decimal(100_000), Decimal(1_000_000))


def start_of(number: int) -> CallStart:
    return CallStart(
        id=str(uuid.uuid4()),
        review_id=f"review-{number // 3}",
        repository="acme/shop",
        number=number // 30,
        installation=1,
        repository_id=number % REPOSITORIES,
        purpose="review",
        unit=0,
        attempt=1,
        engine="claude",
        provider="anthropic",
        model="claude-opus-5-5",
        reserved_usd=Decimal("0.25"),
        started_at=NOW,
    )


def settled(start: CallStart) -> Call:
    usage, usd = Usage(1_000, 100), Decimal("0.006")
    return Call(start, Outcome.ANSWERED, start.model, NOW, 2.5, usage=usage, usd=usd)


def fill(store: Store, url: str) -> None:
    """A month's ledger and accounts: rows at once, accounts by one call for each repository."""
    engine = connect(url)
    done = [settled(start_of(number)) for number in range(BEFORE)]
    with engine.begin() as connection:
        names = [column.name for column in call_started.columns]
        rows = [{name: getattr(call.start, name) for name in names} for call in done]
        connection.execute(sa.insert(call_started), rows)
        connection.execute(sa.insert(call_settled), [calls._settled_row(call) for call in done])
    engine.dispose()
    for number in range(REPOSITORIES):
        store.start_call(start_of(number), CAPS)


@contextmanager
def without_accounts() -> Iterator[None]:
    """The ledger alone, as a reference."""
    reserve, settle = accounts.reserve, accounts.settle
    accounts.reserve, accounts.settle = (lambda *_: None), (lambda *_: None)  # type: ignore[assignment]
    try:
        yield
    finally:
        accounts.reserve, accounts.settle = reserve, settle  # type: ignore[assignment]


def milliseconds(action: Callable[[int], None]) -> list[float]:
    took = []
    for number in range(MEASURED):
        began = time.perf_counter()
        action(number)
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took)


def one_call(store: Store) -> Callable[[int], None]:
    def call(number: int) -> None:
        start = start_of(number)
        if store.start_call(start, CAPS):
            sys.exit("the cap is too low for this benchmark")
        store.settle_call(settled(start))

    return call


def by_adding_up(url: str) -> float:
    """Milliseconds for the sum of the month, which the accounts spare."""
    engine, s, e = connect(url), call_started.c, call_settled.c
    query = sa.select(sa.func.sum(sa.func.coalesce(e.usd, s.reserved_usd))).select_from(
        call_started.outerjoin(call_settled, e.id == s.id)
    )
    with engine.connect() as connection:
        began = time.perf_counter()
        connection.execute(query.where(s.started_at >= NOW.replace(day=1, hour=0))).scalar()
        took = (time.perf_counter() - began) * 1000
    engine.dispose()
    return took


def main(url: str) -> None:
    with open_store(url) as store:
        fill(store, url)
        payer = Payer("acme/shop", 1, 1)
        capped = milliseconds(one_call(store))
        with without_accounts():
            alone = milliseconds(one_call(store))
        read = milliseconds(lambda _: store.spending(payer, NOW) and None)
    rows = {"a capped call": capped, "its two rows alone": alone, "reading what is spent": read}
    shown = [(name, f"{median(t):.2f}", f"{t[-len(t) // 100]:.2f}") for name, t in rows.items()]
    table([("ms", "p50", "p99"), *shown])
    adding = by_adding_up(url)
    print(f"adding up the month instead: {adding:.1f} ms")
    result = {
        "database": url.partition(":")[0],
        "calls_before": BEFORE,
        "capped_call_ms_p50": round(median(capped), 2),
        "ledger_alone_ms_p50": round(median(alone), 2),
        "ratio": round(median(capped) / median(alone), 2),
        "read_ms_p50": round(median(read), 2),
        "adding_up_ms": round(adding, 1),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(f"sqlite:///{folder}/reviewbot.db")

"""Two hundred jobs at once, in several processes: a cap is never passed, and never left unused."""

import multiprocessing
import random
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from ledger_sums import ledger_sums

from reviewbot.costs.budget import Caps, Payer
from reviewbot.costs.calls import Call, CallStart
from reviewbot.review.engine import Outcome
from reviewbot.store.ledger import Store, open_store

PROCESSES, THREADS = 4, 50
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CENT = Decimal("0.01")
#: Caps that all three bite: of ten pull requests in two repositories.
CAPS = Caps(Decimal("1.10"), Decimal("5.03"), Decimal("8.01"))


def start_of(job: int, reserve: Decimal) -> CallStart:
    number = job % 10
    return CallStart(
        id=str(uuid.uuid4()),
        review_id=f"review-{number}",
        repository="acme/shop",
        number=number,
        installation=1,
        repository_id=number % 2,
        purpose="review",
        unit=0,
        attempt=1,
        engine="claude",
        provider="anthropic",
        model="claude-opus-5-5",
        reserved_usd=reserve,
        started_at=NOW,
    )


def ended(start: CallStart, outcome: Outcome, usd: Decimal, *, unknown: bool = False) -> Call:
    return Call(start, outcome, start.model, NOW, 1.0, usd=usd, unknown=unknown)


def only_reserve(store: Store, job: int) -> None:
    store.start_call(start_of(job, 10 * CENT), CAPS)


def whole_call(store: Store, job: int) -> None:
    """Reserve, then end in one of the ways in which calls end."""
    chance = random.Random(job)
    start = start_of(job, chance.randint(1, 25) * CENT)
    if store.start_call(start, CAPS):
        held = replace(start, reserved_usd=Decimal(0))
        store.settle_call(ended(held, Outcome.OVER_BUDGET, Decimal(0)))
        return
    fate = chance.choice(("answered", "answered", "lost", "dies"))
    if fate == "answered":
        store.settle_call(ended(start, Outcome.ANSWERED, start.reserved_usd / 4))
    elif fate == "lost":
        store.settle_call(ended(start, Outcome.TIMED_OUT, start.reserved_usd, unknown=True))


def run(url: str, job: Callable[[Store, int], None], numbers: range) -> None:
    """One process with its threads."""
    with open_store(url) as store, ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda number: job(store, number), numbers))


def at_once(url: str, job: Callable[[Store, int], None], meanwhile: Callable[[], None]) -> None:
    """All jobs, in all processes; `meanwhile` is done again and again until they have ended."""
    context = multiprocessing.get_context("spawn")
    shares = [range(n * THREADS, (n + 1) * THREADS) for n in range(PROCESSES)]
    workers = [context.Process(target=run, args=(url, job, share)) for share in shares]
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        meanwhile()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * PROCESSES


def assert_within_the_caps(store: Store) -> None:
    """By the ledger itself, added up."""
    for (kind, *_), sums in ledger_sums(store.calls()).items():
        spent = sums["reserved"] + sums["unknown"] + sums["external"]
        cap = CAPS.of(kind)  # type: ignore[arg-type]
        assert cap is not None
        assert spent <= cap, kind


def assert_accounts_are_the_ledger(store: Store) -> None:
    for (kind, name, _), sums in ledger_sums(store.calls()).items():
        number = int(name.partition("#")[2]) if kind == "pull" else None
        repository = int(name.partition("#")[0]) if name else None
        account = store.spending(Payer("acme/shop", repository, number), NOW).of(kind)
        assert account is not None
        assert (account.reserved_usd, account.unknown_usd, account.external_usd, account.calls) == (
            sums["reserved"], sums["unknown"], sums["external"], sums["calls"],
        )  # fmt: skip


def test_reserves_alone_fill_every_cap_to_the_last_that_fits(store: Store, url: str) -> None:
    at_once(url, only_reserve, lambda: assert_within_the_caps(store))

    calls = store.calls()
    assert len(calls) == PROCESSES * THREADS
    assert_within_the_caps(store)
    assert_accounts_are_the_ledger(store)
    total = ledger_sums(calls)["operator", "", "2026-11"]["reserved"]
    assert total == Decimal("8.00"), "80 of 200 fit under $8.01"


def test_calls_that_come_and_go_never_pass_a_cap(store: Store, url: str) -> None:
    at_once(url, whole_call, lambda: assert_within_the_caps(store))

    calls = store.calls()
    assert len(calls) == PROCESSES * THREADS
    made = [c for c in calls if isinstance(c, CallStart) or c.outcome is not Outcome.OVER_BUDGET]
    assert 0 < len(made) < len(calls), "some fit, some did not"
    assert_within_the_caps(store)
    assert_accounts_are_the_ledger(store)

"""Many writers at once: no call is lost, none is settled twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

from reviewbot.costs.calls import Call, CallStart
from reviewbot.costs.summary import summarize
from reviewbot.errors import StoreError
from reviewbot.store.ledger import Store

THREADS, CALLS = 8, 50


def test_eight_threads_write_four_hundred_calls(
    store: Store, new_start: Callable[..., CallStart], answered: Callable[..., Call]
) -> None:
    def work(thread: int) -> list[Call]:
        made = []
        for unit in range(CALLS):
            start = new_start(review_id=f"review-{thread}", unit=unit)
            store.start_call(start)
            made.append(answered(start))
            store.settle_call(made[-1])
        return made

    with ThreadPoolExecutor(THREADS) as pool:
        made = [call for calls in pool.map(work, range(THREADS)) for call in calls]

    read = store.calls()
    assert sorted(read, key=lambda call: call.id) == sorted(made, key=lambda call: call.id)
    assert summarize(read).total_usd == THREADS * CALLS * Decimal("0.006")


def test_of_many_settlements_one_wins(
    store: Store, new_start: Callable[..., CallStart], answered: Callable[..., Call]
) -> None:
    start = new_start()
    store.start_call(start)

    def settle(cents: int) -> Decimal | None:
        call = answered(start, usd=Decimal(cents) / 100)
        try:
            store.settle_call(call)
        except StoreError:
            return None
        return call.usd

    with ThreadPoolExecutor(THREADS) as pool:
        won = [usd for usd in pool.map(settle, range(1, 17)) if usd is not None]

    (call,) = store.calls()
    assert isinstance(call, Call)
    assert won == [call.usd]

"""One question to one engine: what our own hardware used for it, and for nothing else."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from threading import Event, Lock, Semaphore

import pytest

from reviewbot.asking import Asker
from reviewbot.costs.budget import Caps, Payer, Spending
from reviewbot.costs.calls import Call, CallStart
from reviewbot.costs.local import LocalRates
from reviewbot.costs.prices import PriceBook
from reviewbot.review.answer import answer_schema
from reviewbot.review.engine import Ask, Outcome, Prompt, Reply, Usage

ANSWER = '{"walkthrough": "It changes a thing.", "findings": []}'


class Card:
    """Hardware for one answer at a time, with a meter: a hundred joules for each."""

    def __init__(self) -> None:
        self.joules = 1_000.0
        self.free = Lock()
        self.taken, self.go_on = Event(), Event()
        self.asked = Semaphore(0)

    def __call__(self) -> float:
        return self.joules


class OneAtATime:
    """An engine whose calls wait for each other; each works until it is told to go on."""

    name, model, external, provider, context_tokens = "llama", "tiny", False, None, 4_096
    at_once = 1

    def __init__(self, card: Card) -> None:
        self.card = card

    def ask(self, prompt: Prompt, *, timeout: float) -> Reply:
        raise AssertionError("it is told when its turn has come")

    def ask_in_turn(self, prompt: Prompt, *, timeout: float, begun: Callable[[], None]) -> Reply:
        if prompt.unit == "too long":
            return Reply(Outcome.TOO_LONG, self.model, 0.0)
        self.card.asked.release()
        with self.card.free:
            begun()
            begun()  # the process died with it and has taken it up again
            self.card.taken.set()
            assert self.card.go_on.wait(30)
            self.card.joules += 100
        return Reply(Outcome.ANSWERED, self.model, 1.0, ANSWER, Usage(input=9, output=9))


class Books:
    """The ledger's first half, without caps."""

    def start_call(self, start: CallStart, caps: Caps) -> None: ...

    def spending(self, payer: Payer, at: datetime, *, review_id: str | None) -> Spending:
        return Spending(())


@pytest.fixture
def card() -> Card:
    return Card()


@pytest.fixture
def call(card: Card) -> Callable[[str], Call]:
    """Ask about a unit; the settled call."""
    asker = Asker(
        engines={"local": OneAtATime(card)},
        timeouts={"local": 30},
        ledger=Books(),
        prices=PriceBook(),
        rates=LocalRates(Decimal(0), 36, Decimal("0.13"), Decimal(350)),
        energy=card,
    )

    def asked(unit: str) -> Call:
        prompt = Prompt("Review.", "Title: x", unit, answer_schema(), 100)
        return asker.call(Ask("local", 0, prompt), 1, review_id="r")[1]

    return asked


def test_a_call_that_waits_for_its_turn_pays_for_none_of_the_others(
    card: Card, call: Callable[[str], Call]
) -> None:
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(call, "first")
        assert card.taken.wait(30)
        others = [pool.submit(call, "second"), pool.submit(call, "third")]
        for _ in range(3):
            assert card.asked.acquire(timeout=30)
        card.go_on.set()
        calls = [first.result(), *(other.result() for other in others)]

    assert [made.joules for made in calls] == [100, 100, 100]
    assert card.joules == 1_300


def test_a_call_that_was_never_worked_on_used_nothing(
    card: Card, call: Callable[[str], Call]
) -> None:
    with ThreadPoolExecutor(1) as pool:
        answered = pool.submit(call, "first")
        assert card.taken.wait(30)

        refused = call("too long")
        card.go_on.set()

    assert (refused.joules, refused.busy_seconds) == (0, 0)
    assert answered.result().joules == 100

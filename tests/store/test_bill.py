"""The ledger against the provider's bill: settled is the bill for answered calls, and settled
plus unknown is never less than the bill, whatever goes wrong."""

import random
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from reviewbot.costs.calls import CallStart
from reviewbot.costs.local import LocalRates
from reviewbot.costs.prices import PriceBook
from reviewbot.costs.settle import settle_call
from reviewbot.costs.summary import summarize
from reviewbot.review.engine import Outcome, Reply, Usage
from reviewbot.store.ledger import Store

MODEL = "claude-opus-5-5"
RATES = LocalRates(Decimal(1400), 36, Decimal("0.13"), Decimal(350))

#: What may become of a call; the last is a crash between start and settlement.
FATES = ("answered", "refused", "timed_out", "unreachable", "rate_limited", "crash")


class Provider:
    """Bills what it worked out, whether or not its answer arrives."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.answered_usd = Decimal(0)
        self.lost_usd = Decimal(0)

    def ask(self, fate: str, prompt: str, most_output: int) -> Reply | None:
        used = Usage(self.random.randint(1, len(prompt)), self.random.randint(1, most_output))
        price = (used.input * Decimal(4) + used.output * Decimal(20)) / 1_000_000
        if fate in ("answered", "refused"):
            self.answered_usd += price
            counts = {"input_tokens": used.input, "output_tokens": used.output}
            raw: dict[str, Any] = {"model": MODEL, "usage": counts}
            return Reply(Outcome(fate), MODEL, 1.0, usage=used, raw=raw)
        if fate == "rate_limited":
            return Reply(Outcome.RATE_LIMITED, "", 0.1)
        if self.random.random() < 0.5:
            self.lost_usd += price
        return None if fate == "crash" else Reply(Outcome(fate), "", 1.0)


def test_the_ledger_never_says_less_than_the_bill(
    store: Store, new_start: Callable[..., CallStart]
) -> None:
    book, provider, prompt = PriceBook(), Provider(seed=7), "review this\n" * 200
    for number in range(60):
        reserve = book.reserve("anthropic", MODEL, prompt, 800, cache="none")
        start = new_start(reserved_usd=reserve)
        store.start_call(start)
        reply = provider.ask(FATES[number % len(FATES)], prompt, 800)
        if reply is not None:
            later = start.started_at + timedelta(seconds=1)
            store.settle_call(settle_call(start, reply, prices=book, rates=RATES, at=later))

    told = summarize(store.calls())

    assert provider.lost_usd > 0
    assert told.calls == 60
    assert told.claude_usd == told.total_usd == provider.answered_usd
    assert told.total_usd + told.unknown_usd >= provider.answered_usd + provider.lost_usd

"""The flow's steps for one person at a terminal: plain calls, several questions at a time."""

import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from threading import Event
from typing import Protocol

from reviewbot.change.model import Change, Sources
from reviewbot.change.source import Fetched
from reviewbot.costs.busy import SharedMeter
from reviewbot.costs.calls import Call, CallStart
from reviewbot.costs.local import LocalRates
from reviewbot.costs.prices import PriceBook
from reviewbot.costs.settle import settle_call
from reviewbot.pipeline import Asked
from reviewbot.publishing.result import Review
from reviewbot.review.engine import Ask, Engine, Reply, Role
from reviewbot.review.evidence import Analysis, Analyzers
from reviewbot.review.retrying import checked, retry_delay

#: Questions in flight at once. A service's own limits are met by waiting as it says.
PARALLEL = 8


class Ledger(Protocol):
    """Where calls are written down before they are made, and settled after."""

    def start_call(self, start: CallStart) -> None: ...

    def settle_call(self, call: Call) -> None: ...

    def save_review(self, review: Review) -> None: ...


class Reporter(Protocol):
    """Tells a waiting person what is going on."""

    def say(self, text: str) -> None: ...

    def start(self, total: int, label: str) -> None: ...

    def done(self, label: str) -> None: ...


@dataclass(frozen=True)
class PlainSteps:
    """Everything happens here and now."""

    review_id: str
    source: Callable[[], Fetched]
    analyzers: Analyzers
    engines: Mapping[Role, Engine]
    timeouts: Mapping[Role, float]
    """Longest wait for one answer, seconds."""
    ledger: Ledger
    prices: PriceBook
    rates: LocalRates
    reporter: Reporter
    energy: Callable[[], float] | None = None
    """Reads the joules that the local engine's machine has used; None where nothing counts them."""
    busy: SharedMeter = field(default_factory=SharedMeter)
    """Seconds of our own hardware: calls at the same time share them."""
    used: SharedMeter = field(default_factory=SharedMeter)
    """Joules of our own hardware, likewise."""
    stopping: Event = field(default_factory=Event)
    """Set when no further call may be made."""

    def fetch(self) -> Fetched:
        self.reporter.say("reading the change")
        return self.source()

    def analyze(
        self, change: Change, sources: Sources, *, skip: Collection[str], sql_dialect: str
    ) -> Analysis:
        self.reporter.say("running analysers")
        return self.analyzers.analyze(change, sources, skip=skip, sql_dialect=sql_dialect)

    def ask(self, asks: Sequence[Ask]) -> list[Asked]:
        if not asks:
            return []
        self.reporter.start(
            len(asks), f"asking {', '.join(sorted({self.engines[a.role].model for a in asks}))}"
        )
        pool = ThreadPoolExecutor(max_workers=PARALLEL)
        try:
            return list(pool.map(self._ask_until_final, asks))
        except BaseException:
            # ^C, or an error: nobody waits for the others, and nothing more is paid for
            self.stopping.set()
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def record(self, review: Review) -> None:
        self.ledger.save_review(review)

    def publish(self, review: Review) -> None:
        """Nothing is posted from the terminal: the command prints the review."""

    def _ask_until_final(self, ask: Ask) -> Asked:
        calls: list[Call] = []
        attempt = 1
        while True:
            reply, call = self._call(ask, attempt)
            calls.append(call)
            delay = retry_delay(reply, attempt)
            if delay is None:
                self.reporter.done(f"{call.start.model}: part {ask.unit + 1} {reply.outcome}")
                return Asked(reply, tuple(calls))
            self.reporter.say(f"{call.start.model}: {reply.outcome}, trying again in {delay:.0f} s")
            if self.stopping.wait(delay):
                return Asked(reply, tuple(calls))
            attempt += 1

    def _call(self, ask: Ask, attempt: int) -> tuple[Reply, Call]:
        engine = self.engines[ask.role]
        start = CallStart(
            id=str(uuid.uuid4()),
            review_id=self.review_id,
            repository=ask.repository or "",
            number=ask.number,
            installation=None,
            purpose=ask.purpose,
            unit=ask.unit,
            attempt=attempt,
            engine=engine.name,
            provider=engine.provider,
            model=engine.model,
            reserved_usd=self._reserve(engine, ask),
            started_at=datetime.now(UTC),
        )
        self.ledger.start_call(start)
        reply, seconds = self._measured(engine, start.id, ask)
        call = settle_call(
            start,
            reply,
            prices=self.prices,
            rates=self.rates,
            at=datetime.now(UTC),
            busy_seconds=seconds,
        )
        self.ledger.settle_call(call)
        return reply, call

    def _measured(self, engine: Engine, call: str, ask: Ask) -> tuple[Reply, float]:
        """The reply, with its share of joules, and its share of our hardware's seconds."""
        timeout = self.timeouts[ask.role]
        if engine.provider is not None:
            return checked(engine.ask(ask.prompt, timeout=timeout)), 0.0
        self.busy.start(call, time.monotonic())
        self.used.start(call, self.energy() if self.energy else 0.0)
        try:
            reply = checked(engine.ask(ask.prompt, timeout=timeout))
        finally:
            joules = self.used.stop(call, self.energy() if self.energy else 0.0)
            seconds = self.busy.stop(call, time.monotonic())
        if reply.joules is None and self.energy:
            reply = replace(reply, joules=joules)
        return reply, seconds

    def _reserve(self, engine: Engine, ask: Ask) -> Decimal:
        """A proven upper bound of what the call can cost; 0 on our own hardware."""
        if engine.provider is None:
            return Decimal(0)
        prompt = ask.prompt
        return self.prices.reserve(
            engine.provider,
            engine.model,
            prompt.text,
            prompt.max_output_tokens,
            schema=prompt.schema,
            cache="5m" if prompt.cache_prefix else "none",
        )

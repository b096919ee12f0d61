"""One question to one engine: written down before it is asked, measured, and priced after."""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol, runtime_checkable

from reviewbot.costs.busy import SharedMeter
from reviewbot.costs.calls import Call, CallStart
from reviewbot.costs.local import LocalRates
from reviewbot.costs.prices import PriceBook
from reviewbot.costs.settle import settle_call
from reviewbot.errors import EngineError
from reviewbot.review.engine import (
    Ask,
    Counted,
    CountsTokens,
    Engine,
    Prompt,
    Reply,
    Role,
)
from reviewbot.review.retrying import checked


class Starts(Protocol):
    """Where calls are written down before they are made."""

    def start_call(self, start: CallStart) -> None: ...


@runtime_checkable
class TakesTurns(Protocol):
    """An engine on our own hardware whose calls may have to wait for each other."""

    @property
    def at_once(self) -> int:
        """Calls that are worked on side by side."""
        ...

    def ask_in_turn(self, prompt: Prompt, *, timeout: float, begun: Callable[[], None]) -> Reply:
        """As `Engine.ask`; calls `begun` in the same thread when the hardware begins to work on
        this prompt. It may be called more than once, or, for a call that failed before, never."""
        ...


@dataclass(frozen=True)
class Asker:
    """Makes calls; one for all reviews of a process. Safe to use from several threads."""

    engines: Mapping[Role, Engine]
    timeouts: Mapping[Role, float]
    """Longest wait for one answer, seconds."""
    ledger: Starts
    prices: PriceBook
    rates: LocalRates
    energy: Callable[[], float] | None = None
    """Reads the joules that the local engine's machine has used; None where nothing counts them."""
    busy: SharedMeter = field(default_factory=SharedMeter)
    """Seconds of our own hardware: calls that are worked on at the same time share them."""
    used: SharedMeter = field(default_factory=SharedMeter)
    """Joules of our own hardware, likewise."""

    def call(
        self,
        ask: Ask,
        attempt: int,
        *,
        review_id: str,
        installation: int | None = None,
        repository_id: int | None = None,
    ) -> tuple[Reply, Call]:
        """Ask once. The start is in the ledger; the settled call is the caller's to store.

        Raises EngineError as engines do, PriceError for a model without a price.
        """
        engine = self.engines[ask.role]
        start = CallStart(
            id=str(uuid.uuid4()),
            review_id=review_id,
            repository=ask.repository or "",
            number=ask.number,
            installation=installation,
            repository_id=repository_id,
            purpose=ask.purpose,
            unit=ask.unit,
            attempt=attempt,
            engine=engine.name,
            provider=engine.provider,
            model=engine.model,
            reserved_usd=self._reserve(engine, ask.prompt),
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
        return reply, call

    def count(self, role: Role, prompt: Prompt, texts: Sequence[str]) -> Counted | None:
        """Exact tokens by the vocabulary of the role's engine; None where it can't tell. Whatever
        stands in its way meets the questions, too, and is told there."""
        engine = self.engines[role]
        if not isinstance(engine, CountsTokens):
            return None
        try:
            return engine.count(prompt, texts)
        except EngineError:
            return None

    def _measured(self, engine: Engine, call: str, ask: Ask) -> tuple[Reply, float]:
        """The reply, with its share of joules, and its share of our hardware's seconds."""
        timeout = self.timeouts[ask.role]
        if engine.provider is not None:
            return checked(engine.ask(ask.prompt, timeout=timeout), ask.prompt.schema), 0.0

        def begin() -> None:
            self.busy.start(call, time.monotonic())
            self.used.start(call, self._joules())

        try:
            if isinstance(engine, TakesTurns):  # who only waits uses nothing
                reply = engine.ask_in_turn(ask.prompt, timeout=timeout, begun=begin)
            else:
                begin()
                reply = engine.ask(ask.prompt, timeout=timeout)
        finally:
            joules = self.used.stop(call, self._joules())
            seconds = self.busy.stop(call, time.monotonic())
        if reply.joules is None and self.energy:
            reply = replace(reply, joules=joules)
        return checked(reply, ask.prompt.schema), seconds

    def _joules(self) -> float:
        return self.energy() if self.energy else 0.0

    def _reserve(self, engine: Engine, prompt: Prompt) -> Decimal:
        """A proven upper bound of what the call can cost; 0 on our own hardware."""
        if engine.provider is None:
            return Decimal(0)
        return self.prices.reserve(
            engine.provider,
            engine.model,
            prompt.text,
            prompt.max_output_tokens,
            schema=prompt.schema,
            cache="5m" if prompt.cache_prefix else "none",
        )

"""One question to one engine: written down before it is asked, measured, and priced after."""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol, runtime_checkable

from reviewbot.config.policy import Budget
from reviewbot.costs.budget import (
    Caps,
    Payer,
    Refusal,
    Spending,
    limit_text,
    refused,
    reserve_of,
)
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
    Outcome,
    Prompt,
    Reply,
    Role,
    stands_for,
)
from reviewbot.review.retrying import checked

#: Seconds after which a question is tried again that did not fit because of calls which still run,
#: by try: most calls end within a minute.
LATER = (5.0, 15.0, 45.0)


class Books(Protocol):
    """Where calls are written down before they are made, and what is spent is known."""

    def start_call(self, start: CallStart, caps: Caps) -> Refusal | None:
        """Reserve the call's largest possible bill; why not, where a cap is in the way."""
        ...

    def spending(self, payer: Payer, at: datetime, *, review_id: str | None) -> Spending: ...


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
    ledger: Books
    prices: PriceBook
    rates: LocalRates
    monthly_usd: Decimal | None = None
    """The operator's cap on all external engines in a calendar month; None: no cap."""
    energy: Callable[[], float] | None = None
    """Reads the joules that the local engine's machine has used; None where nothing counts them."""
    busy: SharedMeter = field(default_factory=SharedMeter)
    """Seconds of our own hardware: calls that are worked on at the same time share them."""
    used: SharedMeter = field(default_factory=SharedMeter)
    """Joules of our own hardware, likewise."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    seconds: Callable[[], float] = time.monotonic
    """Seconds of a clock that only goes forward."""

    def call(
        self, ask: Ask, attempt: int, *, review_id: str, installation: int | None = None
    ) -> tuple[Reply, Call]:
        """Ask once. The start is in the ledger; the settled call is the caller's to store.

        A question whose reserve does not fit under a cap is not asked: `over_budget`. Raises
        EngineError as engines do, PriceError for a model without a price.
        """
        engine, now = self.engines[ask.role], self.now()
        start = CallStart(
            id=str(uuid.uuid4()),
            review_id=review_id,
            repository=ask.repository or "",
            number=ask.number,
            installation=installation,
            repository_id=ask.repository_id,
            purpose=ask.purpose,
            unit=ask.unit,
            attempt=attempt,
            engine=engine.name,
            provider=engine.provider,
            model=engine.model,
            reserved_usd=reserve_of(self.prices, engine.provider, engine.model, ask.prompt),
            started_at=now,
        )
        if refusal := self.ledger.start_call(start, self.caps(ask.budget)):
            start = replace(start, reserved_usd=Decimal(0))
            reply, seconds = _not_asked(engine.model, refusal, attempt, ask.repository), 0.0
        else:
            reply, seconds = self._measured(engine, start.id, ask)
        call = settle_call(
            start,
            reply,
            prices=self.prices,
            rates=self.rates,
            at=self.now(),
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

    def caps(self, budget: Budget | None) -> Caps:
        """The policy's caps and the operator's."""
        if budget is None:
            return Caps(operator_usd=self.monthly_usd)
        return Caps(budget.per_pr_usd, budget.monthly_usd, self.monthly_usd)

    def spending(self, payer: Payer, budget: Budget, *, review_id: str | None = None) -> Spending:
        """What is spent for the payer by now, under these caps."""
        known = self.ledger.spending(payer, self.now(), review_id=review_id)
        return known.under(self.caps(budget))

    def too_dear(self, asks: Sequence[Ask]) -> str:
        """Why the questions of one review would not fit under the caps together, in words; empty
        if they do. Nothing is reserved."""
        need = Decimal(0)
        for ask in asks:
            engine = self.engines[ask.role]
            need += reserve_of(self.prices, engine.provider, engine.model, ask.prompt)
        if not need:
            return ""
        first = asks[0]
        payer = Payer(first.repository or "", first.repository_id, first.number)
        now = self.spending(payer, first.budget or Budget())
        refusal = refused(now.accounts, need)
        if refusal is None or refusal.may_fit_later:  # each question waits for its own turn
            return ""
        return limit_text(refusal.kind, refusal.cap_usd, first.repository or "")

    def _measured(self, engine: Engine, call: str, ask: Ask) -> tuple[Reply, float]:
        """The reply, with its share of joules, and its share of our hardware's seconds."""
        timeout = self.timeouts[stands_for(ask.role)]
        if engine.provider is not None:
            return checked(engine.ask(ask.prompt, timeout=timeout), ask.prompt.schema), 0.0

        def begin() -> None:
            self.busy.start(call, self.seconds())
            self.used.start(call, self._joules())

        try:
            if isinstance(engine, TakesTurns):  # who only waits uses nothing
                reply = engine.ask_in_turn(ask.prompt, timeout=timeout, begun=begin)
            else:
                begin()
                reply = engine.ask(ask.prompt, timeout=timeout)
        finally:
            joules = self.used.stop(call, self._joules())
            seconds = self.busy.stop(call, self.seconds())
        if reply.joules is None and self.energy:
            reply = replace(reply, joules=joules)
        return checked(reply, ask.prompt.schema), seconds

    def _joules(self) -> float:
        return self.energy() if self.energy else 0.0


def _not_asked(model: str, refusal: Refusal, attempt: int, repository: str | None) -> Reply:
    later = LATER[min(attempt, len(LATER)) - 1] if refusal.may_fit_later else None
    return Reply(
        Outcome.OVER_BUDGET,
        model,
        0.0,
        retry_after=later,
        detail=limit_text(refusal.kind, refusal.cap_usd, repository or ""),
        sends=0,
    )

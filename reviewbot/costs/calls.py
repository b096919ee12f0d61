"""One model call in the ledger: started with a reserve, then settled."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from reviewbot.costs.local import JoulesHow
from reviewbot.costs.money import decimal_text
from reviewbot.costs.prices import Price
from reviewbot.review.engine import Outcome, Usage


@dataclass(frozen=True)
class CallStart:
    """Written before the call is made: from here on it may cost money."""

    id: str
    """A UUID."""
    review_id: str
    repository: str
    number: int | None
    """Pull request."""
    installation: int | None
    """The GitHub App's installation."""
    repository_id: int | None
    """GitHub's, which outlives a rename."""
    purpose: str
    """`review`, or another word for why the model was asked."""
    unit: int
    """Index of the unit within the review."""
    attempt: int
    """1 for the first try of this question to this engine."""
    engine: str
    provider: str | None
    """Who bills it; None for our own hardware."""
    model: str
    """The model asked for."""
    reserved_usd: Decimal
    """A proven upper bound of its price; 0 for our own hardware."""
    started_at: datetime

    def to_json(self) -> dict[str, Any]:
        """A call without settlement: outcome `unknown`, at its reserve."""
        return {**_start_json(self), "outcome": "unknown", "usd": decimal_text(self.reserved_usd)}


@dataclass(frozen=True)
class Call:
    """A settled call: failed, refused and retried ones too."""

    start: CallStart
    outcome: Outcome
    model: str
    """The model that answered, as the service names it."""
    settled_at: datetime
    latency_seconds: float
    usage: Usage | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)
    """The provider's reply without its content, as it was priced."""
    service_tier: str = ""
    """As the provider reports it; empty if it does not."""
    price: Price | None = None
    """As used; None where nothing was billed or on our own hardware."""
    usd: Decimal = Decimal(0)
    """What the provider bills; the reserve, if `unknown`; 0 on our own hardware."""
    unknown: bool = False
    """It may have been billed and nothing says how much (a timeout, a broken connection)."""
    energy_usd: Decimal = Decimal(0)
    amortisation_usd: Decimal = Decimal(0)
    joules: float = 0.0
    joules_how: JoulesHow = "none"
    busy_seconds: float = 0.0
    """Seconds for which our own hardware worked on it."""
    detail: str = ""
    """A short reason for people; never holds a secret."""
    warnings: tuple[str, ...] = ()
    """What the price library or its use found odd; a figure may be wrong."""
    scripted: bool = False
    """Answered by hand-written text: `usd` is what it would cost, no real money."""

    @property
    def id(self) -> str:
        return self.start.id

    @property
    def engine(self) -> str:
        return self.start.engine

    @property
    def provider(self) -> str | None:
        return self.start.provider

    @property
    def model_asked(self) -> str:
        return self.start.model

    @property
    def local_usd(self) -> Decimal:
        """Energy and amortisation."""
        return self.energy_usd + self.amortisation_usd

    def to_json(self) -> dict[str, Any]:
        """The call as `review --format json` prints it; USD as decimal strings."""
        return {
            **_start_json(self.start),
            "outcome": self.outcome.value,
            "model": self.model,
            "settled_at": self.settled_at.isoformat(),
            "usage": usage_json(self.usage),
            "service_tier": self.service_tier,
            "price": self.price.to_json() if self.price else None,
            "usd": decimal_text(self.usd),
            "usd_unknown": self.unknown,
            "energy_usd": decimal_text(self.energy_usd),
            "amortisation_usd": decimal_text(self.amortisation_usd),
            "joules": self.joules,
            "joules_how": self.joules_how,
            "busy_seconds": self.busy_seconds,
            "latency_seconds": self.latency_seconds,
            "detail": self.detail,
            "unreadable_lines": self.raw.get("unreadable_lines", 0),
            "warnings": list(self.warnings),
            "scripted": self.scripted,
        }


def usage_json(usage: Usage | None) -> dict[str, Any] | None:
    """Tokens by their names; None where nothing tells them."""
    if usage is None:
        return None
    return {
        "input": usage.input,
        "output": usage.output,
        "cache_read": usage.cache_read,
        "cache_write_5m": usage.cache_write_5m,
        "cache_write_1h": usage.cache_write_1h,
        "estimated": usage.estimated,
    }


def _start_json(start: CallStart) -> dict[str, Any]:
    return {
        "id": start.id,
        "purpose": start.purpose,
        "unit": start.unit,
        "attempt": start.attempt,
        "engine": start.engine,
        "provider": start.provider,
        "model": start.model,
        "model_asked": start.model,
        "reserved_usd": decimal_text(start.reserved_usd),
        "started_at": start.started_at.isoformat(),
    }

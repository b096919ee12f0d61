"""What the store has added up of a window: the figures that a report is made of.

All amounts are what was settled, without what is unknown. Nothing here grows with the number of
calls.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple, TypeVar

from reviewbot.costs.local import JoulesHow
from reviewbot.costs.summary import CLAUDE
from reviewbot.review.engine import Outcome

#: Outcome of a call that was started and never settled.
UNSETTLED = "unknown"
#: Outcomes that a model has worked for.
ANSWERED = frozenset({Outcome.ANSWERED, Outcome.TRUNCATED})
ZERO = Decimal(0)

T = TypeVar("T")


class CallSum(NamedTuple):
    """Calls that are alike in the first nine respects, added up."""

    day: str
    """On which they began: `2026-11-30`, UTC."""
    engine: str
    provider: str | None
    """None: our own hardware."""
    model: str
    """Its name in the price list, else the one asked for."""
    outcome: str
    """An `Outcome`, or `UNSETTLED`."""
    joules_how: JoulesHow
    tier: str | None
    """Of the review; None where it came to no end."""
    areas: tuple[str, ...]
    complete: bool | None
    """Whether the review is; None where it came to no end."""
    calls: int
    retries: int
    """Second and later tries of a question."""
    counted: int
    """Calls whose tokens are known; the next sums are over them."""
    input: int
    output: int
    cache_read: int
    cache_write: int
    cached: int
    """Calls that read something from a cache."""
    estimated: int
    """Calls whose tokens are estimates."""
    scripted: int
    unknown: int
    """Calls that may have been billed and nothing says how much."""
    usd: Decimal
    """Billed by the provider."""
    unknown_usd: Decimal
    """Their reserves."""
    energy_usd: Decimal
    amortisation_usd: Decimal
    joules: float
    busy_seconds: float

    @property
    def is_claude(self) -> bool:
        return self.engine == CLAUDE

    @property
    def is_local(self) -> bool:
        return self.provider is None

    @property
    def is_answered(self) -> bool:
        return self.outcome in ANSWERED

    @property
    def prompt(self) -> int:
        """All tokens in, cached or not."""
        return self.input + self.cache_read + self.cache_write

    @property
    def spent_usd(self) -> Decimal:
        """Billed, or used up of our own hardware."""
        return self.usd + self.energy_usd + self.amortisation_usd


class ReviewSum(NamedTuple):
    """Reviews that are alike in the first five respects."""

    tier: str
    areas: tuple[str, ...]
    complete: bool
    overridden: bool
    read: bool
    """False: the change was only routed (a draft, or left alone by policy)."""
    reviews: int
    findings: int
    all_claude_usd: Decimal


class PullSum(NamedTuple):
    """The calls for one pull request, or for a repository's changes without one."""

    repository: str
    number: int | None
    calls: int
    usd: Decimal
    """Billed, and used up of our own hardware."""


class Latency(NamedTuple):
    """How long answered calls took, seconds: the shortest time that so many did not exceed."""

    engine: str
    model: str
    calls: int
    p50: float
    p95: float


class Refusals(NamedTuple):
    """Questions that a model refused."""

    questions: int = 0
    taken_over: int = 0
    """Of these, asked of another model after that."""


class PurposeSum(NamedTuple):
    """Calls that asked something else than for a plain review, by what they asked."""

    purpose: str
    """The ledger's word: `verify`, `route`, `regret`, `draft`, `refine`, `escalate` …"""
    word: str
    """What Claude said of a finding (`escalate`): confirm, correct or withdraw; else empty."""
    calls: int
    usd: Decimal
    """Billed by providers."""
    local_usd: Decimal
    """Energy and amortisation."""


class StrategySum(NamedTuple):
    """Reviews by one strategy."""

    name: str
    """`claude`, `local+verify` …"""
    reviews: frozenset[str]
    """Their ids."""
    usd: Decimal
    """All that their calls cost: billed, or used up of our own hardware."""


@dataclass(frozen=True)
class Sums:
    """One window, of everything or of one repository."""

    calls: tuple[CallSum, ...] = ()
    reviews: tuple[ReviewSum, ...] = ()
    pulls: tuple[PullSum, ...] = ()
    read_pulls: frozenset[tuple[str, int]] = frozenset()
    """Pull requests with a review that was more than routed."""
    held_pulls: int = 0
    """Pull requests of which nothing was read, since a budget was used up."""
    routed_pulls: int = 0
    """Pull requests that were only routed."""
    latencies: tuple[Latency, ...] = ()
    refusals: Refusals = field(default_factory=Refusals)
    purposes: tuple[PurposeSum, ...] = ()
    strategies: tuple[StrategySum, ...] = ()
    titles: Mapping[tuple[str, int], str] = field(default_factory=dict)
    """Of the dearest pull requests."""
    all_busy_seconds: float = 0.0
    """Of the hardware, for all repositories."""
    of_repository: bool = False
    """Of one repository only."""
    has_hardware: bool = False
    """The ledger has a call to hardware of our own, of this time or before."""


def percentile(ordered: Sequence[T], percent: int) -> T:
    """By nearest rank: the least of at least one value that `percent` of all do not exceed."""
    return ordered[max((len(ordered) * percent + 99) // 100, 1) - 1]

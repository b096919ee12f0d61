"""What a review cost, in one record."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from reviewbot.costs.calls import Call, CallStart
from reviewbot.costs.local import JoulesHow
from reviewbot.costs.money import decimal_text
from reviewbot.review.engine import Outcome

#: The engine whose bill is shown as Claude's.
CLAUDE = "claude"


@dataclass(frozen=True)
class CostSummary:
    """Sums over the calls of a review (or of anything else), in USD.

    Where `scripted` is true, hand-written answers took part and every figure is what it
    would cost: nothing of it may be shown as money spent.
    """

    total_usd: Decimal = Decimal(0)
    """Claude, local and other external calls, as settled; without `unknown_usd`."""
    claude_usd: Decimal = Decimal(0)
    local_usd: Decimal = Decimal(0)
    """Energy and amortisation of our own hardware."""
    other_external_usd: Decimal = Decimal(0)
    unknown_usd: Decimal = Decimal(0)
    """Reserves of calls that may have been billed: the bill is at most this more than the total."""
    all_claude_usd: Decimal | None = None
    """What the same prompts would have cost on Claude alone; None where nobody worked it out."""
    joules: float = 0.0
    joules_how: JoulesHow = "none"
    calls: int = 0
    """Every call that was made: failed, refused and unsettled ones too."""
    over_budget: int = 0
    """Calls that were not made, since the budget did not cover them."""
    estimated: bool = False
    """Some token count, and so some figure, is an estimate."""
    scripted: bool = False

    def to_json(self) -> dict[str, Any]:
        """The `cost` of `review --format json`; USD as decimal strings."""
        saved = self.all_claude_usd
        return {
            "total_usd": decimal_text(self.total_usd),
            "claude_usd": decimal_text(self.claude_usd),
            "local_usd": decimal_text(self.local_usd),
            "other_external_usd": decimal_text(self.other_external_usd),
            "unknown_usd": decimal_text(self.unknown_usd),
            "all_claude_usd": None if saved is None else decimal_text(saved),
            "joules": self.joules,
            "joules_how": self.joules_how,
            "calls": self.calls,
            "over_budget": self.over_budget,
            "estimated": self.estimated,
            "scripted": self.scripted,
        }


def summarize(
    calls: Sequence[Call | CallStart], all_claude_usd: Decimal | None = None
) -> CostSummary:
    """Add up `calls`; a start without settlement counts at its reserve, as unknown."""
    settled = [call for call in calls if isinstance(call, Call)]
    over_budget = sum(call.outcome is Outcome.OVER_BUDGET for call in settled)
    known = [call for call in settled if not call.unknown]
    claude = _sum(call.usd for call in known if call.engine == CLAUDE)
    other = _sum(call.usd for call in known if call.engine != CLAUDE)
    local = _sum(call.local_usd for call in settled)
    unknown = _sum(call.usd for call in settled if call.unknown)
    unsettled = _sum(call.reserved_usd for call in calls if isinstance(call, CallStart))
    return CostSummary(
        total_usd=claude + other + local,
        claude_usd=claude,
        local_usd=local,
        other_external_usd=other,
        unknown_usd=unknown + unsettled,
        all_claude_usd=all_claude_usd,
        joules=sum(call.joules for call in settled),
        joules_how=_how(settled),
        calls=len(calls) - over_budget,
        over_budget=over_budget,
        estimated=any(call.usage is not None and call.usage.estimated for call in settled),
        scripted=any(call.scripted for call in settled),
    )


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


def _how(calls: Iterable[Call]) -> JoulesHow:
    ways = {call.joules_how for call in calls} - {"none"}
    if not ways:
        return "none"
    return ways.pop() if len(ways) == 1 else "mixed"

"""A local review that Claude reads as well, to see what the local model misses."""

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from reviewbot.review.answer import Severity
from reviewbot.review.finding import Finding
from reviewbot.review.passes import same_finding

Side = Literal["both", "only_local", "only_claude"]
"""Who made a finding."""

SIDES: tuple[Side, ...] = ("both", "only_local", "only_claude")
#: The ledger's word for such a call.
PURPOSE = "regret"


def sampled(repository: str, number: int | None, head: str | None, percent: float) -> bool:
    """Whether the review of this head is among `percent` % of all: always the same answer."""
    digest = hashlib.sha256(f"{repository}#{number}@{head}".encode()).digest()
    return int.from_bytes(digest[:8]) < percent / 100 * 2**64


@dataclass(frozen=True)
class Regret:
    """How many findings both made, and how many only one of them."""

    counts: Counter[tuple[Severity, Side]] = field(default_factory=Counter)
    """A common one has Claude's severity."""

    def total(self, side: Side) -> int:
        return sum(count for (_, whose), count in self.counts.items() if whose == side)

    def to_json(self) -> dict[str, Any]:
        """`{"both": 1, "only_local": 0, "only_claude": 2, "by_severity": {"high": {…}}}`."""
        by_severity = {
            level.value: {side: self.counts[level, side] for side in SIDES}
            for level in Severity
            if any(self.counts[level, side] for side in SIDES)
        }
        return {**{side: self.total(side) for side in SIDES}, "by_severity": by_severity}


def compared(
    local: Sequence[Finding], claude: Sequence[Finding], paths: Collection[str]
) -> tuple[tuple[Finding, ...], Regret]:
    """All findings once, and the comparison over `paths`, which both have read.

    What both made stands as the local model put it, with Claude named as well. Two findings are the
    same by the measure that holds between passes: fingerprint, or category and line.
    """
    counts: Counter[tuple[Severity, Side]] = Counter()
    agreed: dict[int, Finding] = {}
    alone: list[Finding] = []
    for theirs in claude:
        twins = [i for i, ours in enumerate(local) if same_finding(ours, theirs)]
        agreed.update(dict.fromkeys(twins, theirs))
        if twins:
            counts[theirs.severity, "both"] += 1
        else:
            counts[theirs.severity, "only_claude"] += 1
            alone.append(theirs)
    merged = [_agreed(ours, agreed.get(i)) for i, ours in enumerate(local)]
    for i, ours in enumerate(local):
        if i not in agreed and ours.path in paths:
            counts[ours.severity, "only_local"] += 1
    return (*merged, *alone), Regret(counts)


def _agreed(ours: Finding, theirs: Finding | None) -> Finding:
    if theirs is None:
        return ours
    return replace(ours, agreed=tuple(sorted({*ours.agreed, theirs.engine})))

"""What the local model misses: local reviews that Claude has read as well, added up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, Self

from reviewbot.reporting.ratio import Ratio
from reviewbot.review.answer import Severity
from reviewbot.review.regret import SIDES


class Counts(NamedTuple):
    """Findings by who made them."""

    both: int = 0
    only_local: int = 0
    only_claude: int = 0

    def plus(self, other: "Counts") -> "Counts":
        return Counts(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    @property
    def missed(self) -> Ratio:
        """What only Claude found, of all that it found."""
        return Ratio(self.only_claude, self.both + self.only_claude)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Of a mapping from who to how many; others of its keys are left out."""
        return cls(*(int(data.get(side, 0)) for side in SIDES))


@dataclass(frozen=True)
class Sampled:
    """One local review that Claude has read as well."""

    review_id: str
    repository: str
    created_at: datetime
    usd: Decimal
    """What Claude's reading cost; the reserve of a call without an answer counts."""
    by_severity: Mapping[Severity, Counts] = field(default_factory=dict)
    """A finding of both counts at Claude's severity."""


@dataclass(frozen=True)
class RegretFigures:
    """The sampled reviews of a period."""

    reviews: int
    reviews_missed: int
    """Those in which Claude found something that the local model had not."""
    total: Counts
    by_severity: Mapping[Severity, Counts]
    """Every severity, the worst first."""
    usd: Decimal

    @property
    def missed(self) -> Ratio:
        """Of the sampled reviews."""
        return Ratio(self.reviews_missed, self.reviews)


def regret_figures(sampled: Iterable[Sampled]) -> RegretFigures:
    """Add up a period's sampled reviews; order does not matter."""
    reviews = list(sampled)
    by_severity = dict.fromkeys(Severity, Counts())
    for review in reviews:
        for level, counts in review.by_severity.items():
            by_severity[level] = by_severity[level].plus(counts)
    total = Counts()
    for counts in by_severity.values():
        total = total.plus(counts)
    return RegretFigures(
        reviews=len(reviews),
        reviews_missed=sum(
            any(counts.only_claude for counts in review.by_severity.values()) for review in reviews
        ),
        total=total,
        by_severity=by_severity,
        usd=sum((review.usd for review in reviews), Decimal(0)),
    )

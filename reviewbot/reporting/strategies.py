"""Ways to review beside each other: what each cost and brought."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from reviewbot.costs.money import decimal_text
from reviewbot.publishing.figures import usd
from reviewbot.reporting.acceptance import Acceptance, Judged, acceptance_of
from reviewbot.reporting.page import Table
from reviewbot.reporting.sums import Sums


@dataclass(frozen=True)
class StrategyLine:
    """All reviews by one strategy."""

    name: str
    reviews: int
    usd: Decimal
    """All their calls, without idle hardware."""
    acceptance: Acceptance

    @property
    def per_accepted_usd(self) -> Decimal | None:
        """None where nothing was accepted."""
        accepted = self.acceptance.accepted
        return self.usd / accepted if accepted else None


def strategies_of(sums: Sums, found: Sequence[Judged]) -> tuple[StrategyLine, ...]:
    """Each strategy, where there is more than plain reviews; else none."""
    if not any("+" in each.name for each in sums.strategies):
        return ()
    return tuple(
        StrategyLine(
            each.name,
            len(each.reviews),
            each.usd,
            acceptance_of(one for one in found if one[0].review_id in each.reviews),
        )
        for each in sums.strategies
    )


def strategy_table(lines: Sequence[StrategyLine]) -> Table:
    return Table(
        ("strategy", "reviews", "USD", "published", "accepted", "USD an accepted finding"),
        [
            (
                line.name,
                f"{line.reviews:,}",
                usd(line.usd),
                f"{line.acceptance.published:,}",
                line.acceptance.acceptance.text,
                "–" if line.per_accepted_usd is None else usd(line.per_accepted_usd),
            )
            for line in lines
        ],
    )


def strategies_json(lines: Sequence[StrategyLine], over: str) -> list[dict[str, Any]]:
    """The same for programs; USD as decimal strings."""
    return [
        {
            "name": line.name,
            "reviews": line.reviews,
            "usd": decimal_text(line.usd),
            "published": line.acceptance.published,
            "acceptance": line.acceptance.acceptance.to_json(over),
            "usd_per_accepted": None
            if line.per_accepted_usd is None
            else decimal_text(line.per_accepted_usd),
        }
        for line in lines
    ]

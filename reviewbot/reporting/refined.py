"""Claude by itself beside Claude with the local model's drafts: what each cost and brought."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from reviewbot.costs.money import decimal_text
from reviewbot.publishing.figures import usd
from reviewbot.reporting.acceptance import Acceptance, Judged, acceptance_of
from reviewbot.reporting.page import Table
from reviewbot.reporting.sums import ZERO, Sums


@dataclass(frozen=True)
class StrategyLine:
    """Reviews of the Claude tier under one strategy."""

    name: str
    usd: Decimal
    """All their calls, without idle hardware."""
    acceptance: Acceptance

    @property
    def per_accepted_usd(self) -> Decimal | None:
        """None where nothing was accepted."""
        accepted = self.acceptance.accepted
        return self.usd / accepted if accepted else None


def strategies_of(sums: Sums, found: Sequence[Judged]) -> tuple[StrategyLine, ...]:
    """Both, where some of the reviews were refined; else none."""
    refined = sums.refined
    if not refined.reviews:
        return ()
    claude = [each for each in found if each[0].tier == "claude"]
    whole = sum((call.spent_usd for call in sums.calls if call.tier == "claude"), ZERO)
    with_drafts = [each for each in claude if each[0].review_id in refined.reviews]
    alone = [each for each in claude if each[0].review_id not in refined.reviews]
    return (
        StrategyLine("Claude by itself", max(whole - refined.usd, ZERO), acceptance_of(alone)),
        StrategyLine("with drafts (refine)", refined.usd, acceptance_of(with_drafts)),
    )


def strategy_table(lines: Sequence[StrategyLine]) -> Table:
    return Table(
        ("what goes to Claude", "USD", "published", "accepted", "USD an accepted finding"),
        [
            (
                line.name,
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
            "usd": decimal_text(line.usd),
            "published": line.acceptance.published,
            "acceptance": line.acceptance.acceptance.to_json(over),
            "usd_per_accepted": None
            if line.per_accepted_usd is None
            else decimal_text(line.per_accepted_usd),
        }
        for line in lines
    ]

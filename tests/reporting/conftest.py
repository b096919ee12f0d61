"""Changes as they come from a replay, and what a forecast rests on."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from reviewbot.costs.local import LocalRates
from reviewbot.costs.operator_prices import OperatorPrice
from reviewbot.costs.prices import PriceBook
from reviewbot.reporting.forecast import Basis, Past
from reviewbot.reporting.measured import Speed
from reviewbot.reporting.replay import Prompts, Replayed, Strategy
from reviewbot.routing.model import Tier

NEWEST = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture
def change() -> Callable[..., Replayed]:
    """A change of `tokens` in one prompt; a risky one has `risky_tokens` in flagged files."""

    def make(
        tokens: int = 0,
        risky_tokens: int | None = None,
        *,
        days_old: float = 0,
        difficult: bool = False,
    ) -> Replayed:
        whole, at = Prompts(1, tokens), NEWEST - timedelta(days=days_old)
        if not tokens:
            return Replayed(f"{days_old}", at, Tier.SKIP, (), False, {})
        if risky_tokens is None:
            prompts = {
                Strategy.CLAUDE: {"claude": whole},
                Strategy.PULL_REQUEST: {"local": whole},
                Strategy.FILE: {"local": whole},
                Strategy.CHEAP_PULL_REQUEST: {"low": whole},
                Strategy.CHEAP_FILE: {"low": whole},
                Strategy.LOCAL: {"local": whole},
                Strategy.DIFFICULTY: {"claude": whole} if difficult else {"local": whole},
            }
            return Replayed(f"{days_old}", at, Tier.LOCAL, (), False, prompts, difficult)
        risky, rest = Prompts(1, risky_tokens), Prompts(1, tokens - risky_tokens)
        prompts = {
            Strategy.CLAUDE: {"claude": whole},
            Strategy.PULL_REQUEST: {"claude": whole},
            Strategy.FILE: {"claude": risky, "local": rest},
            Strategy.CHEAP_PULL_REQUEST: {"claude": whole},
            Strategy.CHEAP_FILE: {"claude": risky, "low": rest},
            Strategy.LOCAL: {"local": whole},
            Strategy.DIFFICULTY: {"claude": whole},
        }
        return Replayed(f"{days_old}", at, Tier.CLAUDE, ("auth",), False, prompts)

    return make


@pytest.fixture
def past(change: Callable[..., Replayed]) -> Past:
    """Ten changes within a month: two risky, one of nothing to read."""
    plain = [change(10_000, days_old=day) for day in range(7)]
    risky = [change(20_000, 5_000, days_old=day) for day in (8, 9)]
    return Past("shop", "main", (*plain, *risky, change(days_old=10)))


@pytest.fixture
def basis() -> Basis:
    """Round prices: $10/$50 against $1/$5 per M; a card of $900 over 36 months."""
    prices = [
        OperatorPrice(
            provider="anthropic",
            model=model,
            input_per_mtok=Decimal(rate),
            output_per_mtok=Decimal(5 * rate),
        )
        for model, rate in (("claude-dear", 10), ("claude-cheap", 1))
    ]
    return Basis(
        prices=PriceBook(prices),
        claude_model="claude-dear",
        cheap_model="claude-cheap",
        at=NEWEST,
        rates=LocalRates(Decimal(900), 36, Decimal("0.20"), Decimal(360)),
        speed=Speed(Decimal(1000), Decimal(60), "stated"),
        per_month=Decimal(1000),
    )

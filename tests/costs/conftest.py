"""What the tests of money share."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from reviewbot.costs.calls import CallStart
from reviewbot.costs.local import LocalRates
from reviewbot.costs.prices import PriceBook


@pytest.fixture(scope="session")
def book() -> PriceBook:
    """The price library alone."""
    return PriceBook()


@pytest.fixture(scope="session")
def today() -> datetime:
    """A day on which the prices in these tests are in force."""
    return datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def rates() -> LocalRates:
    return LocalRates(Decimal(1400), 36, Decimal("0.13"), Decimal(350))


@pytest.fixture
def claude_start(today: datetime) -> CallStart:
    return CallStart(
        id="6f2c1f3e-0000-4000-8000-000000000001",
        review_id="review-1",
        repository="acme/shop",
        number=7,
        installation=None,
        repository_id=None,
        purpose="review",
        unit=0,
        attempt=1,
        engine="claude",
        provider="anthropic",
        model="claude-opus-5-5",
        reserved_usd=Decimal("0.25"),
        started_at=today,
    )

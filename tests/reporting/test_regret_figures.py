"""A period's sampled comparisons, added up."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from reviewbot.reporting.ratio import Ratio
from reviewbot.reporting.regret import Counts, Sampled, regret_figures
from reviewbot.review.answer import Severity

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def sample(name: str, usd: str = "0.05", **found: tuple[int, int, int]) -> Sampled:
    counts = {Severity(level): Counts(*each) for level, each in found.items()}
    return Sampled(name, "acme/shop", NOW, Decimal(usd), counts)


def test_findings_are_added_up_by_severity() -> None:
    figures = regret_figures(
        [
            sample("one", high=(1, 0, 2), low=(0, 3, 0)),
            sample("two", usd="0.000000000001", high=(1, 1, 0)),
            sample("three"),
        ]
    )

    assert (figures.reviews, figures.reviews_missed) == (3, 1)
    assert figures.total == Counts(2, 4, 2)
    assert figures.total.missed == Ratio(2, 4)
    assert list(figures.by_severity) == list(Severity), "a report has a row for each"
    assert figures.by_severity[Severity.HIGH] == Counts(2, 1, 2)
    assert figures.by_severity[Severity.CRITICAL] == Counts()
    assert figures.usd == Decimal("0.100000000001")


def test_a_period_without_samples_says_nothing_about_the_local_model() -> None:
    figures = regret_figures([])

    assert (figures.reviews, figures.usd, figures.total.missed.value) == (0, 0, None)


@pytest.mark.parametrize(
    ("counts", "share"), [(Counts(0, 9, 0), None), (Counts(0, 0, 2), 1.0), (Counts(3, 0, 0), 0.0)]
)
def test_the_missed_share_is_of_what_claude_found(counts: Counts, share: float | None) -> None:
    assert counts.missed.value == share

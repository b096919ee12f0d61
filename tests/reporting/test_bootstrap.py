"""Intervals by resampling."""

import pytest

from reviewbot.reporting.bootstrap import MOST_DRAWN, Sample, monthly_intervals

UNEVEN = [[1.0, 0.0], [3.0, 2.0], [20.0, 0.0], [4.0, 1.0]] * 10


def test_the_same_seed_gives_the_same_months() -> None:
    samples = [Sample(UNEVEN, 40)]

    assert monthly_intervals(samples) == monthly_intervals(samples)
    assert monthly_intervals(samples) != monthly_intervals(samples, seed=1)


def test_equal_changes_make_equal_months() -> None:
    (interval,) = monthly_intervals([Sample([[2.5]] * 7, 40)])

    assert interval == (100, 100)


def test_the_mean_month_lies_within() -> None:
    first, second = monthly_intervals([Sample(UNEVEN, 40)])

    assert first.low < 7.0 * 40 < first.high
    assert second.low < 0.75 * 40 < second.high


def test_a_short_history_gives_a_wider_interval() -> None:
    (short, _), (long, _) = (
        monthly_intervals([Sample(rows, 400)]) for rows in (UNEVEN[:4], UNEVEN * 10)
    )

    assert short.high - short.low > 2 * (long.high - long.low)


def test_repositories_add_up() -> None:
    (interval,) = monthly_intervals([Sample([[1.0]], 10), Sample([[2.0]], 5)])

    assert interval == (20, 20)


@pytest.mark.parametrize("per_month", [MOST_DRAWN * 3, 2.6, 0.2])
def test_any_rate_is_scaled_to_itself(per_month: float) -> None:
    (interval,) = monthly_intervals([Sample([[1.0]], per_month)])

    assert interval.low == pytest.approx(per_month)

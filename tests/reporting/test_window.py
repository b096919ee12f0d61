"""The time that a report is about."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from reviewbot.errors import UsageError
from reviewbot.reporting.window import between, month_of, named_month, previous

NOW = datetime(2027, 3, 16, 12, tzinfo=UTC)


def test_a_month_that_is_over_is_whole() -> None:
    window = named_month("2026-11", NOW)

    assert (window.since, window.until) == (
        datetime(2026, 11, 1, tzinfo=UTC),
        datetime(2026, 12, 1, tzinfo=UTC),
    )
    assert (window.name, window.words, window.months) == ("November 2026", "this month", 1)
    assert window.interval == "2026-11-01T00:00:00Z/2026-12-01T00:00:00Z"


def test_a_month_that_goes_on_ends_now_and_takes_its_part_of_the_machine() -> None:
    window = month_of(NOW, NOW)

    assert (window.since, window.until) == (datetime(2027, 3, 1, tzinfo=UTC), NOW)
    assert window.months == Decimal("15.5") / 31
    assert window.name == "March 2027 so far"
    assert previous(window) == named_month("2027-02", NOW)


def test_december_ends_with_the_year() -> None:
    december = named_month("2026-12", NOW)

    assert december.until == datetime(2027, 1, 1, tzinfo=UTC)
    assert previous(named_month("2027-01", NOW)) == december


def test_any_time_is_compared_with_as_much_before() -> None:
    since = datetime(2026, 11, 3, tzinfo=UTC)
    window = between(since, since + timedelta(days=7))

    assert (window.name, window.words) == ("2026-11-03 to 2026-11-10", "in this time")
    assert window.months == Decimal(7) / Decimal("30.4375")
    assert previous(window) == between(since - timedelta(days=7), since)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("2026-13", "is no month"),
        ("2026-1", "is no month"),
        ("november", "YYYY-MM"),
        ("0000-01", "is no month"),
        ("9999-12", "is no month"),
        ("2027-04", "2027-04 has not begun yet"),
    ],
)
def test_what_is_no_month_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        named_month(text, NOW)


def test_a_time_must_not_end_before_it_begins() -> None:
    with pytest.raises(UsageError, match="--until must be later"):
        between(NOW, NOW)


def test_a_time_that_is_not_over_takes_no_more_of_the_machine_than_is() -> None:
    since, later = NOW - timedelta(days=7), NOW + timedelta(days=7)

    window = between(since, later, NOW)

    assert (window.until, window.months) == (later, between(since, NOW).months)
    assert between(later, later + timedelta(days=1), NOW).months == 0

"""The time that a report is about. Pure: whoever asks says what time it is."""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from reviewbot.costs.local import SECONDS_PER_MONTH
from reviewbot.errors import UsageError

_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)


@dataclass(frozen=True)
class Window:
    """From `since` to before `until`, UTC."""

    since: datetime
    until: datetime
    name: str
    """`November 2026`, or the two days."""
    months: Decimal
    """How many months of hardware it takes: 1 for a calendar month, part of it while it lasts."""
    whole_month: bool = False
    """A calendar month, over or not."""

    @property
    def seconds(self) -> Decimal:
        return Decimal(str((self.until - self.since).total_seconds()))

    @property
    def interval(self) -> str:
        """As ISO 8601 writes it; stands beside every rate in data."""
        return f"{_iso(self.since)}/{_iso(self.until)}"

    @property
    def words(self) -> str:
        """How sentences name it."""
        return "this month" if self.whole_month else "in this time"


def month_of(at: datetime, now: datetime) -> Window:
    """The calendar month around `at`; one that is not over ends `now`.

    Raises UsageError for one that has not begun.
    """
    first = at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = first + timedelta(days=calendar.monthrange(first.year, first.month)[1])
    if first > now:
        raise UsageError(f"{first:%Y-%m} has not begun yet")
    until = min(end, now)
    name = f"{first:%B %Y}"
    if until == end:
        return Window(first, end, name, Decimal(1), whole_month=True)
    gone = Decimal(str((until - first).total_seconds())) / Decimal(
        str((end - first).total_seconds())
    )
    return Window(first, until, f"{name} so far", gone, whole_month=True)


def named_month(text: str, now: datetime) -> Window:
    """The month `YYYY-MM`. Raises UsageError for what is none, or has not begun."""
    found = _MONTH.fullmatch(text)
    if found is None or not 1 <= int(found[2]) <= 12 or not 1 < int(found[1]) < 9999:
        raise UsageError(f"{text!r} is no month: write it as YYYY-MM, for example 2026-11")
    return month_of(datetime(int(found[1]), int(found[2]), 1, tzinfo=UTC), now)


def between(since: datetime, until: datetime, now: datetime | None = None) -> Window:
    """Any time; of the hardware it takes what is over `now`. Raises UsageError if it ends before it
    begins."""
    if until <= since:
        raise UsageError("--until must be later than --since")
    over = max(min(until, now or until) - since, timedelta(0))
    name = f"{_day(since)} to {_day(until)}"
    return Window(since, until, name, Decimal(str(over.total_seconds())) / SECONDS_PER_MONTH)


def previous(window: Window) -> Window:
    """The whole month before a month; else as much time before."""
    if window.whole_month:
        return month_of(window.since - timedelta(days=1), window.since)
    return between(window.since - (window.until - window.since), window.since)


def _day(at: datetime) -> str:
    return (
        f"{at:%Y-%m-%d}" if at == at.replace(hour=0, minute=0, second=0) else f"{at:%Y-%m-%d %H:%M}"
    )


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")

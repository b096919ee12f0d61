"""Months as the pages show them: added up once, and again when the ledger has more.

To add up a hundred thousand calls takes longer than a page may take.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from reviewbot import books
from reviewbot.config.settings import Settings
from reviewbot.reporting.report import Report, Totals
from reviewbot.reporting.window import Window, month_of, named_month
from reviewbot.store.reports import ReportStore

#: Months of the trend.
TREND = 6
#: Longest time that sums are believed although nothing says that they changed, seconds: idle hardware
#: costs by the hour, and a review that is written again keeps its place. Of months that are over it
#: is the second.
LIFE_SECONDS, OVER_SECONDS = 60.0, 3600.0
#: Sums that are behind the ledger are still shown for so many times as long as they took to make: a
#: busy service spends a thirtieth of a core on them, and a small one is up to date.
PATIENCE = 30
#: Sums that take less are never behind, seconds.
QUICK_SECONDS = 0.2
#: Months and repositories that are remembered.
MOST_KEPT = 100

T = TypeVar("T")


@dataclass(frozen=True)
class Kept(Generic[T]):
    """Something added up, and when."""

    value: T
    at: datetime
    stamp: tuple[object, ...]
    clock: float
    took: float
    """Seconds."""


class Months:
    """Safe to use from several threads. All methods raise StoreError."""

    def __init__(
        self,
        settings: Settings,
        store: Callable[[], ReportStore],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._store = settings, store
        self._now, self._clock = now, clock
        self._kept: dict[tuple[str, ...], Kept[Report] | Kept[Totals]] = {}
        self._lock = threading.Lock()

    def window(self, name: str = "") -> Window:
        """The month `YYYY-MM`, or this one. Raises UsageError for what is none."""
        now = self._now()
        return named_month(name, now) if name else month_of(now, now)

    def begun(self) -> datetime | None:
        """When the first call began; None before it."""
        return self._store().begun()

    def report(self, name: str = "", repository: str | None = None) -> Kept[Report]:
        """The report of a month, or of this one.

        Raises UsageError for what is no month, or a repository that the database does not know.
        """
        window, store = self.window(name), self._store()
        key = ("report", f"{window.since:%Y-%m}", repository or "")

        def make() -> Report:
            # the place for what else a report takes: findings with feedback, and budgets
            return books.report_from(store, self._settings, window, repository=repository)

        return self._once(key, window, LIFE_SECONDS, make)

    def trend(self) -> tuple[Totals, ...]:
        """This month and those before it since the ledger began, the oldest first."""
        report, begun = self.report().value, self.begun()
        found, window = [report.now, report.before], report.before.window
        while begun and begun < window.since and len(found) < TREND:
            window = month_of(window.since - timedelta(days=1), window.since)
            found.append(self._totals(window))
        if not begun or begun >= report.now.window.since:
            del found[1:]
        return tuple(reversed(found))

    def warm(self) -> None:
        """Add up what the first page will ask for."""
        self.trend()

    def _totals(self, window: Window) -> Totals:
        key, store = ("totals", f"{window.since:%Y-%m}"), self._store()
        return self._once(
            key, window, OVER_SECONDS, lambda: books.totals_from(store, self._settings, window)
        ).value

    def _once(
        self, key: tuple[str, ...], window: Window, life: float, make: Callable[[], T]
    ) -> Kept[T]:
        found: Kept[T] | None = self._still(key, self._store().stamp(window), life)
        if found is None:
            with self._lock:  # one adds up, the others wait for it
                stamp = self._store().stamp(window)
                found = self._still(key, stamp, life)
                if found is None:
                    began, at = self._clock(), self._now()
                    value = make()
                    ended = self._clock()
                    found = Kept(value, at, stamp, ended, ended - began)
                    self._keep(key, found)
        return found

    def _still(
        self, key: tuple[str, ...], stamp: tuple[object, ...], life: float
    ) -> "Kept[T] | None":
        """What is remembered, if it holds."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        age = self._clock() - kept.clock
        behind = kept.took * PATIENCE if kept.took > QUICK_SECONDS else 0.0
        holds = age < life if kept.stamp == stamp else age < min(behind, LIFE_SECONDS)
        return kept if holds else None  # type: ignore[return-value] # a key has one kind of value

    def _keep(self, key: tuple[str, ...], made: Kept[T]) -> None:
        self._kept.pop(key, None)
        self._kept[key] = made  # type: ignore[assignment] # likewise
        while len(self._kept) > MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))

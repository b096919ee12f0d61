"""Connections of the listener that are opened when they are first needed.

A listener that starts while the database is away answers 503, and works when it is back.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Generic, TypeVar

from reviewbot.costs.budget import Budgets
from reviewbot.costs.readability import Readability
from reviewbot.service.jobs import CommandJob, FeedbackJob, JobQueue, QueueDepth, ReviewJob
from reviewbot.store.jobs import Beat, JobStore, open_job_store
from reviewbot.store.reports import ReportStore, open_report_store
from reviewbot.store.upkeep import ChoreState, UpkeepStore, open_upkeep_store

T = TypeVar("T")


class Lazy(Generic[T]):
    """Something that is opened when it is first needed, once, by whichever thread comes first."""

    def __init__(self, opened: Callable[[], T]) -> None:
        self._open, self._lock = opened, threading.Lock()
        self._value: T | None = None

    def get(self) -> T:
        """The thing; what opening raises is raised, and the next call tries again."""
        with self._lock:
            if self._value is None:
                self._value = self._open()
            return self._value


class LazyQueue:
    """A job queue that connects with the first job."""

    def __init__(self, opened: Callable[[], JobQueue]) -> None:
        self._queue = Lazy(opened)

    def enqueue_review(self, job: ReviewJob) -> str:
        return self._queue.get().enqueue_review(job)

    def enqueue_command(self, job: CommandJob) -> str:
        return self._queue.get().enqueue_command(job)

    def enqueue_feedback(self, job: FeedbackJob) -> str:
        return self._queue.get().enqueue_feedback(job)

    def depth(self) -> QueueDepth:
        return self._queue.get().depth()


class LazyStore:
    """What the listener reads of the store, which is opened with the first question."""

    def __init__(self, url: str) -> None:
        self._store: Lazy[JobStore] = Lazy(lambda: open_job_store(url))
        self._reports: Lazy[ReportStore] = Lazy(lambda: open_report_store(url))
        self._upkeep: Lazy[UpkeepStore] = Lazy(lambda: open_upkeep_store(url))

    def reports(self) -> ReportStore:
        """What the pages read. Raises StoreError while the database can't be opened."""
        return self._reports.get()

    def readability(self, *, since: datetime, until: datetime) -> list[Readability]:
        """How many answers of each model could not be read."""
        return self._store.get().readability(since=since, until=until)

    def budgets(self, at: datetime) -> Budgets:
        """How the budgets of the month stand."""
        return self._store.get().budgets(at)

    def chores(self) -> tuple[ChoreState, ...]:
        """How the service's own work stands."""
        return self._upkeep.get().chores()

    def beats(self) -> tuple[Beat, ...]:
        """All workers that did not end as they should, the last seen first."""
        return self._store.get().beats()

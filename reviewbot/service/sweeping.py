"""Open pull requests whose head nobody reviewed, whatever became of their deliveries."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from reviewbot.github.app import GitHubApp
from reviewbot.github.calls import Calls, GitHubError, RateLimited
from reviewbot.github.open_pulls import OpenPull, Place, installations, open_pulls, repositories
from reviewbot.service.jobs import AUTO, DRAFT, SWEPT, JobQueue, ReviewJob
from reviewbot.service.upkeep import Done, Turn
from reviewbot.store.upkeep import UpkeepStore

#: Name of the chore.
SWEEP = "sweep"
#: Pull requests that nobody touched for so long are left alone.
RECENT = timedelta(days=7)
#: Reviews that one installation is given in a turn, and repositories that are looked at for them.
MOST, MOST_REPOSITORIES = 20, 200
#: Requests of an installation's hour that are left to its reviews.
RESERVE = 1_000

log = logging.getLogger(__name__)


class SweepQueue(JobQueue, Protocol):
    """The queue as a sweep sees it."""

    def unknown(self, jobs: Sequence[ReviewJob]) -> list[ReviewJob]:
        """Those that were never kept. Raises QueueUnavailable."""
        ...


@dataclass(frozen=True)
class Sweep:
    """Looks through all installations of one App."""

    app: GitHubApp
    queue: SweepQueue
    store: UpkeepStore
    is_paused: Callable[[int, int], bool]
    """(repository id, number) → people want no automatic review."""
    most: int = MOST

    def work(self, turn: Turn) -> Done:
        """One turn. Raises GitHubError, QueueUnavailable, StoreError and LostTurn."""
        with self.app.calls() as calls:
            known = list(installations(calls))
        done = 0
        for installation in known:
            try:
                done += self._installation(turn, installation)
            except GitHubError as error:  # the others must not wait for one that is broken
                log.warning("sweep of installation %s: %s", installation, error)
                if isinstance(error, RateLimited):
                    return Done(done, complete=False, wait=error.seconds)
        return Done(done, complete=not turn.stopping.is_set())

    def _installation(self, turn: Turn, installation: int) -> int:
        """How many of its pull requests are to be reviewed now: those touched last, over all its
        repositories."""
        found: list[tuple[OpenPull, Place]] = []
        with self.app.reading(installation) as calls:
            for place in repositories(calls)[:MOST_REPOSITORIES]:
                if not turn.goes_on() or _spent(calls):
                    break
                pulls = open_pulls(calls, place, turn.now - RECENT)
                found += [(pull, place) for pull in pulls]
        found.sort(key=lambda one: one[0].updated_at, reverse=True)
        done = 0
        for job in self._unreviewed(installation, found):
            if done >= self.most or not turn.goes_on():
                break
            log.info("sweep: %s#%s was not reviewed", job.repository, job.number)
            self.queue.enqueue_review(job)
            done += 1
        return done

    def _unreviewed(
        self, installation: int, found: list[tuple[OpenPull, Place]]
    ) -> Iterator[ReviewJob]:
        for pull, place in found:
            if self.store.has_review_of(installation, place.id, pull.number, pull.head):
                continue
            if self.is_paused(place.id, pull.number):
                continue
            try:
                job = _job(installation, place, pull)
            except ValueError as error:
                log.warning("sweep of %s#%s: %s", place.repository, pull.number, error)
                continue
            yield from self.queue.unknown([job])


def _spent(calls: Calls) -> bool:
    return calls.remaining is not None and calls.remaining < RESERVE


def _job(installation: int, place: Place, pull: OpenPull) -> ReviewJob:
    """What its delivery would have asked for."""
    return ReviewJob(
        installation=installation,
        repository=place.repository,
        repository_id=place.id,
        number=pull.number,
        head=pull.head,
        base=pull.base,
        request=f"{SWEPT}{DRAFT if pull.draft else AUTO}",
    )

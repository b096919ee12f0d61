"""The service's own work: each chore in its time, by one worker at a time over all of them.

Whose turn it is stands in the database, so that it survives restarts, and a worker that dies in
the middle of a chore loses it after `LEASE`, unless it is back under its name before.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from reviewbot.errors import ReviewbotError
from reviewbot.store.upkeep import ChoreState, UpkeepStore

#: A chore that shows no progress for so long may be another worker's; longer than any request.
LEASE = timedelta(minutes=2)
#: No turn is put off for longer than its usual time and so long.
LONGEST = timedelta(hours=2)
#: A turn that failed is tried again after so long.
AGAIN = timedelta(minutes=1)

log = logging.getLogger(__name__)


class LostTurn(ReviewbotError):
    """The chore took so long without a sign of life that another worker may do it now."""


class Done(NamedTuple):
    """What a turn came to."""

    amount: int
    """How much was done."""
    complete: bool
    """All is done that happened before the turn began."""
    wait: float = AGAIN.total_seconds()
    """Seconds until it should go on, if it is not complete."""


@dataclass(frozen=True)
class Turn:
    """One turn at a chore."""

    state: ChoreState
    now: datetime
    """When it began."""
    stopping: threading.Event
    _hold: Callable[[], bool]

    def goes_on(self) -> bool:
        """To be asked before each step; False while the worker ends. Raises LostTurn."""
        if self.stopping.is_set():
            return False
        if not self._hold():
            raise LostTurn(f"{self.state.name}: another worker may have its turn")
        return True


@dataclass(frozen=True)
class Chore:
    """Something to do again and again."""

    name: str
    every: timedelta
    work: Callable[[Turn], Done]
    at_start: bool = False
    """Also when a worker starts, whenever it was done last."""


@dataclass
class Upkeep:
    """Does chores in a thread of the worker."""

    store: UpkeepStore
    chores: Sequence[Chore]
    look: float = 5.0
    """How often it looks whether one is due, seconds."""
    _started: set[str] = field(default_factory=set)
    _thread: threading.Thread | None = None

    def start(self, holder: str, stopping: threading.Event) -> None:
        """Until `stopping`; `holder` is this worker's name, which no other that lives has."""
        self._thread = threading.Thread(target=self._run, args=(holder, stopping), daemon=True)
        self._thread.start()

    def end(self, holder: str, patience: float) -> None:
        """After `stopping`: wait for the turn that runs, `patience` seconds at most, and leave what
        is not done then to others, at once. Raises StoreError."""
        if self._thread:
            self._thread.join(patience)
        self.store.give_up(holder)

    def _run(self, holder: str, stopping: threading.Event) -> None:
        while not stopping.is_set():
            for chore in self.chores:
                self.turn(chore, holder, stopping)
            stopping.wait(self.look)

    def turn(self, chore: Chore, holder: str, stopping: threading.Event) -> Done | None:
        """Do the chore if it is due and nobody else does it; None if not, or if it failed."""
        try:
            return self._turn(chore, holder, stopping)
        except ReviewbotError as error:
            log.warning("%s: %s", chore.name, error)
        except Exception:  # a bug in one chore must not end the others
            log.exception("%s failed", chore.name)
        return None

    def _turn(self, chore: Chore, holder: str, stopping: threading.Event) -> Done | None:
        now, name = datetime.now(UTC), chore.name
        at_once = chore.at_start and name not in self._started
        state = self.store.claim(
            name,
            holder,
            now=now,
            until=now + LEASE,
            latest=now + chore.every + LONGEST,
            at_once=at_once,
        )
        if state is None:
            return None
        self._started.add(name)

        def hold() -> bool:
            at = datetime.now(UTC)
            return self.store.hold(name, holder, now=at, until=at + LEASE)

        done = Done(0, complete=False)
        try:
            done = chore.work(Turn(state, now, stopping, hold))
        finally:
            wait = chore.every if done.complete else timedelta(seconds=done.wait)
            self.store.release(
                name,
                holder,
                due=datetime.now(UTC) + wait,
                done_until=now if done.complete else None,
                done=done.amount,
            )
        if done.amount or not done.complete:
            log.info("%s: %d done%s", name, done.amount, "" if done.complete else ", more to do")
        return done

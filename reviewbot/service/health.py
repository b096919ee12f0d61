"""Whether the service can do its work, check by check."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from reviewbot.errors import StoreError
from reviewbot.service.logs import logger
from reviewbot.store.jobs import BEAT_FRESH, Beat

#: What probes are told of a database that fails: they need no login, so its place stays in the log.
UNUSABLE = "the database can't be used: see the log"

log = logger("reviewbot.health")


@dataclass(frozen=True)
class Check:
    """One thing that is looked at, and what was seen in words without secrets."""

    name: str
    ok: bool
    detail: str


class Health(Protocol):
    """What `/readyz` asks."""

    def checks(self) -> Sequence[Check]:
        """Look at everything now. Raises nothing: what fails is a check that is not ok."""
        ...


class ServiceHealth:
    """The database, the worker and the engines."""

    def __init__(
        self,
        beats: Callable[[], Sequence[Beat]],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`beats`: signs of life of workers, the newest first; may raise StoreError."""
        self._beats, self._now = beats, now

    def checks(self) -> Sequence[Check]:
        try:
            beats = self._beats()
        except StoreError as error:
            log.warning("database", reason=str(error))
            return [Check(name, False, UNUSABLE) for name in ("database", "worker", "engines")]
        fresh = [beat for beat in beats if self._silent(beat) <= BEAT_FRESH]
        return [
            Check("database", True, "reachable"),
            self._worker(beats[0] if beats else None),
            engines_check(fresh),
        ]

    def _worker(self, newest: Beat | None) -> Check:
        if newest is None:
            return Check("worker", False, "no worker was ever seen: start `reviewbot worker`")
        silent = self._silent(newest)
        seconds = f"{silent.total_seconds():.0f} s"
        if silent > BEAT_FRESH:
            return Check("worker", False, f"silent for {seconds}: is `reviewbot worker` running?")
        return Check("worker", True, f"last seen {seconds} ago")

    def _silent(self, beat: Beat) -> timedelta:
        return max(self._now() - beat.seen_at, timedelta())


def has_role(role: str, check: Check) -> bool:
    """Whether a worker says that it has a model for `role`: `claude`, `local` …"""
    return check.name == "engines" and re.search(rf"\b{role} \(", check.detail) is not None


def engines_check(workers: Sequence[Beat]) -> Check:
    """Whether any worker has a model, by what it says of itself: no probe costs a call."""
    named = sorted({beat.engines for beat in workers if beat.engines})
    if named:
        return Check("engines", True, "; ".join(named))
    if not workers:
        return Check("engines", False, "no worker says which")
    return Check("engines", False, "no model: set ANTHROPIC_API_KEY or REVIEWBOT_LOCAL_URL")

"""Whether the service can do its work, check by check."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from reviewbot.config.settings import Settings
from reviewbot.errors import StoreError
from reviewbot.service.logs import logger

#: A worker beats every 5 seconds; one that was silent for so long is taken for dead.
BEAT_FRESH = timedelta(seconds=30)
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
        settings: Settings,
        database: Callable[[], object],
        last_beat: Callable[[], datetime | None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`database` reads something, `last_beat` is the newest sign of any worker; both may raise StoreError."""
        self._settings, self._database, self._last_beat, self._now = (
            settings,
            database,
            last_beat,
            now,
        )

    def checks(self) -> Sequence[Check]:
        return [self._reachable(), self._worker(), engines_check(self._settings)]

    def _reachable(self) -> Check:
        try:
            self._database()
        except StoreError as error:
            log.warning("database", reason=str(error))
            return Check("database", False, UNUSABLE)
        return Check("database", True, "reachable")

    def _worker(self) -> Check:
        try:
            beat = self._last_beat()
        except StoreError as error:
            log.warning("worker", reason=str(error))
            return Check("worker", False, UNUSABLE)
        if beat is None:
            return Check("worker", False, "no worker was ever seen: start `reviewbot worker`")
        silent = max(self._now() - beat, timedelta())
        seconds = f"{silent.total_seconds():.0f} s"
        if silent > BEAT_FRESH:
            return Check("worker", False, f"silent for {seconds}: is `reviewbot worker` running?")
        return Check("worker", True, f"last seen {seconds} ago")


def engines_check(settings: Settings) -> Check:
    """Whether any model is configured; none is asked, so that a probe costs nothing."""
    named = []
    if settings.anthropic_api_key:
        named.append(f"claude ({settings.claude_model})")
    if settings.local_url and settings.local_engine != "none":
        named.append("local")
    if named:
        return Check("engines", True, ", ".join(named))
    return Check("engines", False, "no model: set ANTHROPIC_API_KEY or REVIEWBOT_LOCAL_URL")

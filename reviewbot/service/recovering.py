"""Deliveries that never came, or came while nothing could be stored, from GitHub's own log.

GitHub repeats none of them, but keeps all for three days. Each goes the way of a webhook, so what
came after all changes nothing.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from reviewbot.github.app import GitHubApp
from reviewbot.github.calls import Calls, GitHubError, RateLimited, Unclear
from reviewbot.github.deliveries import KEPT, Logged, body_of, logged_since
from reviewbot.service.intake import keep
from reviewbot.service.jobs import JobQueue
from reviewbot.service.payload import BadDelivery, Part
from reviewbot.service.upkeep import Done, Turn
from reviewbot.service.webhook import is_read, read_delivery
from reviewbot.store.upkeep import UpkeepStore

#: Names of the chore: failed deliveries only, or all of them.
RECOVER, POLL = "deliveries", "poll"
#: The log is read again from so long before the last turn: an attempt shows there when it is over.
OVERLAP = timedelta(minutes=15)
#: Deliveries that are fetched in one turn.
MOST = 500
#: Requests of the hour that are left to others.
RESERVE = 200
#: Requests without a clear answer after which a turn ends.
PATIENCE = 3

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recovery:
    """Takes deliveries from the log of one App."""

    app: GitHubApp
    queue: JobQueue
    store: UpkeepStore
    failed_only: bool = True
    most: int = MOST

    def work(self, turn: Turn) -> Done:
        """One turn; oldest first, as they would have come. Raises GitHubError, QueueUnavailable,
        StoreError and LostTurn: what was not done is then."""
        oldest, done = turn.now - KEPT, turn.state.done_until
        if done is None or done > turn.now + OVERLAP:  # the clock was wrong then
            done = oldest
        since = max(oldest, done - OVERLAP)
        with self.app.calls() as calls:
            try:
                missed = self._missed(calls, turn, since)
            except RateLimited as error:
                return Done(0, complete=False, wait=error.seconds)
            return self._taken(calls, turn, missed)

    def _missed(self, calls: Calls, turn: Turn, since: datetime) -> list[Logged]:
        """Deliveries that nobody dealt with, each once, the oldest first."""
        found: dict[str, Logged] = {}
        for number, one in enumerate(logged_since(calls, since, failed_only=self.failed_only)):
            if number % 100 == 0 and not turn.goes_on():
                break
            if is_read(one.event):
                found[one.guid] = one  # in the end its first attempt
        unknown = self.store.not_taken(found)
        return sorted((found[guid] for guid in unknown), key=lambda one: (one.at, one.id))

    def _taken(self, calls: Calls, turn: Turn, missed: Sequence[Logged]) -> Done:
        done, unclear, went_on = 0, 0, True
        if missed:
            log.info("%d deliveries of GitHub's log are new", len(missed))
        for one in missed[: self.most]:
            went_on = turn.goes_on() and (calls.remaining is None or calls.remaining > RESERVE)
            if not went_on or unclear >= PATIENCE:
                break
            try:
                done += self._take(calls, one)
            except RateLimited as error:
                return Done(done, complete=False, wait=error.seconds)
            except Unclear as error:
                log.warning("delivery %s: %s", one.guid, error)
                unclear += 1
        complete = went_on and not unclear and len(missed) <= self.most
        return Done(done, complete and not turn.stopping.is_set())

    def _take(self, calls: Calls, one: Logged) -> bool:
        """Whether it became a job."""
        try:
            body = body_of(calls, one.id)
            _check_place(one, body)
            taken = keep(self.queue, read_delivery(one.event, body))
        except (RateLimited, Unclear):
            raise
        except (GitHubError, BadDelivery) as error:  # it will not get better
            log.warning("delivery %s can't be taken: %s", one.guid, error)
            self.store.take(one.guid, datetime.now(UTC))
            return False
        log.info("delivery %s of %s: %s %s", one.guid, one.at, taken.outcome, taken.job)
        return self.store.take(one.guid, datetime.now(UTC)) and bool(taken.job)


def _check_place(one: Logged, body: bytes) -> None:
    """The log and the payload must mean the same installation and repository. Raises
    BadDelivery."""
    payload = Part.from_body(body)
    for key, wanted in (("installation", one.installation), ("repository", one.repository_id)):
        found = payload.part(key).values.get("id") if payload.has(key) else None
        if wanted is not None and found != wanted:
            raise BadDelivery(f"the log means another {key}")

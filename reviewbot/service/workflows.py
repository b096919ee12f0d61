"""The durable jobs: `review`, its questions `ask`, and `command`.

Whatever DBOS runs again after a crash is the same up to where it was: ids are made from the job's
id, the time comes from a step, and what fails is told on the pull request outside of any step.
"""

import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from reviewbot.errors import ReviewbotError
from reviewbot.pipeline import review_change
from reviewbot.service.calling import AskJob
from reviewbot.service.dbos_setup import ASK, COMMAND, REVIEW
from reviewbot.service.durable import DurableSteps, Failure, Parts, patiently, posted, posting
from reviewbot.service.jobs import SUPERSEDED, CommandJob, ReviewJob, command_id, job_id

#: A job that began so often and never came to an end takes the worker down with it: no more.
MAX_ATTEMPTS = 5
#: Review ids are made from job ids under this name.
NAMESPACE = uuid.UUID("0f1f6f5e-6a0c-4a35-9a39-2c8f2f5f7c11")

#: Title of the check of a head that is not worth a review any more.
ENDED = "Not reviewed: closed, paused, or another head is newer"
_OWN_FAULT = "an error inside reviewbot"
_CRASHED = f"the worker ended {MAX_ATTEMPTS} times while it worked on this"

log = logging.getLogger(__name__)


def review_id(job: ReviewJob) -> str:
    """The id of the job's review: the same whenever it is made."""
    return str(uuid.uuid5(NAMESPACE, job_id(job)))


@dataclass
class Jobs:
    """The workflows over the parts that one worker has; `register` makes them known to DBOS."""

    parts: Parts
    stopping: threading.Event = field(default_factory=threading.Event)
    _running: set[str] = field(default_factory=set)
    _ask: Callable[[dict[str, Any]], dict[str, Any]] | None = None

    def register(self) -> None:
        """Before DBOS is launched. Attempts are counted here: DBOS's own count is no help once a
        job is resumed."""
        from dbos import DBOS

        DBOS.workflow(name=REVIEW, max_recovery_attempts=None)(_plain(self.review))
        self._ask = DBOS.workflow(name=ASK, max_recovery_attempts=None)(_plain(self.ask))
        DBOS.workflow(name=COMMAND, max_recovery_attempts=None)(_plain(self.command))

    def review(self, data: dict[str, Any]) -> dict[str, Any]:
        """Review a pull request; the end is always told there. Never raises but to be cancelled."""
        job = ReviewJob.from_dict(data)
        name = review_id(job)
        with self._counted(job_id(job), posting(name)) as attempt:
            steps = self._steps(job, name, first=attempt == 1)
            if attempt > MAX_ATTEMPTS + 2:  # to tell of it crashes the worker as well
                return {"outcome": "failed", "review": name, "reason": _CRASHED}
            if attempt > MAX_ATTEMPTS:
                return self._failed(steps, _CRASHED)
            try:
                return self._review(job, steps)
            except ReviewbotError as error:
                log.warning("review %s failed: %s", name, error)
                self._hold_if_stopping()
                return self._failed(steps, str(error))
            except Exception:  # the one place where a bug in a review is reported
                log.exception("review %s failed", name)
                self._hold_if_stopping()
                return self._failed(steps, _OWN_FAULT)

    def ask(self, data: dict[str, Any]) -> dict[str, Any]:
        """Have one question answered; the answers are in the store."""
        from dbos import DBOS

        job = AskJob.from_dict(data)
        with self._counted(job.id) as tries:
            if tries > MAX_ATTEMPTS:
                return {"problem": _CRASHED}
            attempt = 1
            try:
                while wait := DBOS.run_step(
                    {"name": "call"}, self.parts.caller.try_once, job, attempt
                ):
                    DBOS.sleep(wait)
                    attempt += 1
            except ReviewbotError as error:
                self._hold_if_stopping()
                return {"problem": str(error)}
            return {"attempts": attempt}

    def command(self, data: dict[str, Any]) -> dict[str, Any]:
        """Do what a comment asks for."""
        from dbos import DBOS

        job = CommandJob.from_dict(data)
        with self._counted(command_id(job)) as attempt:
            if attempt > MAX_ATTEMPTS:
                return {"outcome": "failed", "reason": _CRASHED}
            host = self.parts.host
            done = DBOS.run_step(
                {"name": "command"}, lambda: dict(patiently(lambda: host.command(job)))
            )
            return {"outcome": "done", **done}

    @property
    def calling(self) -> bool:
        """Whether a question is being answered, or a command done."""
        return any(not name.startswith("rv:") for name in tuple(self._running))

    def forgive_running(self) -> None:
        """The worker ends because it was told to: what still runs did not take it down."""
        for name in sorted(self._running):
            self.parts.caller.store.forgive_attempt(name)

    def _steps(self, job: ReviewJob, name: str, *, first: bool) -> DurableSteps:
        if self._ask is None:
            raise RuntimeError("the workflows are not registered")
        return DurableSteps(self.parts, job, name, self._ask, lambda: datetime.now(UTC), first)

    def _review(self, job: ReviewJob, steps: DurableSteps) -> dict[str, Any]:
        from dbos import DBOS

        if not self._still_wanted(DBOS.run_step({"name": "newest"}, self._newest, job), job):
            return {"outcome": SUPERSEDED}
        now = datetime.fromisoformat(DBOS.run_step({"name": "now"}, _now))
        steps.now = lambda: now
        name = steps.review_id
        review_change(steps, self.parts.setup(job), review_id=name, now=now)
        if not steps.published:
            self._still_wanted(self._newest(job), job)
            patiently(lambda: self.parts.host.end(job, steps.check_id, ENDED))
            return {"outcome": SUPERSEDED, "review": name}
        return {"outcome": "reviewed", "review": name, "published": steps.published}

    def _newest(self, job: ReviewJob) -> dict[str, Any] | None:
        newest = patiently(lambda: self.parts.host.newest(job))
        return newest.as_dict() if newest else None

    def _still_wanted(self, newest: dict[str, Any] | None, job: ReviewJob) -> bool:
        """Whether `job` is the newest; if another is, that one is queued, lest its delivery was
        lost or put aside."""
        if newest is None:
            return False
        found = ReviewJob.from_dict(newest)
        if found != job:
            self.parts.queue.enqueue_review(found)
        return found == job

    def _failed(self, steps: DurableSteps, reason: str) -> dict[str, Any]:
        job, store = steps.job, self.parts.caller.store
        failure = Failure(steps.review_id, reason)
        outcome: dict[str, Any] = {"outcome": "failed", "review": failure.review_id}
        host = self.parts.host
        try:
            told = posted(
                store,
                steps.review_id,
                steps.check_id,
                lambda attempt: host.publish_failure(job, failure, attempt),
            )
        except ReviewbotError as error:
            log.error("review %s: its failure can't be shown: %s", failure.review_id, error)
            return {**outcome, "reason": reason, "published": None}
        return {**outcome, "reason": reason, "published": told}

    @contextmanager
    def _counted(self, name: str, *more: str) -> Iterator[int]:
        """How often the job has begun; that, and what else was counted, ends with it."""
        store = self.parts.caller.store
        self._running.add(name)
        try:
            yield store.begin_attempt(name)
            for each in (name, *more):
                store.end_attempts(each)
        finally:
            self._running.discard(name)

    def _hold_if_stopping(self) -> None:
        """While the process ends, things fail that will work again: this job goes on then."""
        if self.stopping.is_set():
            threading.Event().wait()


def _plain(
    method: Callable[[dict[str, Any]], dict[str, Any]],
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A function that stands for a bound method: DBOS takes methods for something else."""

    def workflow(data: dict[str, Any]) -> dict[str, Any]:
        return method(data)

    return workflow


def _now() -> str:
    return datetime.now(UTC).isoformat()

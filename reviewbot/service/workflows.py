"""The durable jobs: `review`, its questions `ask`, `command`, `feedback`
and `report`.

Whatever DBOS runs again after a crash is the same up to where it was: ids are made from the job's
id, the time comes from a step, and what fails is told on the pull request outside of any step.
"""

import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from reviewbot.errors import ReviewbotError
from reviewbot.pipeline import review_change
from reviewbot.service.calling import AskJob
from reviewbot.service.dbos_setup import ASK, COMMAND, FEEDBACK, REPORT, REVIEW
from reviewbot.service.durable import (
    PATIENCE_SECONDS,
    DurableSteps,
    Failure,
    HeadMoved,
    Parts,
    living,
    patiently,
    posting,
)
from reviewbot.service.jobs import (
    FAILED,
    REVIEWED,
    SUPERSEDED,
    CommandJob,
    FeedbackJob,
    QueueUnavailable,
    ReportJob,
    ReviewJob,
    command_id,
    feedback_id,
    job_id,
    report_id,
)

#: A job that began so often and never came to an end takes the worker down with it: no more.
MAX_ATTEMPTS = 5
#: Review ids are made from job ids under this name.
NAMESPACE = uuid.UUID("0f1f6f5e-6a0c-4a35-9a39-2c8f2f5f7c11")

#: Title of the check of a head that is not worth a review any more.
ENDED = "Not reviewed: closed, paused, or another head is newer"
#: Longest time that what happened in a thread waits for GitHub, seconds: the pull request's next
#: review waits behind it, and threads are read again when the pull request is closed.
THREAD_PATIENCE_SECONDS = 600.0
_OWN_FAULT = "an error inside reviewbot"
_CRASHED = f"the worker ended {MAX_ATTEMPTS} times while it worked on this"

log = logging.getLogger(__name__)

T = TypeVar("T")


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
        DBOS.workflow(name=FEEDBACK, max_recovery_attempts=None)(_plain(self.feedback))
        DBOS.workflow(name=REPORT, max_recovery_attempts=None)(_plain(self.report))

    def review(self, data: dict[str, Any]) -> dict[str, Any]:
        """Review a pull request; the end is always told there. Never raises but to be cancelled."""
        job = ReviewJob.from_dict(data)
        name = review_id(job)
        with self._counted(job_id(job)) as attempt:
            steps = self._steps(job, name)
            if attempt > MAX_ATTEMPTS + 2:  # to tell of it crashes the worker as well
                return {"outcome": FAILED, "review": name, "reason": _CRASHED}
            if attempt > MAX_ATTEMPTS:
                done = self._failed(steps, _CRASHED)
            else:
                done = self._reviewed(steps)
            self.parts.host.finished(job)
            if done["outcome"] != SUPERSEDED:  # that may be taken up again: what it posted is there
                self.parts.caller.store.end_attempts(living(name))
                self.parts.caller.store.end_attempts(posting(name))
            return done

    def ask(self, data: dict[str, Any]) -> dict[str, Any]:
        """Have one question answered; the answers are in the store."""
        from dbos import DBOS

        job = AskJob.from_dict(data)
        with self._counted(job.id) as tries:
            if tries > MAX_ATTEMPTS:
                return {"problem": _CRASHED}
            attempt = 1
            try:
                # 0 seconds are a wait, too: what a model garbled is asked again at once
                while (wait := self._try(job, attempt)) is not None:
                    DBOS.sleep(wait)
                    attempt += 1
            except ReviewbotError as error:
                return {"problem": str(error)}
            return {"attempts": attempt}

    def _try(self, job: AskJob, attempt: int) -> float | None:
        """Seconds to wait before the next try; 0.0 is a wait, too, and None is the end."""
        return self._step("call", partial(self.parts.caller.try_once, job, attempt))

    def command(self, data: dict[str, Any]) -> dict[str, Any]:
        """Do what a comment asks for."""
        job = CommandJob.from_dict(data)
        host = self.parts.host
        with self._counted(command_id(job)) as attempt:
            if attempt > MAX_ATTEMPTS:
                return {"outcome": FAILED, "reason": _CRASHED}
            try:
                done = self._step("command", lambda: dict(patiently(lambda: host.command(job))))
            except ReviewbotError as error:
                log.warning("command %s failed: %s", command_id(job), error)
                told = self._step("told", partial(host.command_failed, job))
                return {"outcome": FAILED, "reason": str(error), "told": told}
            return {"outcome": "done", **done}

    def feedback(self, data: dict[str, Any]) -> dict[str, Any]:
        """Write down what people made of findings."""
        job = FeedbackJob.from_dict(data)
        name, host = feedback_id(job), self.parts.host
        seconds = PATIENCE_SECONDS if job.event == "pull" else THREAD_PATIENCE_SECONDS
        with self._counted(name) as attempt:
            if attempt > MAX_ATTEMPTS:
                return {"outcome": FAILED, "reason": _CRASHED}
            try:
                done = self._step(
                    "feedback", lambda: dict(patiently(lambda: host.feedback(job), seconds))
                )
            except ReviewbotError as error:
                log.warning("feedback %s failed: %s", name, error)
                return {"outcome": FAILED, "reason": str(error)}
            return {"outcome": "done", **done}

    def report(self, data: dict[str, Any]) -> dict[str, Any]:
        """Post a month's report as an issue."""
        job = ReportJob.from_dict(data)
        name, host, store = report_id(job), self.parts.host, self.parts.caller.store
        with self._counted(name) as attempt:
            if attempt > MAX_ATTEMPTS:
                return {"outcome": FAILED, "reason": _CRASHED}

            def post() -> dict[str, Any]:
                return dict(
                    patiently(lambda: host.report(job, lambda: store.attempts(name) == attempt))
                )

            try:
                done = self._step("report", post)
            except ReviewbotError as error:
                log.warning(
                    "the report of %s was not posted in %s: %s; the App needs issues: write there,"
                    " and the repository issues. Later: reviewbot report --month %s --post %s",
                    job.month, job.repository, error, job.month, job.repository,
                )  # fmt: skip
                return {"outcome": FAILED, "reason": str(error)}
            return {"outcome": "done", **done}

    @property
    def calling(self) -> bool:
        """Whether a question is being answered, or a command done."""
        return any(not name.startswith(("rv:", "fb:", "mr:")) for name in tuple(self._running))

    def forgive_running(self) -> None:
        """The worker ends because it was told to: what still runs did not take it down."""
        for name in sorted(self._running):
            self.parts.caller.store.forgive_attempt(name)

    def _steps(self, job: ReviewJob, name: str) -> DurableSteps:
        if self._ask is None:
            raise RuntimeError("the workflows are not registered")
        first = self.parts.caller.store.begin_attempt(living(name)) == 1
        return DurableSteps(
            self.parts, job, name, self._ask, lambda: datetime.now(UTC), first, self._step
        )

    def _step(self, name: str, action: Callable[[], T]) -> T:
        """A step whose result is kept, but for failures while the process ends: things fail then
        that will work again."""
        from dbos import DBOS

        def run() -> T:
            try:
                return action()
            except Exception:
                self._hold_if_stopping()
                raise

        return DBOS.run_step({"name": name}, run)

    def _reviewed(self, steps: DurableSteps) -> dict[str, Any]:
        try:
            return self._review(steps)
        except ReviewbotError as error:
            log.warning("review %s failed: %s", steps.review_id, error)
            self._hold_if_stopping()
            return self._failed(steps, str(error))
        except Exception:  # the one place where a bug in a review is reported
            log.exception("review %s failed", steps.review_id)
            self._hold_if_stopping()
            return self._failed(steps, _OWN_FAULT)

    def _review(self, steps: DurableSteps) -> dict[str, Any]:
        job, name = steps.job, steps.review_id
        if not steps.first and (done := self._published(job)):
            return {"outcome": REVIEWED, "review": name, "published": done}
        newest = self._step("newest", lambda: self._newest(job))
        if not self._still_wanted(newest, job):
            return {"outcome": SUPERSEDED}
        now = datetime.fromisoformat(self._step("now", _now))
        steps.now = lambda: now
        try:
            review_change(steps, self.parts.setup(job), review_id=name, now=now)
        except HeadMoved:
            log.info("review %s: its head moved while it was read", name)
        if not steps.published:
            return self._superseded(steps)
        return {"outcome": REVIEWED, "review": name, "published": steps.published}

    def _published(self, job: ReviewJob) -> dict[str, Any] | None:
        """What an earlier run of this job posted: after that nothing can fail it any more."""
        kept: dict[str, Any] | None = self.parts.queue.kept(job, "publish")
        return kept

    def _superseded(self, steps: DurableSteps) -> dict[str, Any]:
        """Another head is reviewed, if there is one; this one's check ends."""
        job = steps.job
        self._still_wanted(self._newest(job), job)
        patiently(lambda: self.parts.host.end(job, steps.check_id, ENDED))
        return {"outcome": SUPERSEDED, "review": steps.review_id}

    def _newest(self, job: ReviewJob) -> dict[str, Any] | None:
        """A head that was told of with several bases is reviewed by one job: by that of the base
        of now, or else by the last of the others."""
        newest = patiently(lambda: self.parts.host.newest(job))
        if newest and newest != job and newest == replace(job, base=newest.base):
            newest = None if self._gives_way(job) else job
        return newest.as_dict() if newest else None

    def _gives_way(self, job: ReviewJob) -> bool:
        """Where that can't be known, a second review is the lesser harm than none."""
        try:
            return self.parts.queue.has_other(job)
        except QueueUnavailable:
            return False

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
        failure = Failure(steps.review_id, reason)
        outcome: dict[str, Any] = {"outcome": FAILED, "review": failure.review_id}
        host = self.parts.host
        try:
            told = steps.posted(lambda attempt: host.publish_failure(steps.job, failure, attempt))
            if not told:
                return self._superseded(steps)
        except ReviewbotError as error:
            log.error("review %s: its failure can't be shown: %s", failure.review_id, error)
            return {**outcome, "reason": reason, "published": None}
        return {**outcome, "reason": reason, "published": told}

    @contextmanager
    def _counted(self, name: str) -> Iterator[int]:
        """How often the job has begun; it counts no more once it ends."""
        store = self.parts.caller.store
        self._running.add(name)
        try:
            yield store.begin_attempt(name)
            store.end_attempts(name)
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

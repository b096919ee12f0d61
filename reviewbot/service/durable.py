"""The flow's steps as a durable job takes them: what was done stays done over a crash."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from reviewbot.change.model import Change, Sources
from reviewbot.change.source import Fetched
from reviewbot.costs.calls import Call
from reviewbot.errors import EngineError, ReviewbotError, StoreError
from reviewbot.pipeline import Asked, Setup
from reviewbot.publishing.result import Review
from reviewbot.review.engine import Ask
from reviewbot.review.evidence import Analysis, Analyzers
from reviewbot.service.calling import AskJob, Caller
from reviewbot.service.dbos_setup import CLAUDE, GPU, VERSION
from reviewbot.service.jobs import CommandJob, JobQueue, ReviewJob

#: How often a review looks whether its questions are answered, seconds.
LOOK_SECONDS = 0.1
#: Longest time that a job waits for a host which can't be reached, seconds.
PATIENCE_SECONDS = 1_800.0

T = TypeVar("T")


class HostBusy(ReviewbotError):
    """The host can't be reached or asks us to wait; the same may work after `seconds`."""

    def __init__(self, message: str, seconds: float = 5.0) -> None:
        super().__init__(message)
        self.seconds = seconds


@dataclass(frozen=True)
class Failure:
    """A review that did not come about."""

    review_id: str
    """Leads to the log."""
    reason: str
    """For people on the pull request; holds nothing secret."""


class Host(Protocol):
    """Where the pull requests are. All methods raise HostBusy where trying again may help."""

    def newest(self, job: ReviewJob) -> ReviewJob | None:
        """The job that its pull request is worth now: `job` itself while its head is the newest,
        an automatic one for a newer head, None if there is nothing to review any more."""
        ...

    def fetch(self, job: ReviewJob) -> Fetched:
        """The change between the job's base and head; changes nothing."""
        ...

    def publish(self, job: ReviewJob, review: Review) -> Mapping[str, Any]:
        """Post the review unless it is there already, and say as JSON what was posted.

        May be called again for the same job after a crash: it must look before it posts.
        """
        ...

    def publish_failure(self, job: ReviewJob, failure: Failure) -> Mapping[str, Any]:
        """Show that there is no review and why; likewise."""
        ...

    def command(self, job: CommandJob) -> Mapping[str, Any]:
        """Do what a comment asks for and say as JSON what was done; likewise."""
        ...


@dataclass(frozen=True)
class Parts:
    """What the jobs of one worker work with."""

    host: Host
    caller: Caller
    analyzers: Analyzers
    queue: JobQueue
    setup: Callable[[ReviewJob], Setup]
    """What a review is done with, by who asked for what."""


@dataclass
class DurableSteps:
    """The steps of one review, run inside a DBOS workflow.

    Reading the change again is free of effects, so it is not kept; each question is a job of its
    own whose answers are in our store; posting is a step whose result is kept.
    """

    parts: Parts
    job: ReviewJob
    review_id: str
    ask_workflow: Callable[[dict[str, Any]], dict[str, Any]]
    now: Callable[[], Any]
    published: dict[str, Any] = field(default_factory=dict)

    def fetch(self) -> Fetched:
        return patiently(lambda: self.parts.host.fetch(self.job))

    def analyze(
        self, change: Change, sources: Sources, *, skip: Collection[str], sql_dialect: str
    ) -> Analysis:
        return self.parts.analyzers.analyze(change, sources, skip=skip, sql_dialect=sql_dialect)

    def ask(self, asks: Sequence[Ask]) -> list[Asked]:
        """Raises EngineError as an engine did."""
        jobs = [self._ask_job(ask) for ask in asks]
        handles = [self._enqueue(job) for job in jobs]
        results = [handle.get_result(polling_interval_sec=LOOK_SECONDS) for handle in handles]
        for result in results:
            if problem := result.get("problem"):
                raise EngineError(problem)
        calls = self._calls()
        return [self._asked(job, calls) for job in jobs]

    def record(self, review: Review) -> None:
        self.parts.caller.store.save_review(review, installation=self.job.installation)

    def publish(self, review: Review) -> None:
        from dbos import DBOS

        def publish() -> dict[str, Any]:
            host = self.parts.host
            if patiently(lambda: host.newest(self.job)) != self.job:
                return {}
            return dict(patiently(lambda: host.publish(self.job, review)))

        self.published = DBOS.run_step({"name": "publish"}, publish)

    def _ask_job(self, ask: Ask) -> AskJob:
        return AskJob(
            review_id=self.review_id,
            role=ask.role,
            unit=ask.unit,
            prompt_hash=self.parts.caller.store.put_prompt(ask.prompt, at=self.now()),
            installation=self.job.installation,
            repository=self.job.repository,
            number=self.job.number,
            purpose=ask.purpose,
        )

    def _enqueue(self, job: AskJob) -> Any:
        from dbos import DBOS, SetEnqueueOptions, SetWorkflowID

        ours = self.parts.caller.asker.engines[job.role].provider is None
        with SetWorkflowID(job.id), SetEnqueueOptions(app_version=VERSION):
            handle = DBOS.enqueue_workflow(
                GPU if ours else CLAUDE, self.ask_workflow, job.as_dict()
            )
        if handle.get_workflow_id() != job.id:
            raise StoreError(
                "the change, the policy or the settings are no longer those with which this review"
                " began: ask for it again"
            )
        return handle

    def _calls(self) -> dict[str, Call]:
        entries = self.parts.caller.store.calls(review_id=self.review_id)
        return {entry.id: entry for entry in entries if isinstance(entry, Call)}

    def _asked(self, job: AskJob, calls: Mapping[str, Call]) -> Asked:
        answers = self.parts.caller.store.answers(job.question)
        if not answers:
            raise StoreError("an answer was deleted before the review was done")
        return Asked(answers[-1].reply, tuple(calls[answer.call_id] for answer in answers))


def patiently(action: Callable[[], T]) -> T:
    """Do it again as long as the host asks to wait, within reason. Raises what it raises last."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return action()
        except HostBusy as busy:
            if time.monotonic() + busy.seconds > deadline:
                raise
            time.sleep(busy.seconds)

"""The flow's steps as a durable job takes them: what was done stays done over a crash."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from threading import Timer
from typing import Any, Protocol, TypeVar

from reviewbot.change.model import Change, Sources
from reviewbot.change.source import Fetched
from reviewbot.config.policy import Budget
from reviewbot.costs.budget import Payer, Spending
from reviewbot.costs.calls import Call
from reviewbot.errors import EngineError, ReviewbotError, StoreError
from reviewbot.github.reviews import Attempt
from reviewbot.pipeline import Setup
from reviewbot.publishing.result import Review
from reviewbot.publishing.rounds import Earlier
from reviewbot.reading import Asked
from reviewbot.review.engine import Ask, Counted, Prompt, Role
from reviewbot.review.evidence import Analysis, Analyzers
from reviewbot.service.calling import AskJob, Caller
from reviewbot.service.dbos_setup import CLAUDE, GPU, VERSION
from reviewbot.service.jobs import CommandJob, FeedbackJob, JobQueue, ReportJob, ReviewJob
from reviewbot.service.upkeep import Upkeep
from reviewbot.store.posted import Posting

#: How often a review looks whether its questions are answered, seconds.
LOOK_SECONDS = 0.05
#: Longest time that a job waits for a host which can't be reached, seconds: twice the hour in
#: which GitHub's limits start anew.
PATIENCE_SECONDS = 7_400.0
#: After so long without an answer the pull request says that the model is waited for, seconds.
WAITING_SECONDS = 20.0

T = TypeVar("T")


class HostBusy(ReviewbotError):
    """The host can't be reached or asks us to wait; the same may work after `seconds`."""

    def __init__(self, message: str, seconds: float = 5.0) -> None:
        super().__init__(message)
        self.seconds = seconds


class HeadMoved(ReviewbotError):
    """The pull request got another head while it was read."""


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
        """The job that its pull request is worth now: `job`, with the base of now, while its head
        is the newest, an automatic one for a newer head, None if there is nothing to review any
        more."""
        ...

    def fetch(self, job: ReviewJob, also: Collection[str]) -> Fetched:
        """The change between the job's base and head, and the texts of the files `also` where they
        are not part of it; changes nothing. Raises HeadMoved."""
        ...

    def begin(self, job: ReviewJob, *, first: bool) -> int | None:
        """Show that the review is being made; the id of what shows it, None where that may not be.

        `first`: nothing can be there yet, so that no look is needed. Called after `fetch`.
        """
        ...

    def waiting(self, job: ReviewJob, check_id: int) -> None:
        """Show that the review waits for a model; best effort."""
        ...

    def publish(self, job: ReviewJob, review: Review, attempt: Attempt) -> Mapping[str, Any]:
        """Post the review unless it is there already, and say as JSON what was posted: nothing at
        all if the review is not wanted any more, or another worker goes on with it."""
        ...

    def publish_failure(
        self, job: ReviewJob, failure: Failure, attempt: Attempt
    ) -> Mapping[str, Any]:
        """Show that there is no review; likewise."""
        ...

    def end(self, job: ReviewJob, check_id: int | None, why: str) -> None:
        """What shows that a review is being made ends without one."""
        ...

    def finished(self, job: ReviewJob) -> None:
        """Forget what was kept for the job between its steps."""
        ...

    def command_failed(self, job: CommandJob) -> bool:
        """Show that a command was not done; whether that worked. Raises nothing."""
        ...

    def command(self, job: CommandJob) -> Mapping[str, Any]:
        """Do what a comment asks for and say as JSON what was done.

        May be called again for the same job after a crash: it must look before it posts.
        """
        ...

    def feedback(self, job: FeedbackJob) -> Mapping[str, Any]:
        """Write down what people made of findings, and say as JSON how much was new.

        May be called again for the same job: what is written is written once.
        """
        ...

    def report(self, job: ReportJob, ours: Callable[[], bool]) -> Mapping[str, Any]:
        """Post a month's report as an issue, or edit that, and say as JSON what was done.

        `ours` says whether no other worker has begun to after us.
        """
        ...


class WorkerQueue(JobQueue, Protocol):
    """The queue as a worker sees it."""

    def enqueue_report(self, job: ReportJob) -> str:
        """Keep the job, once and for all, and return its id. Raises QueueUnavailable."""
        ...

    def has_other(self, job: ReviewJob) -> bool:
        """Whether the same is asked for with another base, by a job that did not come to nothing.
        Raises QueueUnavailable."""
        ...

    def kept(self, job: ReviewJob, step: str) -> Any:
        """What a finished step of a job came to, None without one. Raises QueueUnavailable."""
        ...


@dataclass(frozen=True)
class Parts:
    """What the jobs of one worker work with."""

    host: Host
    caller: Caller
    analyzers: Analyzers
    queue: WorkerQueue
    setup: Callable[[ReviewJob], Setup]
    """What a review is done with, by who asked for what."""
    due_reports: Callable[[datetime], Sequence[ReportJob]] = lambda _: ()
    """The monthly reports that are to be posted at a time."""
    upkeep: Upkeep | None = None
    """The service's own work."""


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
    first: bool
    """The job never began before: nothing of it can be on the pull request."""
    step: Callable[[str, Callable[[], Any]], Any]
    """Runs a step whose result is kept."""
    check_id: int | None = None
    """What shows on the pull request that the review is being made."""
    published: dict[str, Any] = field(default_factory=dict)

    def earlier(self) -> Earlier:
        """Kept: a job that goes on goes on from the same."""
        job, store = self.job, self.parts.caller.store
        place = (job.installation, job.repository_id, job.number)
        known = self.step("earlier", lambda: store.earlier(*place, but=self.review_id).to_json())
        return Earlier.from_json(known)

    def fetch(self, also: Collection[str]) -> Fetched:
        found = patiently(lambda: self.parts.host.fetch(self.job, also))
        fetched = replace(found, repository_id=self.job.repository_id)  # whose money it costs
        tries = count(1)

        def begin() -> int | None:
            first = self.first and next(tries) == 1
            return self.parts.host.begin(self.job, first=first)

        self.check_id = self.step("begin", lambda: patiently(begin))
        return fetched

    def analyze(
        self, change: Change, sources: Sources, *, skip: Collection[str], sql_dialect: str
    ) -> Analysis:
        return self.parts.analyzers.analyze(change, sources, skip=skip, sql_dialect=sql_dialect)

    def count(self, role: Role, prompt: Prompt, texts: Sequence[str]) -> Counted | None:
        """Kept: a change must be packed the same way again, whatever can be counted then."""

        def counted() -> list[int] | None:
            found = self.parts.caller.asker.count(role, prompt, texts)
            return None if found is None else [found.prompt, *found.texts]

        with self._told_of_waiting():  # the model may still be loaded
            numbers = self.step("count", counted)
        return None if numbers is None else Counted(numbers[0], tuple(numbers[1:]))

    def ask(self, asks: Sequence[Ask]) -> list[Asked]:
        """Raises EngineError as an engine did."""
        jobs = [self._ask_job(ask) for ask in asks]
        handles = [self._enqueue(job, turn) for turn, job in enumerate(jobs, 1)]
        with self._told_of_waiting():
            results = [handle.get_result(polling_interval_sec=LOOK_SECONDS) for handle in handles]
        for result in results:
            if problem := result.get("problem"):
                raise EngineError(problem)
        calls = self._calls()
        return [self._asked(job, calls) for job in jobs]

    def too_dear(self, asks: Sequence[Ask]) -> str:
        """Kept, so that a job which goes on decides as it did before."""
        asker = self.parts.caller.asker
        return str(self.step("budget", lambda: asker.too_dear(asks)))

    def spending(self, payer: Payer, budget: Budget) -> Spending:
        """As it was when it was first asked for."""
        asker = self.parts.caller.asker
        known = self.step(
            "spending",
            lambda: asker.spending(payer, budget, review_id=self.review_id).to_json(),
        )
        return Spending.from_json(known)

    def record(self, review: Review) -> None:
        job = self.job
        self.parts.caller.store.save_review(
            review,
            installation=job.installation,
            repository_id=job.repository_id,
            request=job.asked_by,
        )

    def publish(self, review: Review) -> None:
        def post(attempt: Attempt) -> Mapping[str, Any]:
            done = self.parts.host.publish(self.job, review, attempt)
            if done:
                self._keep_posted(review, done)
            return done

        self.published = self.step("publish", lambda: self.posted(post))

    def posted(self, post: Callable[[Attempt], Mapping[str, Any]]) -> dict[str, Any]:
        """Post as often as it takes, and give way to a worker that began to after us."""
        store, name = self.parts.caller.store, posting(self.review_id)
        mine = store.begin_attempt(name)
        tries = count(1)

        def once() -> Mapping[str, Any]:
            first = self.first and mine == next(tries) == 1
            return post(Attempt(self.check_id, first, lambda: store.attempts(name) == mine))

        done = dict(patiently(once))
        while store.attempts(name) > mine:  # until the other has ended the job: its word counts
            time.sleep(1)
        return done

    def _keep_posted(self, review: Review, done: Mapping[str, Any]) -> None:
        """What was posted, for what people will make of it and for the next review. Part of the
        step that posts: once that is done, so is this."""
        if review.left_alone:
            return
        posting = Posting(
            installation=self.job.installation,
            repository_id=self.job.repository_id,
            at=datetime.now(UTC),
            inline=tuple(done.get("inline", ())),
            github_review=done.get("review_id"),
        )
        self.parts.caller.store.add_round(review, posting, done.get("comments", {}))

    @contextmanager
    def _told_of_waiting(self) -> Iterator[None]:
        """Who looks at a pull request for a while learns that the models are busy."""
        if self.check_id is None:
            yield
            return
        timer = Timer(WAITING_SECONDS, self.parts.host.waiting, (self.job, self.check_id))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()  # what it says must not come after what the review says

    def _ask_job(self, ask: Ask) -> AskJob:
        return AskJob(
            review_id=self.review_id,
            role=ask.role,
            unit=ask.unit,
            prompt_hash=self.parts.caller.store.put_prompt(
                ask.prompt, at=datetime.now(UTC), review_id=self.review_id
            ),
            installation=self.job.installation,
            repository=self.job.repository,
            repository_id=self.job.repository_id,
            number=self.job.number,
            purpose=ask.purpose,
            budget=ask.budget.model_dump(mode="json") if ask.budget else {},
        )

    def _enqueue(self, job: AskJob, turn: int) -> Any:
        """Reviews take turns: the second question of one waits for the first ones of all."""
        from dbos import DBOS, SetEnqueueOptions, SetWorkflowID

        ours = self.parts.caller.asker.engines[job.role].provider is None
        with SetWorkflowID(job.id), SetEnqueueOptions(app_version=VERSION, priority=turn):
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
        made = tuple(calls[answer.call_id] for answer in answers)
        return Asked(answers[-1].reply, made, sum(answer.reply.sends for answer in answers))


def posting(review_id: str) -> str:
    """Under this name is counted how often somebody began to post a review."""
    return f"post:{review_id}"


def living(review_id: str) -> str:
    """Under this name is counted how often a job has begun; a wanted stop counts, too."""
    return f"life:{review_id}"


def patiently(action: Callable[[], T], seconds: float = PATIENCE_SECONDS) -> T:
    """Do it again as long as the host asks to wait, for so long. Raises what it raises last."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return action()
        except HostBusy as busy:
            if time.monotonic() + busy.seconds > deadline:
                raise
            time.sleep(busy.seconds)

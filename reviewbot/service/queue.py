"""Deliveries' work, kept in DBOS's tables by whoever receives it."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from reviewbot.service.dbos_setup import (
    COMMAND,
    COMMANDS,
    FEEDBACK,
    REPORT,
    REPORTS,
    REVIEW,
    REVIEWS,
    VERSION,
    open_client,
)
from reviewbot.service.group_commit import GroupCommit
from reviewbot.service.jobs import (
    AUTO,
    BACK,
    FAILED,
    REVIEWED,
    SUPERSEDED,
    CommandJob,
    FeedbackJob,
    QueueDepth,
    QueueUnavailable,
    ReportJob,
    ReviewJob,
    command_id,
    feedback_id,
    job_id,
    report_id,
)

_CANCELLED, _ERROR, _DONE, _RUNNING = "CANCELLED", "ERROR", "SUCCESS", "PENDING"
#: Reviews that are counted at most.
MOST_COUNTED = 500
#: Finished reviews of a pull request among which its last one is looked for.
_LOOKED_AT = 50


class _Wanted(NamedTuple):
    """A job as it is to be kept."""

    id: str
    options: dict[str, Any]
    job: dict[str, Any]


class DbosQueue:
    """A JobQueue. Safe to use from several threads and processes."""

    def __init__(self, engine: Engine) -> None:
        """On the database of the jobs; nothing is asked of it yet."""
        self.client = open_client(engine)
        self._engine = engine
        self._keep = GroupCommit[_Wanted, str | None](self._keep_all)

    def enqueue_review(self, job: ReviewJob) -> str:
        """Keep the job, once, and return its id. Raises QueueUnavailable.

        One that came to nothing is taken up again: a pull request may be closed and reopened, and
        a push be taken back. A head that was reviewed, and is back after another one, is a new job.
        """
        wanted = job_id(job)
        if self._keep_in_turn(REVIEW, wanted, job) != _DONE or job.same_request != AUTO:
            return wanted
        if not (last := self._last_of_another_head(job)):
            return wanted
        back = replace(job, request=f"{BACK}{hashlib.sha256(last.encode()).hexdigest()[:16]}")
        self._keep_in_turn(REVIEW, job_id(back), back)
        return job_id(back)

    def _last_of_another_head(self, job: ReviewJob) -> str:
        """The id of the pull request's last review, unless that is of the job's own head."""
        with _stored():
            done = self.client.list_workflows(
                workflow_id_prefix=job_id(job).partition(job.head)[0],
                status=_DONE,
                sort_desc=True,
                limit=_LOOKED_AT,
                load_input=False,
            )
        shown = (each.workflow_id for each in done if _outcome(each.output) in (REVIEWED, FAILED))
        last = next(shown, "")
        return "" if f":{job.head}:" in last else last

    def enqueue_command(self, job: CommandJob) -> str:
        """Keep the job, once, and return its id. Raises QueueUnavailable."""
        wanted = command_id(job)
        with _stored():
            self._keep.put(_wanted(COMMAND, wanted, job.as_dict(), {"queue_name": COMMANDS}))
            return wanted

    def enqueue_feedback(self, job: FeedbackJob) -> str:
        """Keep the job, once, and return its id; take up again one that failed. Raises
        QueueUnavailable.

        In the queue of the reviews, one at a time for each pull request: what a running review
        posts is written down before anybody looks for what became of it.
        """
        self._keep_in_turn(FEEDBACK, feedback_id(job), job)
        return feedback_id(job)

    def enqueue_report(self, job: ReportJob) -> str:
        """Keep the job, once and for all, and return its id. Raises QueueUnavailable."""
        wanted = report_id(job)
        with _stored():
            self._keep.put(_wanted(REPORT, wanted, job.as_dict(), {"queue_name": REPORTS}))
            return wanted

    def unknown(self, jobs: Sequence[ReviewJob]) -> list[ReviewJob]:
        """Those that were never kept, or long ago, in their order. Raises QueueUnavailable."""
        wanted = [job_id(job) for job in jobs]
        if not wanted:
            return []
        with _stored():
            listed = self.client.list_workflows(
                workflow_ids=wanted, load_input=False, load_output=False
            )
        known = {each.workflow_id for each in listed}
        return [job for job in jobs if job_id(job) not in known]

    def has_other(self, job: ReviewJob) -> bool:
        """Whether the same is asked for with another base, by a job that did not come to nothing.
        Raises QueueUnavailable."""
        own = job_id(job)
        before, _, after = own.rpartition(job.base)
        with _stored():
            listed = self.client.list_workflows(
                workflow_id_prefix=before, load_input=False, load_output=False
            )
            others = {
                each.workflow_id: str(each.status)
                for each in listed
                if each.workflow_id != own and each.workflow_id.endswith(after)
            }
            return any(not self._came_to_nothing(id_, status) for id_, status in others.items())

    def kept(self, job: ReviewJob, step: str) -> Any:
        """What a finished step of a job came to, None without one. Raises QueueUnavailable."""
        with _stored():
            steps = self.client.list_workflow_steps(job_id(job))
        return next((each["output"] for each in steps if each["function_name"] == step), None)

    def _keep_in_turn(self, workflow: str, wanted: str, job: ReviewJob | FeedbackJob) -> str | None:
        """Behind the other jobs of its pull request; the status of one that was there and stays
        as it is."""
        place: Any = {"queue_name": REVIEWS, "queue_partition_key": job.partition}
        with _stored():
            known = self._keep.put(_wanted(workflow, wanted, job.as_dict(), place))
            if known and self._came_to_nothing(wanted, known):
                self.client.rewind_workflow(wanted, application_version=VERSION, **place)
                return None
            return known

    def depth(self) -> QueueDepth:
        """How many reviews wait and run, together up to MOST_COUNTED. Raises QueueUnavailable."""
        with _stored():
            jobs = self.client.list_queued_workflows(
                queue_name=REVIEWS, limit=MOST_COUNTED, load_input=False, load_output=False
            )
        running = sum(job.status == _RUNNING for job in jobs)
        return QueueDepth(len(jobs) - running, running)

    def _keep_all(self, jobs: Sequence[_Wanted]) -> list[str | None]:
        """The status of each that was there before, in one transaction."""
        from dbos import error as dbos_error

        known: dict[str, str] = {}
        with self._engine.begin() as connection:
            for wanted in sorted(
                jobs, key=_id
            ):  # two listeners take PostgreSQL's locks in one order
                options: Any = wanted.options
                try:
                    self.client.enqueue_in_transaction(connection, options, wanted.job)
                except dbos_error.DBOSWorkflowIDInUseError as error:
                    known[wanted.id] = error.workflow_status
        return [known.get(wanted.id) for wanted in jobs]

    def _came_to_nothing(self, id_: str, status: str) -> bool:
        if status != _DONE:
            return status in (_CANCELLED, _ERROR)
        done = next(iter(self.client.list_workflows(workflow_ids=[id_], load_input=False)), None)
        if done is None:  # cleaned away meanwhile
            return True
        output = done.output if isinstance(done.output, dict) else {}
        untold = output.get("outcome") == FAILED and not output.get("published")
        return untold or output.get("outcome") == SUPERSEDED


def _outcome(output: Any) -> str:
    return str(output.get("outcome")) if isinstance(output, dict) else ""


def _id(wanted: _Wanted) -> str:
    return wanted.id


def _wanted(workflow: str, id_: str, job: dict[str, Any], place: dict[str, str]) -> _Wanted:
    options = {
        "workflow_name": workflow,
        "workflow_id": id_,
        "workflow_id_reuse_policy": "reject",
        "app_version": VERSION,
        **place,
    }
    return _Wanted(id_, options, job)


@contextmanager
def _stored() -> Iterator[None]:
    from dbos import error as dbos_error

    try:
        yield
    except (SQLAlchemyError, dbos_error.DBOSException) as error:
        # the kind alone: a message may quote the statement and its values
        raise QueueUnavailable(f"the queue can't be used ({type(error).__name__})") from None

"""Deliveries' work, kept in DBOS's tables by whoever receives it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError

from reviewbot.service.dbos_setup import COMMAND, COMMANDS, REVIEW, REVIEWS, VERSION
from reviewbot.service.jobs import (
    AUTO,
    DRAFT,
    CommandJob,
    QueueUnavailable,
    ReviewJob,
    command_id,
    job_id,
    partition,
)

if TYPE_CHECKING:
    from dbos import DBOSClient

_WAITING = ["ENQUEUED", "DELAYED"]
_CANCELLED = "CANCELLED"


@dataclass(frozen=True)
class DbosQueue:
    """A JobQueue. Safe to use from several threads and processes."""

    client: "DBOSClient"

    def enqueue_review(self, job: ReviewJob) -> str:
        """Keep the job, once, and return its id. Raises QueueUnavailable.

        An automatic job takes the place of automatic ones of its pull request that still wait.
        One that was itself put aside is taken up again: deliveries come in no order, so the head
        that looked older may be the newest after all.
        """
        wanted = job_id(job)
        with _stored():
            if job.automatic:
                self._put_aside(job, wanted)
            self._enqueue(REVIEW, REVIEWS, wanted, job.as_dict(), queue_partition_key=job.partition)
            return wanted

    def enqueue_command(self, job: CommandJob) -> str:
        """Keep the job, once, and return its id. Raises QueueUnavailable."""
        wanted = command_id(job)
        with _stored():
            self._enqueue(COMMAND, COMMANDS, wanted, job.as_dict())
            return wanted

    def cancel_queued(self, repository_id: int, number: int) -> int:
        """Cancel a pull request's waiting reviews; how many there were. Raises QueueUnavailable."""
        mark = f":{partition(repository_id, number)}:"
        with _stored():
            waiting = [id_ for id_, _ in self._reviews("rv:", _WAITING) if mark in id_]
            if waiting:
                self.client.cancel_workflows(waiting)
            return len(waiting)

    def _enqueue(
        self, workflow: str, queue: str, wanted: str, job: dict[str, Any], **more: str
    ) -> None:
        options: Any = {
            "workflow_name": workflow,
            "queue_name": queue,
            "workflow_id": wanted,
            "app_version": VERSION,
            **more,
        }
        self.client.enqueue(options, job)

    def _put_aside(self, job: ReviewJob, wanted: str) -> None:
        prefix = f"rv:{job.installation}:{job.partition}:"
        older = []
        for id_, status in self._reviews(prefix, [*_WAITING, _CANCELLED]):
            if id_ == wanted and status == _CANCELLED:
                self.client.resume_workflows([id_], queue_name=REVIEWS)
            elif id_ != wanted and status != _CANCELLED and id_.endswith((f":{AUTO}", f":{DRAFT}")):
                older.append(id_)
        if older:
            self.client.cancel_workflows(older)

    def _reviews(self, prefix: str, status: list[str]) -> list[tuple[str, str]]:
        """(id, status) of the reviews whose id begins so."""
        found = self.client.list_workflows(
            workflow_id_prefix=prefix, status=status, load_input=False, load_output=False
        )
        return [(workflow.workflow_id, str(workflow.status)) for workflow in found]


@contextmanager
def _stored() -> Iterator[None]:
    from dbos import error as dbos_error

    try:
        yield
    except (SQLAlchemyError, dbos_error.DBOSException) as error:
        # the kind alone: a message may quote the statement and its values
        raise QueueUnavailable(f"the queue can't be used ({type(error).__name__})") from None

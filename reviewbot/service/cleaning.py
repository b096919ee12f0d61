"""Old prompts, answers and finished jobs are deleted, so that the databases stay bounded."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reviewbot.service.dbos_setup import ASK, REVIEW
from reviewbot.service.durable import living, posting
from reviewbot.service.upkeep import Done, Turn
from reviewbot.service.workflows import NAMESPACE
from reviewbot.store.cleaning import CleaningStore

if TYPE_CHECKING:
    from dbos import DBOSClient

#: Name of the chore.
CLEAN = "clean"
#: Finished jobs are kept for so long at least: GitHub can repeat a delivery for three days, and a
#: job that is not known any more would run again.
JOBS_KEPT = timedelta(days=4)
#: A prompt that was put just now may be of a review that the queue does not show yet.
MARGIN = timedelta(minutes=1)
#: Workers that were silent for so long are forgotten.
SILENT = timedelta(days=7)
#: Jobs, reviews or rows of one transaction.
BATCH = 200
#: Reviews with old texts that are looked through at a time; those that run are among them.
_CANDIDATES = 5_000

_ACTIVE = ["PENDING", "ENQUEUED", "DELAYED"]
_FINISHED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]


@dataclass(frozen=True)
class Cleaning:
    """Deletes what is older than the operator wants."""

    jobs: "DBOSClient"
    store: CleaningStore
    days: int
    """0: no prompt or answer is kept longer than its job."""

    def work(self, turn: Turn) -> Done:
        """One turn. Raises StoreError and LostTurn."""
        kept = timedelta(days=self.days)
        texts, jobs = turn.now - max(kept, MARGIN), turn.now - max(kept, JOBS_KEPT)
        gone = self._texts(turn, texts)
        gone += _batches(turn, lambda: self.store.forget_unused(texts, BATCH))
        gone += self._jobs(turn, jobs)
        gone += _batches(turn, lambda: self.store.forget_taken(turn.now - JOBS_KEPT, BATCH))
        gone += self.store.forget_beats(turn.now - SILENT)
        return Done(gone, complete=not turn.stopping.is_set())

    def _texts(self, turn: Turn, before: datetime) -> int:
        """Prompts and answers of reviews that have ended. The questions go first: one that is
        known as answered, without its answer, would fail a review that is taken up again."""
        gone = 0
        while turn.goes_on():
            old = self.store.reviews_with_texts(before, _CANDIDATES)
            running = self._running()
            ended = [name for name in old if name not in running][:BATCH]
            if not ended:
                break
            self._delete([each for name in ended for each in self._questions(name)])
            gone += self.store.forget_texts(ended, before)
        return gone

    def _jobs(self, turn: Turn, before: datetime) -> int:
        """Finished jobs, but for the questions of reviews that still run."""
        gone = skipped = 0
        while turn.goes_on():
            listed = self.jobs.list_workflows(
                status=_FINISHED,
                end_time=before.isoformat(),
                limit=BATCH,
                offset=skipped,
                load_input=False,
                load_output=False,
            )
            running = self._running()
            names = [each.workflow_id for each in listed]
            old = [name for name in names if _review_of(name) not in running]
            self._delete(old)
            self.store.forget_attempts([each for name in old for each in _counts(name)])
            gone, skipped = gone + len(old), skipped + len(names) - len(old)
            if len(names) < BATCH:
                break
        return gone

    def _running(self) -> set[str]:
        """Ids of reviews that run, wait, or have a question that does."""
        listed = self.jobs.list_workflows(
            status=_ACTIVE, name=[REVIEW, ASK], load_input=False, load_output=False
        )
        return {_review_of(each.workflow_id) for each in listed}

    def _questions(self, review_id: str) -> list[str]:
        listed = self.jobs.list_workflows(
            workflow_id_prefix=f"ask:{review_id}:", load_input=False, load_output=False
        )
        return [each.workflow_id for each in listed]

    def _delete(self, names: Sequence[str]) -> None:
        for start in range(0, len(names), BATCH):
            self.jobs.delete_workflows(list(names[start : start + BATCH]))


def _review_of(name: str) -> str:
    """The id of the review that a job is, or asks for."""
    if name.startswith("ask:"):
        return name.split(":")[1]
    return str(uuid.uuid5(NAMESPACE, name))


def _counts(name: str) -> tuple[str, str, str]:
    """Under these names is counted how often a job began."""
    review = _review_of(name)
    return name, living(review), posting(review)


def _batches(turn: Turn, delete: Callable[[], int]) -> int:
    gone = 0
    while turn.goes_on() and (some := delete()):
        gone += some
    return gone

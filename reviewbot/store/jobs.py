"""The store as a worker uses it: the ledger, prompts and answers, attempts and heartbeats."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import delete, insert, select, update

from reviewbot.costs.budget import NO_CAPS, Caps, Payer, Refusal, Spending
from reviewbot.costs.calls import Call, CallStart
from reviewbot.publishing.result import Review
from reviewbot.publishing.rounds import Earlier
from reviewbot.review.engine import Prompt, Reply
from reviewbot.store.accounts import refusal_of
from reviewbot.store.calls import find_start, has_settlement, insert_settlement, insert_start
from reviewbot.store.engine import connect
from reviewbot.store.ledger import Store, open_store
from reviewbot.store.patience import patient
from reviewbot.store.posted import Posting, put_posted
from reviewbot.store.prompts import (
    Answer,
    Question,
    get_answers,
    get_prompt,
    put_answer,
    put_prompt,
)
from reviewbot.store.rounds import get_earlier, put_round
from reviewbot.store.schema import attempts, heartbeats

#: A worker beats every 5 seconds; one that was silent for so long is taken for dead.
BEAT_FRESH = timedelta(seconds=30)


@dataclass(frozen=True)
class Beat:
    """A worker and when it was last seen."""

    executor: str
    engines: str
    """What answers its questions, in words; empty for none."""
    started_at: datetime
    seen_at: datetime


class JobStore(Store):
    """A Store that also remembers what running jobs need. Each method is one transaction.

    Whatever a job does with it waits for a database that is away, a minute at most.
    """

    @patient
    def start_call(self, start: CallStart, caps: Caps = NO_CAPS) -> Refusal | None:
        """As `Store.start_call`; a second time is the first."""
        with self._writing() as connection:
            known = find_start(connection, start.id)
            if known is None:
                return insert_start(connection, start, caps)
            if known.reserved_usd == start.reserved_usd:
                return None
            # a cap that was lifted since then changes nothing: nothing was reserved for this call
            return refusal_of(connection, start) or Refusal("operator", Decimal(0))

    @patient
    def calls(
        self,
        *,
        review_id: str | None = None,
        repository: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Call | CallStart]:
        return super().calls(review_id=review_id, repository=repository, since=since, until=until)

    @patient
    def spending(self, payer: Payer, at: datetime, *, review_id: str | None = None) -> Spending:
        return super().spending(payer, at, review_id=review_id)

    @patient
    def save_review(
        self,
        review: Review,
        *,
        installation: int | None = None,
        repository_id: int | None = None,
        request: str | None = None,
    ) -> None:
        super().save_review(
            review,
            installation=installation,
            repository_id=repository_id,
            request=request,
        )

    @patient
    def add_round(self, review: Review, posting: Posting, comments: Mapping[str, int]) -> None:
        """Write down a stored review as posted: its findings, and what the next review of the pull
        request goes on from. A second time changes nothing. Raises StoreError as `add_posted`."""
        with self._writing() as connection:
            put_posted(connection, review.id, posting)
            put_round(connection, review, posting, comments)

    @patient
    def earlier(self, installation: int, repository_id: int, number: int, *, but: str) -> Earlier:
        """What the posted reviews of a pull request left behind, without the review `but`."""
        with self._reading() as connection:
            return get_earlier(connection, installation, repository_id, number, but=but)

    @patient
    def put_prompt(self, prompt: Prompt, *, at: datetime, review_id: str = "") -> str:
        """Keep a prompt, once, as long as this review needs it, and return its hash."""
        with self._writing() as connection:
            return put_prompt(connection, prompt, at, review_id)

    @patient
    def prompt(self, digest: str) -> Prompt | None:
        """The prompt of this hash, or None where it was deleted."""
        with self._reading() as connection:
            return get_prompt(connection, digest)

    @patient
    def settle_answer(self, call: Call, question: Question, attempt: int, reply: Reply) -> Reply:
        """Settle a call and keep its answer, both or neither: what is paid is never lost.

        Returns the answer that holds: another worker's, where that asked at the same time and
        was first. Both calls are in the ledger then.
        """
        answer = Answer(attempt, call.id, reply)
        with self._writing() as connection:
            if not has_settlement(connection, call.id):
                insert_settlement(connection, call)
            put_answer(connection, question, answer, call.settled_at)
            held = get_answers(connection, question)
        return next(each.reply for each in held if each.attempt == attempt)

    @patient
    def answers(self, question: Question) -> tuple[Answer, ...]:
        """The answers to all tries of a question, in order."""
        with self._reading() as connection:
            return get_answers(connection, question)

    @patient
    def begin_attempt(self, job_id: str) -> int:
        """Count that a job begins, and return how often it has begun without an end."""
        with self._writing() as connection:
            here = attempts.c.job_id == job_id
            more = update(attempts).where(here).values(started=attempts.c.started + 1)
            if not connection.execute(more).rowcount:
                connection.execute(insert(attempts).values(job_id=job_id, started=1))
            return int(connection.execute(select(attempts.c.started).where(here)).scalar_one())

    @patient
    def attempts(self, job_id: str) -> int:
        """How often the job has begun without an end."""
        query = select(attempts.c.started).where(attempts.c.job_id == job_id)
        with self._reading() as connection:
            return int(connection.execute(query).scalar() or 0)

    @patient
    def end_attempts(self, job_id: str) -> None:
        """The job has ended, well or not: nothing is left to count."""
        with self._writing() as connection:
            connection.execute(delete(attempts).where(attempts.c.job_id == job_id))

    @patient
    def forgive_attempt(self, job_id: str) -> None:
        """The job was put off by a wanted stop, which is no fault of its own."""
        with self._writing() as connection:
            fewer = update(attempts).values(started=attempts.c.started - 1)
            connection.execute(fewer.where(attempts.c.job_id == job_id, attempts.c.started > 0))

    def beat(self, executor: str, *, at: datetime, engines: str = "") -> None:
        """A worker is alive, and has these engines."""
        with self._writing() as connection:
            here = update(heartbeats).where(heartbeats.c.executor == executor)
            seen = here.values(seen_at=at, engines=engines)
            if not connection.execute(seen).rowcount:
                row = {
                    "executor": executor,
                    "engines": engines,
                    "started_at": at,
                    "seen_at": at,
                }
                connection.execute(insert(heartbeats).values(row))

    def end_beats(self, executor: str) -> None:
        """A worker has ended as it should."""
        with self._writing() as connection:
            connection.execute(delete(heartbeats).where(heartbeats.c.executor == executor))

    def beats(self) -> tuple[Beat, ...]:
        """All workers that did not end as they should, the last seen first."""
        query = select(heartbeats).order_by(heartbeats.c.seen_at.desc())
        with self._reading() as connection:
            return tuple(Beat(**row._mapping) for row in connection.execute(query))


def open_job_store(url: str) -> JobStore:
    """Like `open_store`."""
    open_store(url).close()
    return JobStore(connect(url))

"""One paid call of a durable job: never made again once its answer is on disk."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from reviewbot.asking import Asker
from reviewbot.config.policy import Budget
from reviewbot.errors import StoreError
from reviewbot.review.engine import Ask, Reply, Role
from reviewbot.review.retrying import retry_delay
from reviewbot.store.jobs import JobStore
from reviewbot.store.prompts import Question


@dataclass(frozen=True)
class AskJob:
    """One question, as the queue keeps it: the prompt itself is in our store."""

    review_id: str
    role: Role
    unit: int
    prompt_hash: str
    installation: int
    repository: str
    repository_id: int
    number: int
    purpose: str
    budget: Mapping[str, str | None] = field(default_factory=dict)
    """The policy's caps as JSON. They hold for all tries of the question."""

    @property
    def id(self) -> str:
        """The same question in the same review is the same job."""
        return f"ask:{self.review_id}:{self.role}:{self.unit}:{self.prompt_hash[:32]}"

    @property
    def question(self) -> Question:
        return Question(self.review_id, self.role, self.unit, self.prompt_hash)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON for the queue."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The job that `as_dict` wrote. Raises StoreError for anything else."""
        try:
            return cls(**data)
        except TypeError as error:
            raise StoreError(f"not a question in the queue: {error}") from error


@dataclass(frozen=True)
class Caller:
    """Asks engines and keeps the ledger; one for all jobs of a worker."""

    store: JobStore
    asker: Asker

    def try_once(self, job: AskJob, attempt: int) -> float | None:
        """Have try number `attempt` answered; None if its reply is final, else the seconds to
        wait before the next try.

        An answer that is on disk is taken from there. A start without settlement is left behind
        only where the process ends while the engine works. Raises EngineError as engines do,
        StoreError where the prompt is no longer there.
        """
        stored = {answer.attempt: answer.reply for answer in self.store.answers(job.question)}
        reply = stored[attempt] if attempt in stored else self._call(job, attempt)
        return retry_delay(reply, attempt)

    def _call(self, job: AskJob, attempt: int) -> Reply:
        prompt = self.store.prompt(job.prompt_hash)
        if prompt is None:
            raise StoreError("the prompt was deleted before it was answered")
        ask = Ask(
            job.role,
            job.unit,
            prompt,
            job.repository,
            job.number,
            job.purpose,
            job.repository_id,
            Budget.model_validate(job.budget),
        )
        reply, call = self.asker.call(
            ask, attempt, review_id=job.review_id, installation=job.installation
        )
        return self.store.settle_answer(call, job.question, attempt, reply)

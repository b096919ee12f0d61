"""Questions put to engines in rounds, until nothing more can be done about any of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from reviewbot.change.model import Change
from reviewbot.change.source import Fetched
from reviewbot.config.policy import Policy
from reviewbot.costs.budget import Payer
from reviewbot.costs.calls import Call
from reviewbot.errors import EngineError
from reviewbot.privacy.egress import EgressEntry
from reviewbot.publishing.fingerprint import with_fingerprint
from reviewbot.review.anchor import Anchors
from reviewbot.review.assemble import Read, findings_of
from reviewbot.review.engine import (
    Ask,
    Counted,
    Lineup,
    Outcome,
    Prompt,
    Reply,
    Role,
    stands_for,
)
from reviewbot.review.passes import Part, agreed
from reviewbot.review.verify import Standing, trial
from reviewbot.review.work import Job


class Asked(NamedTuple):
    """The final reply to one question, and every call that it took."""

    reply: Reply
    calls: tuple[Call, ...]
    sends: int
    """How often the prompt was sent: once for each call that was made, or more."""


class Asks(Protocol):
    """Whoever puts questions, and counts the tokens of their texts."""

    def ask(self, asks: Sequence[Ask]) -> list[Asked]: ...

    def count(self, role: Role, prompt: Prompt, texts: Sequence[str]) -> Counted | None: ...


@dataclass
class Talk:
    """Questions put to engines, what they cost, and what left for them."""

    steps: Asks
    fetched: Fetched
    lineup: Lineup
    policy: Policy
    calls: list[Call] = field(default_factory=list)
    egress: list[EgressEntry] = field(default_factory=list)

    @property
    def change(self) -> Change:
        return self.fetched.change

    @property
    def texts(self) -> Mapping[str, str]:
        """path → whole text, of which prompts show what is around the change."""
        return self.fetched.sources.head if self.policy.review.context == "function" else {}

    @property
    def payer(self) -> Payer:
        """Whose money it costs."""
        change = self.change
        return Payer(change.repository or "", self.fetched.repository_id, change.number)

    def questions(self, jobs: Sequence[Job]) -> list[Ask]:
        """The jobs' questions, with who pays and the caps that hold."""
        return [
            replace(
                job.ask(self.change),
                repository_id=self.fetched.repository_id,
                budget=self.policy.budget,
            )
            for job in jobs
        ]

    def ask(self, jobs: Sequence[Job]) -> list[Asked]:
        """One answer for each job, in order. Raises EngineError as engines do."""
        asked = self.steps.ask(self.questions(jobs))
        for job, (_, made, sends) in zip(jobs, asked, strict=True):
            self.calls += made
            if self.lineup.engines[job.role].external:
                self.egress += job.composed.egress * sends
        return asked


#: A job and its reply → what to ask next about it; empty where nothing more can be done.
Next = Callable[[Job, Reply], Sequence[Job]]


def ask_all(
    talk: Talk, jobs: Sequence[Job], more_after: Next
) -> list[tuple[Read, tuple[Call, ...]]]:
    """Ask in rounds until every job has a reply that nothing more can be done about: each job
    with its final reply, and the calls that took.

    Raises EngineError where nothing was answered and a service denied access: the operator must
    act. Where some was, the review says which part is missing.
    """
    reads: list[tuple[Read, tuple[Call, ...]]] = []
    while jobs:
        waiting: list[Job] = []
        for job, (reply, made, _) in zip(jobs, talk.ask(jobs), strict=True):
            more = more_after(job, reply)
            waiting += more
            if not more:
                reads.append((Read.of(job, reply), made))
        jobs = waiting
    denied = [read for read, _ in reads if read.reply.outcome is Outcome.DENIED]
    if denied and all(read.nothing_read for read, _ in reads):
        name = talk.lineup.engines[denied[0].job.role].name
        raise EngineError(f"{name}: {denied[0].reply.detail or 'access denied'}")
    return reads


def judged(talk: Talk, parts: Sequence[Part], dismissed: frozenset[str]) -> Standing:
    """What the passes over each part agree on and, where the policy asks for it, what the local
    model stands by when it is asked again."""
    standing, trials = Standing(), []
    anchors = Anchors(talk.change, talk.fetched.sources.head)
    for part in parts:
        said = [
            [with_fingerprint(finding) for finding in findings_of(read, anchors, talk.lineup)]
            for read in part.answers
        ]
        agreement = agreed(said)
        standing.dropped["no agreement"] += agreement.alone
        wanted = [f for f in agreement.findings if f.fingerprint not in dismissed]
        job = part.best.job
        if talk.policy.review.verify and stands_for(job.role) == "local" and wanted:
            trials.append(trial(job, wanted, talk.lineup.engines[job.role]))
        else:
            standing.findings += wanted
    if trials:
        try:
            replies = [asked.reply for asked in talk.ask([each.job for each in trials])]
            standing.judged(trials, replies)
        except EngineError as error:
            standing.unjudged(trials, str(error))
    return standing

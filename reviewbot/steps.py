"""The flow's steps for one person at a terminal: plain calls, several questions at a time."""

import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING, Protocol

from reviewbot.asking import Asker, TakesTurns
from reviewbot.change.model import Change, Sources
from reviewbot.change.source import Fetched
from reviewbot.config.policy import Budget, Policy
from reviewbot.costs.budget import Payer, Spending
from reviewbot.costs.calls import Call
from reviewbot.errors import UsageError
from reviewbot.github.calls import GitHubError
from reviewbot.publishing.comments import NOTHING_CARRIED, Carried
from reviewbot.publishing.marker import Marks, Scope
from reviewbot.publishing.result import Review
from reviewbot.publishing.rounds import Earlier
from reviewbot.reading import Asked
from reviewbot.review.engine import Ask, Counted, Prompt, Role
from reviewbot.review.evidence import Analysis, Analyzers
from reviewbot.review.retrying import retry_delay

if TYPE_CHECKING:
    from github import Github

    from reviewbot.github.reviews import Published
    from reviewbot.store.posted import Posting

#: Questions in flight to one service at once. A service's own limits are met by waiting as it says.
PARALLEL = 8


class Ledger(Protocol):
    """Where settled calls and reviews are written down."""

    def settle_call(self, call: Call) -> None: ...

    def save_review(self, review: Review, *, request: str) -> None: ...

    def add_posted(self, review_id: str, posting: "Posting") -> None: ...


class Reporter(Protocol):
    """Tells a waiting person what is going on."""

    def say(self, text: str) -> None: ...

    def start(self, total: int, label: str) -> None: ...

    def done(self, label: str) -> None: ...


@dataclass(frozen=True)
class LiveModels:
    """Questions put to models here and now, several at a time, with retries."""

    review_id: str
    asker: Asker
    ledger: Ledger
    reporter: Reporter

    def count(self, role: Role, prompt: Prompt, texts: Sequence[str]) -> Counted | None:
        self.reporter.say(f"counting tokens for {self.asker.engines[role].model}")
        return self.asker.count(role, prompt, texts)

    def ask(self, asks: Sequence[Ask]) -> list[Asked]:
        if not asks:
            return []
        self.reporter.start(
            len(asks),
            f"asking {', '.join(sorted({self.asker.engines[a.role].model for a in asks}))}",
        )
        stopping = Event()
        pools = {role: ThreadPoolExecutor(self._parallel(role)) for role in {a.role for a in asks}}
        try:
            asked = [pools[ask.role].submit(self._ask_until_final, ask, stopping) for ask in asks]
            return [each.result() for each in asked]
        except BaseException:
            # ^C, or an error: nobody waits for the others, and nothing more is paid for
            stopping.set()
            raise
        finally:
            for pool in pools.values():
                pool.shutdown(wait=False, cancel_futures=True)

    def _parallel(self, role: Role) -> int:
        """Questions in flight to the engine of a role: of an engine that works on some at a time,
        these and one to go on with. Time in its queue would count against their patience."""
        engine = self.asker.engines[role]
        return engine.at_once + 1 if isinstance(engine, TakesTurns) else PARALLEL

    def _ask_until_final(self, ask: Ask, stopping: Event) -> Asked:
        """Until nothing more can be done, or `stopping` is set."""
        calls: list[Call] = []
        attempt, sends = 1, 0
        while True:
            reply, call = self.asker.call(ask, attempt, review_id=self.review_id)
            self.ledger.settle_call(call)
            calls.append(call)
            sends += reply.sends
            delay = retry_delay(reply, attempt)
            if delay is None:
                self.reporter.done(f"{call.start.model}: part {ask.unit + 1} {reply.outcome}")
                return Asked(reply, tuple(calls), sends)
            self.reporter.say(f"{call.start.model}: {reply.outcome}, trying again in {delay:.0f} s")
            if stopping.wait(delay):
                return Asked(reply, tuple(calls), sends)
            attempt += 1


@dataclass(frozen=True)
class PlainSteps:
    """Everything happens here and now."""

    review_id: str
    source: Callable[[], Fetched]
    analyzers: Analyzers
    asker: Asker
    ledger: Ledger
    reporter: Reporter
    post: "Callable[[Review], Posting | None] | None" = None
    """Posts the review, and says how it stands there now if it did; without it the command only
    prints the review."""
    request: str = "cli"
    """Who asks, in the store."""

    def earlier(self) -> Earlier:
        return Earlier()

    def fetch(self, also: Collection[str]) -> Fetched:
        self.reporter.say("reading the change")
        return self.source()

    def analyze(
        self, change: Change, sources: Sources, *, skip: Collection[str], sql_dialect: str
    ) -> Analysis:
        self.reporter.say("running analysers")
        return self.analyzers.analyze(change, sources, skip=skip, sql_dialect=sql_dialect)

    def count(self, role: Role, prompt: Prompt, texts: Sequence[str]) -> Counted | None:
        return self._models.count(role, prompt, texts)

    def ask(self, asks: Sequence[Ask]) -> list[Asked]:
        return self._models.ask(asks)

    def too_dear(self, asks: Sequence[Ask]) -> str:
        return self.asker.too_dear(asks)

    def spending(self, payer: Payer, budget: Budget) -> Spending:
        return self.asker.spending(payer, budget, review_id=self.review_id)

    def record(self, review: Review) -> None:
        self.ledger.save_review(review, request=self.request)

    def publish(self, review: Review) -> None:
        if self.post:
            self.reporter.say("posting the review")
            posting = self.post(review)
            if posting:
                self.ledger.add_posted(self.review_id, posting)

    @property
    def _models(self) -> LiveModels:
        return LiveModels(self.review_id, self.asker, self.ledger, self.reporter)


@dataclass
class TokenPost:
    """Posts the review of one pull request with somebody's own token, once for each head."""

    connect: Callable[[], "Github"]
    author: str
    """The login that the token is of."""
    marker_key: bytes = field(repr=False)
    reporter: Reporter
    request: str
    """Who asks, in our hidden marks."""
    adapt: Callable[[Policy], Policy] = lambda policy: policy
    """What of the policy's publishing holds here."""
    carry: Callable[[Review], Carried] = lambda review: NOTHING_CARRIED
    """What is carried from one review to the next."""
    result: "Published | GitHubError | None" = None
    """What became of it: a review that was paid for is shown, even if it can't be posted."""
    _policy: Policy = field(default_factory=Policy, repr=False)
    _repository_id: int | None = None

    def prepare(self, fetched: Fetched, policy: Policy) -> None:
        """Look at what is to be posted on. Raises UsageError, before anything is paid for, if
        nothing can be."""
        if fetched.repository_id is None:
            raise UsageError("only a pull request's review can be posted")
        if fetched.closed:
            raise UsageError("the pull request is closed: review it without --post")
        self._policy, self._repository_id = self.adapt(policy), fetched.repository_id

    def __call__(self, review: Review) -> "Posting | None":
        from reviewbot.github.posting import post_once
        from reviewbot.store.posted import Posting

        change = review.change
        scope = Scope(
            installation=0,
            repository=str(self._repository_id),
            number=change.number or 0,
            head=change.head or "",
            base=change.base or "",
            request=self.request,
        )
        try:
            with self.connect() as client:
                self.result = done = post_once(
                    client,
                    review,
                    self._policy,
                    Marks(self.marker_key, scope),
                    author=self.author,
                    pause=self._pause,
                    carried=self.carry(review),
                )
        except GitHubError as error:
            self.result = error
            return None
        if done.outcome != "posted" or self._repository_id is None:
            return None
        at, inline = datetime.now(UTC), done.inline
        return Posting(0, self._repository_id, at, inline, github_review=done.review_id)

    def _pause(self, seconds: float, why: str) -> None:
        self.reporter.say(f"{why}; trying again in {seconds:.0f} s")
        time.sleep(seconds)

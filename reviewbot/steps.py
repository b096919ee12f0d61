"""The flow's steps for one person at a terminal: plain calls, several questions at a time."""

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from typing import Protocol

from reviewbot.asking import Asker
from reviewbot.change.model import Change, Sources
from reviewbot.change.source import Fetched
from reviewbot.costs.calls import Call
from reviewbot.pipeline import Asked
from reviewbot.publishing.result import Review
from reviewbot.review.engine import Ask
from reviewbot.review.evidence import Analysis, Analyzers
from reviewbot.review.retrying import retry_delay

#: Questions in flight at once. A service's own limits are met by waiting as it says.
PARALLEL = 8


class Ledger(Protocol):
    """Where settled calls and reviews are written down."""

    def settle_call(self, call: Call) -> None: ...

    def save_review(self, review: Review) -> None: ...


class Reporter(Protocol):
    """Tells a waiting person what is going on."""

    def say(self, text: str) -> None: ...

    def start(self, total: int, label: str) -> None: ...

    def done(self, label: str) -> None: ...


@dataclass(frozen=True)
class PlainSteps:
    """Everything happens here and now."""

    review_id: str
    source: Callable[[], Fetched]
    analyzers: Analyzers
    asker: Asker
    ledger: Ledger
    reporter: Reporter
    stopping: Event = field(default_factory=Event)
    """Set when no further call may be made."""

    def fetch(self) -> Fetched:
        self.reporter.say("reading the change")
        return self.source()

    def analyze(
        self, change: Change, sources: Sources, *, skip: Collection[str], sql_dialect: str
    ) -> Analysis:
        self.reporter.say("running analysers")
        return self.analyzers.analyze(change, sources, skip=skip, sql_dialect=sql_dialect)

    def ask(self, asks: Sequence[Ask]) -> list[Asked]:
        if not asks:
            return []
        self.reporter.start(
            len(asks),
            f"asking {', '.join(sorted({self.asker.engines[a.role].model for a in asks}))}",
        )
        pool = ThreadPoolExecutor(max_workers=PARALLEL)
        try:
            return list(pool.map(self._ask_until_final, asks))
        except BaseException:
            # ^C, or an error: nobody waits for the others, and nothing more is paid for
            self.stopping.set()
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def record(self, review: Review) -> None:
        self.ledger.save_review(review)

    def publish(self, review: Review) -> None:
        """Nothing is posted from the terminal: the command prints the review."""

    def _ask_until_final(self, ask: Ask) -> Asked:
        calls: list[Call] = []
        attempt = 1
        while True:
            reply, call = self.asker.call(ask, attempt, review_id=self.review_id)
            self.ledger.settle_call(call)
            calls.append(call)
            delay = retry_delay(reply, attempt)
            if delay is None:
                self.reporter.done(f"{call.start.model}: part {ask.unit + 1} {reply.outcome}")
                return Asked(reply, tuple(calls))
            self.reporter.say(f"{call.start.model}: {reply.outcome}, trying again in {delay:.0f} s")
            if self.stopping.wait(delay):
                return Asked(reply, tuple(calls))
            attempt += 1

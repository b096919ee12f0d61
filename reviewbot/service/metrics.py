"""What the listener counts, and what the ledger says of answers, for Prometheus."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from reviewbot.costs.readability import Readability
from reviewbot.errors import StoreError
from reviewbot.service.logs import logger

#: Events that get a line of their own; others are counted together, so that nobody outside
#: decides how many lines there are.
EVENTS = frozenset(
    {
        "check_run",
        "installation",
        "installation_repositories",
        "issue_comment",
        "ping",
        "pull_request",
        "pull_request_review_comment",
        "pull_request_review_thread",
    }
)
#: Seconds; a durable enqueue takes a few milliseconds, GitHub gives up after ten seconds.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
#: The ledger is not asked more often than this, seconds: anybody may ask for the figures.
_PAUSE_SECONDS = 10.0

log = logger("reviewbot.metrics")


class Ledger(Protocol):
    """What is asked of the ledger. Raises StoreError."""

    def __call__(self, *, since: datetime, until: datetime) -> Sequence[Readability]: ...


class Metrics:
    """Figures of one listener process, in a registry of its own."""

    content_type = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(
        self,
        ledger: Ledger | None = None,
        budgets: Collector | None = None,
        upkeep: Collector | None = None,
    ) -> None:
        """`ledger` tells how answers could be read, `budgets` how the budgets stand, `upkeep` what
        the service did by itself; without one its figures are left out."""
        self._registry = CollectorRegistry()
        if ledger:
            self._registry.register(_Answers(ledger))
        for collector in (budgets, upkeep):
            if collector is not None:
                self._registry.register(collector)
        self._deliveries = Counter(
            "reviewbot_deliveries",
            "Webhook deliveries by event and outcome.",
            ("event", "outcome"),
            registry=self._registry,
        )
        self._enqueue = Histogram(
            "reviewbot_enqueue_seconds",
            "Time until a job was on disk.",
            registry=self._registry,
            buckets=_BUCKETS,
        )

    def delivery(self, event: str, outcome: str) -> None:
        """Count one delivery. `outcome` is one of our own words, never text from outside."""
        self._deliveries.labels(event if event in EVENTS else "other", outcome).inc()

    @contextmanager
    def enqueueing(self) -> Iterator[None]:
        """Measure how long a job takes to be stored; failures count too."""
        began = perf_counter()
        try:
            yield
        finally:
            self._enqueue.observe(perf_counter() - began)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry)


class _Answers(Collector):
    """The month's answers as the ledger has them, from all workers. They begin anew each month, as
    counters do after a restart."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._read_at = -_PAUSE_SECONDS
        self._known: Sequence[Readability] = ()

    def describe(self) -> Iterator[CounterMetricFamily]:
        """Without the database: the listener starts while that is away."""
        yield from _families()

    def collect(self) -> Iterator[CounterMetricFamily]:
        answers, unreadable, lines = _families()
        for each in self._month():
            names = (each.engine, each.model)
            answers.add_metric(names, each.answers)
            unreadable.add_metric(names, each.unreadable)
            lines.add_metric((*names, "yes"), each.lines)
            lines.add_metric((*names, "no"), each.unreadable_lines)
        yield from (answers, unreadable, lines)

    def _month(self) -> Sequence[Readability]:
        if perf_counter() - self._read_at >= _PAUSE_SECONDS:
            self._read_at = perf_counter()
            now = datetime.now(UTC)
            first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
            try:
                self._known = self._ledger(since=first, until=now + timedelta(days=1))
            except StoreError as error:
                log.warning("no figures of answers", reason=str(error))
                self._known = ()
        return self._known


def _families() -> tuple[CounterMetricFamily, CounterMetricFamily, CounterMetricFamily]:
    model = ("engine", "model")
    return (
        CounterMetricFamily(
            "reviewbot_answers", "Answers of models this month, from the ledger.", labels=model
        ),
        CounterMetricFamily(
            "reviewbot_answers_unreadable",
            "Of these, answers of which something could not be read.",
            labels=model,
        ),
        CounterMetricFamily(
            "reviewbot_answer_lines",
            "Lines of answers this month, by whether they could be read.",
            labels=(*model, "readable"),
        ),
    )

"""What the listener counts, for Prometheus."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.registry import Collector

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
    }
)
#: Seconds; a durable enqueue takes a few milliseconds, GitHub gives up after ten seconds.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """Figures of one listener process, in a registry of its own."""

    content_type = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self, budgets: Collector | None = None) -> None:
        """`budgets` knows how the budgets stand."""
        self._registry = CollectorRegistry()
        if budgets is not None:
            self._registry.register(budgets)
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

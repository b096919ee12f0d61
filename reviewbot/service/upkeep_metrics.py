"""What the service did by itself, for Prometheus: asked of the store whenever somebody looks."""

from collections.abc import Callable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from reviewbot.errors import StoreError
from reviewbot.service.cleaning import CLEAN
from reviewbot.service.logs import logger
from reviewbot.service.recovering import POLL, RECOVER
from reviewbot.service.sweeping import SWEEP
from reviewbot.store.upkeep import ChoreState

#: Counters by the chore whose total they are.
_TOTALS = {
    RECOVER: (
        "reviewbot_deliveries_recovered",
        "Failed deliveries that became jobs by way of GitHub's log.",
    ),
    POLL: ("reviewbot_deliveries_polled", "Deliveries of GitHub's log that became jobs."),
    CLEAN: ("reviewbot_rows_cleaned", "Old prompts, answers, jobs and the like that were deleted."),
    SWEEP: ("reviewbot_pulls_swept", "Open pull requests that were found without a review."),
}

log = logger("reviewbot.metrics")


class UpkeepMetrics(Collector):
    """Totals of all workers, and until when each chore is done. Nothing while the store is away."""

    def __init__(self, chores: Callable[[], Sequence[ChoreState]]) -> None:
        """`chores` may raise StoreError."""
        self._chores = chores

    def describe(self) -> Iterator[Metric]:
        """Nobody asks the store when this is registered."""
        yield _done_until()
        for name, text in _TOTALS.values():
            yield CounterMetricFamily(name, text)

    def collect(self) -> Iterator[Metric]:
        """The figures now."""
        try:
            known = {chore.name: chore for chore in self._chores()}
        except StoreError as error:
            log.warning("no figures of chores", reason=str(error))
            return
        until = _done_until()
        for chore in known.values():
            if chore.done_until:
                until.add_metric([chore.name], chore.done_until.timestamp())
        yield until
        for name, (metric, text) in _TOTALS.items():
            total = CounterMetricFamily(metric, text)
            total.add_metric([], known[name].total if name in known else 0)
            yield total


def _done_until() -> GaugeMetricFamily:
    return GaugeMetricFamily(
        "reviewbot_upkeep_done_until_seconds",
        "Unix time before which all of a chore's work is done.",
        labels=["chore"],
    )

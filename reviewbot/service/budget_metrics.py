"""How the budgets stand, for Prometheus: asked of the store whenever somebody looks."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from time import perf_counter

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from reviewbot.costs.budget import AccountKind, Budgets
from reviewbot.errors import StoreError
from reviewbot.service.logs import logger

#: The store is asked no more often: anybody may ask for the figures.
PAUSE_SECONDS = 10.0
#: One line each, however many repositories there are.
_KINDS: tuple[AccountKind, ...] = ("operator", "repository", "pull")

log = logger("reviewbot.metrics")


class BudgetMetrics(Collector):
    """Gauges of the operator's month, and of the repository and the pull request that are nearest
    to their caps; calls that were not made. Nothing while the store is away."""

    def __init__(
        self, budgets: Callable[[datetime], Budgets], operator_cap_usd: Decimal | None
    ) -> None:
        """`budgets` may raise StoreError."""
        self._budgets, self._cap = budgets, operator_cap_usd
        self._known: Budgets | None = None
        self._read_at = -PAUSE_SECONDS

    def describe(self) -> Iterator[Metric]:
        """Nobody asks the store when this is registered."""
        return iter(_families())

    def collect(self) -> Iterator[Metric]:
        """The figures now."""
        if perf_counter() - self._read_at >= PAUSE_SECONDS or self._known is None:
            try:
                self._known = self._budgets(datetime.now(UTC))
            except StoreError as error:
                self._known = None
                log.warning("budgets", reason=str(error))
                return
            self._read_at = perf_counter()
        now = self._known
        used, cap, refused = _families()
        used.add_metric(["operator"], float(now.operator.used_usd))
        if self._cap is not None:
            cap.add_metric(["operator"], float(self._cap))
        for account in now.fullest:
            used.add_metric([account.scope.kind], float(account.used_usd))
            cap.add_metric([account.scope.kind], float(account.cap_usd or 0))
        for kind in _KINDS:
            refused.add_metric([kind], now.refused.get(kind, 0))
        yield from (used, cap, refused)


def _families() -> tuple[GaugeMetricFamily, GaugeMetricFamily, CounterMetricFamily]:
    return (
        GaugeMetricFamily(
            "reviewbot_budget_used_usd",
            "Bills and reserves: all of this month, and of the repository and the pull request that"
            " are nearest to their caps.",
            labels=["scope"],
        ),
        GaugeMetricFamily(
            "reviewbot_budget_cap_usd", "The caps of these, where there is one.", labels=["scope"]
        ),
        CounterMetricFamily(
            "reviewbot_budget_exhausted",
            "Questions that were not put since a cap did not cover them.",
            labels=["scope"],
        ),
    )

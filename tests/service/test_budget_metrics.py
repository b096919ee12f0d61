"""What Prometheus is told of the budgets."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from publishing.sample_reviews import shop_review

from reviewbot.costs.budget import Account, Budgets, Caps, Scope
from reviewbot.errors import StoreError
from reviewbot.service.budget_metrics import BudgetMetrics
from reviewbot.service.metrics import Metrics
from reviewbot.store.ledger import open_store


def budget_figures(metrics: Metrics) -> dict[tuple[str, str], float]:
    """(name, scope) → value, of the budgets' figures."""
    families = text_string_to_metric_families(metrics.text().decode())
    samples = (sample for family in families for sample in family.samples)
    return {(s.name, s.labels["scope"]): s.value for s in samples if "_budget_" in s.name}


def test_each_kind_of_account_has_one_line(tmp_path: Path) -> None:
    start = shop_review().calls[0].start
    caps = Caps(pull_usd=Decimal("0.1"), repository_usd=Decimal(20))
    now = datetime.now(UTC)
    with open_store(f"sqlite:///{tmp_path}/a.db") as store:
        for number in range(4):  # 0.0824 each: one fits on each pull request
            here = {"id": f"call-{number}", "number": number // 2, "started_at": now}
            store.start_call(type(start)(**{**vars(start), **here}), caps)

        figures = budget_figures(Metrics(budgets=BudgetMetrics(store.budgets, Decimal(500))))

    assert figures == {
        ("reviewbot_budget_used_usd", "operator"): 0.1648,
        ("reviewbot_budget_used_usd", "repository"): 0.1648,
        ("reviewbot_budget_used_usd", "pull"): 0.0824,
        ("reviewbot_budget_cap_usd", "operator"): 500,
        ("reviewbot_budget_cap_usd", "repository"): 20,
        ("reviewbot_budget_cap_usd", "pull"): 0.1,
        ("reviewbot_budget_exhausted_total", "operator"): 0,
        ("reviewbot_budget_exhausted_total", "repository"): 0,
        ("reviewbot_budget_exhausted_total", "pull"): 2,
    }


def test_without_caps_what_is_used_is_told_all_the_same() -> None:
    month = Account(Scope("operator", "", "2026-11"), external_usd=Decimal("1.5"))

    figures = budget_figures(Metrics(budgets=BudgetMetrics(lambda _: Budgets(month, (), {}), None)))

    assert figures["reviewbot_budget_used_usd", "operator"] == 1.5
    assert not any(name == "reviewbot_budget_cap_usd" for name, _ in figures)


def test_a_database_that_is_away_takes_nothing_else_with_it() -> None:
    def away(at: datetime) -> Budgets:
        raise StoreError("away")

    metrics = Metrics(budgets=BudgetMetrics(away, Decimal(500)))
    metrics.delivery("ping", "ping")

    assert budget_figures(metrics) == {}
    assert b'reviewbot_deliveries_total{event="ping",outcome="ping"} 1.0' in metrics.text()

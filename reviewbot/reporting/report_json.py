"""The monthly report as plain data; USD as decimal strings, each rate with part, whole and window."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from reviewbot.costs.money import decimal_text, exact
from reviewbot.publishing.links import pull_link
from reviewbot.reporting.acceptance import Acceptance
from reviewbot.reporting.against_forecast import Expected
from reviewbot.reporting.breakdown import (
    DayLine,
    ModelLine,
    PullCosts,
    RepositoryLine,
    ShareLine,
)
from reviewbot.reporting.purposes import purposes_json
from reviewbot.reporting.ratio import Ratio
from reviewbot.reporting.regret import RegretFigures
from reviewbot.reporting.report import BudgetState, Report, Totals
from reviewbot.reporting.report_words import verdicts
from reviewbot.reporting.spending import Spending
from reviewbot.reporting.strategies import strategies_json
from reviewbot.reporting.window import Window

SCHEMA = 1


def report_json(report: Report, *, api_url: str) -> dict[str, Any]:
    """Everything that the pages show, and the lists that they cut."""
    over = report.window.interval
    return {
        "schema": SCHEMA,
        "window": _window(report.window),
        "repository": report.repository,
        **({"missing": list(report.missing)} if report.missing else {}),
        "scripted_calls": report.scripted.to_json(over),
        "verdicts": [] if report.is_empty else verdicts(report),
        "totals": _totals(report.now),
        "before": {"window": _window(report.before.window), **_totals(report.before)},
        "energy": _energy(report),
        "counterfactuals": _counterfactuals(report),
        "per": _per(report),
        "rates": {name: ratio.to_json(over) for name, ratio in _rates(report).items()},
        "findings": {
            "in_reviews": report.findings,
            "published": report.acceptance.published,
            "open": report.acceptance.open,
        },
        "pull_requests_not_read": {"routed_only": report.routed_only, "held": report.held},
        "tiers": [_share(line, over) for line in report.tiers],
        "areas": [_share(line, over) for line in report.areas],
        "repositories": [_repository(line) for line in report.repositories],
        "models": [_model(line, over) for line in report.models],
        "outcomes": [
            {"name": name, "calls": ratio.to_json(over)} for name, ratio in report.failures.outcomes
        ],
        "dearest_pull_requests": _dearest(report.pull_costs, api_url),
        "acceptance": [
            {"name": f"{kind}: {name}", **_acceptance(found, over)}
            for kind, names in report.acceptance_by.items()
            for name, found in names.items()
        ],
        "days": [_day(line) for line in report.days],
        "budgets": [_budget(each, over) for each in report.budgets],
        "besides": purposes_json(report.sums.purposes),
        "strategies": strategies_json(report.strategies, over),
        "sampled": None if report.sampled is None else _sampled(report.sampled, over),
        "forecast": None if report.expected is None else _expected(report.expected, over),
    }


def _rates(report: Report) -> dict[str, Ratio]:
    failures = report.failures
    return {
        "incomplete_reviews": report.incomplete,
        "overrides": report.overrides,
        "acceptance": report.acceptance.acceptance,
        "complaints": report.acceptance.complaint,
        "parse_failures": failures.malformed,
        "refusals": failures.refused,
        "fallbacks": failures.taken_over,
        "truncated": failures.truncated,
        "retries": failures.retries,
        "unknown_cost": failures.unknown,
    }


def _share(line: ShareLine, over: str) -> dict[str, Any]:
    return {
        "name": line.name,
        "reviews": line.reviews.to_json(over),
        "calls": line.calls,
        "usd": _usd(line.usd),
    }


def _repository(line: RepositoryLine) -> dict[str, Any]:
    return {
        "name": line.name,
        "pull_requests": line.pulls,
        "calls": line.calls,
        "usd": _usd(line.usd),
    }


def _day(line: DayLine) -> dict[str, str]:
    return {
        "name": line.day,
        "claude_usd": _usd(line.claude_usd),
        "other_usd": _usd(line.other_usd),
        "local_usd": _usd(line.local_usd),
    }


def _dearest(costs: PullCosts, api_url: str) -> list[dict[str, Any]]:
    return [
        {
            "name": f"{pull.repository}#{pull.number}",
            "title": costs.titles.get((pull.repository, pull.number or 0), ""),
            "url": pull_link(pull.repository, pull.number, api_url),
            "calls": pull.calls,
            "usd": _usd(pull.usd),
        }
        for pull in costs.dearest
    ]


def _window(window: Window) -> dict[str, Any]:
    return {
        "name": window.name,
        "since": window.since.isoformat(),
        "until": window.until.isoformat(),
        "months": round(float(window.months), 6),
    }


def _totals(totals: Totals) -> dict[str, Any]:
    return {
        "pull_requests": totals.pulls,
        "reviews": totals.reviews,
        "calls": totals.calls,
        "reviews_by_claude": totals.claude.to_json(totals.window.interval),
        **_spending(totals.spending),
        "all_claude_usd": _usd(totals.all_claude_usd),
    }


def _spending(spent: Spending) -> dict[str, str]:
    return {
        "total_usd": _usd(spent.total_usd),
        "claude_usd": _usd(spent.claude_usd),
        "other_external_usd": _usd(spent.other_usd),
        "energy_usd": _usd(spent.energy_usd),
        "amortisation_usd": _usd(spent.amortisation_usd),
        "idle_usd": _usd(spent.idle_usd),
        "unknown_usd": _usd(spent.unknown_usd),
    }


def _energy(report: Report) -> dict[str, Any]:
    energy = report.spending.energy
    return {
        "kwh": _usd(energy.kwh),
        "measured_kwh": _usd(energy.measured_kwh),
        "busy_hours": _number(energy.busy_hours),
        "window_hours": _number(report.window.seconds / 3600),
        "how": energy.how,
    }


def _counterfactuals(report: Report) -> dict[str, Any]:
    found = report.counterfactuals
    actual = found.actual.total_usd

    def against(usd: Decimal) -> dict[str, str]:
        return {"usd": _usd(usd), "saved_usd": _usd(usd - actual)}

    made: dict[str, Any] = {
        "reviews": found.compared,
        "left_out": found.left_out,
        "actual": _spending(found.actual),
        "all_claude": {"model": report.basis.claude_model, **against(found.all_claude_usd)},
        "local_cost_more_than_claude": found.local_lost,
        "all_local": None,
        "cheapest_claude": None,
    }
    if found.all_local:
        made["all_local"] = {
            **against(found.all_local.usd),
            "machines": found.all_local.machines,
            "busy_hours": _number(found.all_local.busy_hours),
            "speed": found.all_local.speed.source,
        }
    if found.cheapest:
        made["cheapest_claude"] = {**found.cheapest.to_json(), **against(found.cheapest_usd)}
    return made


def _per(report: Report) -> dict[str, Any]:
    costs = report.pull_costs
    return {
        "pull_requests": costs.pulls,
        "pull_request_mean_usd": _maybe(costs.mean_usd),
        "pull_request_p50_usd": _maybe(costs.p50_usd),
        "pull_request_p95_usd": _maybe(costs.p95_usd),
        "calls_usd": _usd(report.spending.calls_usd),
        "findings": report.findings,
        "finding_usd": _maybe(report.per_finding_usd),
        "accepted_findings": report.acceptance.accepted,
        "accepted_finding_usd": _maybe(report.per_accepted_usd),
    }


def _model(line: ModelLine, over: str) -> dict[str, Any]:
    took = line.latency
    return {
        "name": f"{line.engine}: {line.model}",
        "engine": line.engine,
        "model": line.model,
        "calls": line.calls,
        "prompt_tokens": line.prompt,
        "output_tokens": line.output,
        "cached_tokens": line.cache.to_json(over),
        "cached_calls": line.cached_calls.to_json(over),
        "estimated_calls": line.estimated,
        "usd": _usd(line.usd),
        "energy_usd": _usd(line.energy_usd),
        "amortisation_usd": _usd(line.amortisation_usd),
        "parse_failures": line.malformed.to_json(over),
        "refusals": line.refused.to_json(over),
        "retries": line.retries.to_json(over),
        "latency_calls": took.calls if took else 0,
        "latency_p50_seconds": round(took.p50, 6) if took else None,
        "latency_p95_seconds": round(took.p95, 6) if took else None,
    }


def _acceptance(found: Acceptance, over: str) -> Mapping[str, Any]:
    return {
        "published": found.published,
        "accepted": found.acceptance.to_json(over),
        "complaints": found.complaint.to_json(over),
        "open": found.open,
    }


def _budget(budget: BudgetState, over: str) -> dict[str, Any]:
    return {
        "name": budget.name,
        "cap_usd": _usd(budget.cap_usd),
        "used_usd": _usd(budget.used_usd),
        "used": budget.used.to_json(over),
        "refused_calls": budget.refused,
        "state": budget.state,
    }


def _sampled(sampled: RegretFigures, over: str) -> dict[str, Any]:
    levels = {level.value: counts for level, counts in sampled.by_severity.items()}
    return {
        "reviews": sampled.reviews,
        "usd": _usd(sampled.usd),
        "reviews_missed": sampled.missed.to_json(over),
        "severities": {
            name: {**counts._asdict(), "missed": counts.missed.to_json(over)}
            for name, counts in [*levels.items(), ("all", sampled.total)]
        },
    }


def _expected(expected: Expected, over: str) -> dict[str, Any]:
    return {
        "strategy": expected.strategy,
        "pull_requests": _number(expected.pulls),
        "changes_to_claude": expected.claude.to_json(over),
        "claude_usd": _usd(expected.claude_usd),
        "energy_usd": _usd(expected.energy_usd),
        "hardware_usd": _usd(expected.hardware_usd),
        "total_usd": _usd(expected.total_usd),
        "low_usd": _usd(expected.low_usd),
        "high_usd": _usd(expected.high_usd),
        "pull_request_usd": _maybe(expected.per_pull_usd),
    }


def _usd(amount: Decimal) -> str:
    return decimal_text(exact(amount))


def _maybe(amount: Decimal | None) -> str | None:
    return None if amount is None else _usd(amount)


def _number(value: Decimal) -> float:
    return float(round(value, 6))

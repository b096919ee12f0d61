"""The forecast as plain data; USD as decimal strings."""

from decimal import Decimal
from typing import Any

from reviewbot.costs.money import decimal_text, exact
from reviewbot.reporting.economics import break_even_months
from reviewbot.reporting.forecast import EngineLine, Forecast, Line, Share, Spend
from reviewbot.reporting.forecast_page import TWINS, verdicts
from reviewbot.reporting.replay import Strategy
from reviewbot.review.engine import stands_for


def forecast_json(made: Forecast) -> dict[str, Any]:
    """The whole forecast; amounts are a month's unless a name says otherwise."""
    basis = made.basis
    return {
        "schema": 1,
        "per_month": _number(made.per_month),
        "changes": made.changes,
        "strategies": {each.value: _line(line) for each, line in made.lines.items()},
        "engines": [_engine(line, made.changes) for line in made.engines],
        "break_even_months": {each.value: _break_even(made, each) for each in TWINS},
        "verdicts": verdicts(made),
        "repositories": [_share(share) for share in made.shares],
        "basis": {
            "claude": basis.price(basis.claude_model).to_json(),
            "cheapest": basis.price(basis.cheap_model).to_json(),
            "prices_at": basis.at.isoformat(),
            "hardware_usd": decimal_text(basis.rates.hardware_usd),
            "hardware_months": basis.rates.hardware_months,
            "watts": decimal_text(basis.rates.watts),
            "usd_per_kwh": decimal_text(basis.rates.usd_per_kwh),
            "reading_tokens_per_second": _number(basis.speed.reading),
            "writing_tokens_per_second": _number(basis.speed.writing),
            "speed": basis.speed.source,
            "output_tokens": {
                "claude": _number(basis.lengths.claude),
                "claude_calls": basis.lengths.claude_calls,
                "local": _number(basis.lengths.local),
                "local_calls": basis.lengths.local_calls,
            },
            "tokens_estimated": True,
        },
    }


def _break_even(made: Forecast, strategy: Strategy) -> dict[str, float | None]:
    """Months until the hardware is paid by what it replaces; None: never."""
    hardware, line = made.hardware(strategy), made.lines[strategy]
    saved = {
        "claude": made.lines[Strategy.CLAUDE].usd - line.spend.claude_usd,
        "cheapest": made.lines[TWINS[strategy]].spend.cheap_usd,
    }
    found = {name: break_even_months(hardware, amount) for name, amount in saved.items()}
    return {name: None if months is None else _number(months) for name, months in found.items()}


def _line(line: Line) -> dict[str, Any]:
    return {
        "usd": _usd(line.usd),
        "low_usd": round(line.interval.low, 6),
        "high_usd": round(line.interval.high, 6),
        **_spend(line.spend),
        "amortisation_usd": _usd(line.amortisation_usd),
        "gpu_hours": _number(line.gpu_hours),
    }


def _engine(line: EngineLine, changes: int) -> dict[str, Any]:
    return {
        "name": line.name,
        "tier": stands_for(line.role),
        "model": line.model,
        "changes": line.changes,
        "of_changes": changes,
        "input_tokens": _number(line.tokens),
        "usd": _usd(line.spend.usd),
        **_spend(line.spend),
        "gpu_hours": _number(line.spend.seconds / 3600),
    }


def _share(share: Share) -> dict[str, Any]:
    past = share.past
    return {
        "name": past.name,
        "branch": past.branch,
        "changes": len(past.changes),
        "from": past.changes[-1].at.isoformat(),
        "to": past.changes[0].at.isoformat(),
        "unread": past.unread,
        "per_month": _number(share.per_month),
        "tiers": dict(share.tiers),
        "areas": dict(share.areas),
        "difficult": share.difficult,
        "input_tokens": {"p50": share.tokens[0], "p95": share.tokens[1]},
        "spend": {strategy.value: _spend(spend) for strategy, spend in share.spend.items()},
        "notes": list(past.notes),
    }


def _spend(spend: Spend) -> dict[str, str]:
    return {
        "claude_usd": _usd(spend.claude_usd),
        "cheap_usd": _usd(spend.cheap_usd),
        "energy_usd": _usd(spend.energy_usd),
        "other_usd": _usd(spend.other_usd),
    }


def _usd(amount: Decimal) -> str:
    return decimal_text(exact(amount))


def _number(value: Decimal) -> float:
    return float(round(value, 6))

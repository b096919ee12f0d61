"""The ledger as a table: its columns, and rows as CSV or JSON, a row at a time."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from reviewbot.costs.money import decimal_text
from reviewbot.reporting.spreadsheet import Value, csv_lines

#: Column → what it holds; docs/costs.md has the same table.
COLUMNS: Mapping[str, str] = {
    "id": "the call's UUID",
    "review_id": "the review that it was made for",
    "repository": "`owner/name` as it was called then; empty at a terminal",
    "number": "pull request",
    "installation": "the GitHub App's installation",
    "repository_id": "GitHub's id, which outlives a rename",
    "purpose": "`review`, `verify` (the local model judges its findings), `route` (a doubt), `regret`"
    " (a comparison), `draft` and `refine` (strategy), `escalate` (a second opinion), `fix`"
    " (changes proposed for findings)",
    "unit": "part of the change, counted from 0",
    "attempt": "1 for the first try of a question",
    "engine": "`claude`, `openai` (any compatible server) or `llama`",
    "provider": "who bills it; empty for your own hardware",
    "model_asked": "the model that was asked",
    "reserved_usd": "upper bound of its price, written down before it was made",
    "started_at": "when it began, UTC",
    "outcome": "`answered`, `refused` …; `unknown` where the process died in between",
    "model": "the model that answered, as the service names it",
    "settled_at": "when it ended",
    "latency_seconds": "how long it took",
    "tokens_input": "tokens in that came from no cache and went to none",
    "tokens_output": "tokens out",
    "tokens_cache_read": "tokens in, read from a cache",
    "tokens_cache_write_5m": "tokens in, written to a cache for five minutes",
    "tokens_cache_write_1h": "… for an hour",
    "tokens_estimated": "whether the counts are estimates",
    "service_tier": "as the provider says",
    "price_provider": "whose price list",
    "price_model": "the model's name in it",
    "price_input": "USD per million tokens in, as used",
    "price_output": "… out",
    "price_cache_read": "… read from a cache",
    "price_cache_write_5m": "… written to one for five minutes",
    "price_cache_write_1h": "… for an hour",
    "price_source": "price list and its version, or `operator price`",
    "price_conditions": "what made it other than the plain price",
    "usd": "what the provider bills; the reserve where `unknown` is true",
    "unknown": "whether it may have been billed and nothing says how much",
    "energy_usd": "power of your own hardware",
    "amortisation_usd": "what it used up of the hardware's price",
    "joules": "energy of your own hardware",
    "joules_how": "`measured` by the card, `watts × seconds`, or `none`",
    "busy_seconds": "its share of your hardware's time",
    "scripted": "whether it was answered by hand-written text: no real money",
    "detail": "a short reason, for people",
    "warnings": "what was odd about its price, as JSON",
    "raw": "the provider's reply without its content, as it was priced, as JSON",
}

Row = Mapping[str, Any]


def ledger_csv(rows: Iterable[Row]) -> Iterator[str]:
    """Lines of CSV under a line of names; texts can't act in a spreadsheet."""
    yield from csv_lines([tuple(COLUMNS)])
    yield from csv_lines([_cell(row[name]) for name in COLUMNS] for row in rows)


def ledger_json(rows: Iterable[Row]) -> Iterator[str]:
    """One JSON array, a call on each line; USD as decimal strings."""
    before = "[\n"
    for row in rows:
        yield before + json.dumps({name: _plain(row[name]) for name in COLUMNS})
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _cell(value: Any) -> Value:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict | list):
        return json.dumps(value) if value else ""
    return value if isinstance(value, str | int | float | bool | Decimal) else None


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return decimal_text(value)
    return value.isoformat() if isinstance(value, datetime) else value

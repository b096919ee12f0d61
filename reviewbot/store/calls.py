"""Calls as rows: the two events of the ledger."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, case, func, insert, select
from sqlalchemy.exc import IntegrityError

from reviewbot.costs.budget import Caps, Refusal
from reviewbot.costs.calls import Call, CallStart
from reviewbot.costs.prices import Price
from reviewbot.costs.readability import ANSWERS, Readability
from reviewbot.errors import StoreError
from reviewbot.review.engine import Outcome, Usage
from reviewbot.store import accounts
from reviewbot.store.schema import call_settled, call_started

#: Names of the settlement's columns in a joined row; both tables have an `id` and a `model`.
_SETTLED = "settled__"
_START_FIELDS = tuple(column.name for column in call_started.columns)
_TOKENS = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "estimated")
_RATES = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
_PRICE = ("provider", "model", *_RATES, "source", "conditions")
_PLAIN = (
    "model",
    "settled_at",
    "latency_seconds",
    "raw",
    "service_tier",
    "usd",
    "unknown",
    "energy_usd",
    "amortisation_usd",
    "joules",
    "joules_how",
    "busy_seconds",
    "detail",
    "scripted",
)


def insert_start(connection: Connection, start: CallStart, caps: Caps) -> Refusal | None:
    """Append a start and book its reserve; where that does not fit under the caps, a start that
    reserves nothing, and why. Raises StoreError if its id is there already."""
    refusal = accounts.reserve(connection, start, caps) if start.reserved_usd else None
    row = {name: getattr(start, name) for name in _START_FIELDS}
    if refusal:
        row["reserved_usd"] = Decimal(0)
    try:
        connection.execute(insert(call_started), row)
    except IntegrityError:
        raise StoreError(f"call {start.id} has been started already") from None
    return refusal


def insert_settlement(connection: Connection, call: Call) -> None:
    """Append a settlement and book it. Raises StoreError without a start, and for a second one."""
    try:
        connection.execute(insert(call_settled), _settled_row(call))
    except IntegrityError:
        raise StoreError(
            f"call {call.id} can't be settled: it was settled before, or never started"
        ) from None
    accounts.settle(connection, call)


def find_start(connection: Connection, call_id: str) -> CallStart | None:
    """The start of this id; it reserves nothing where its reserve did not fit under a cap."""
    found = connection.execute(select(call_started).where(call_started.c.id == call_id)).first()
    return None if found is None else CallStart(**found._mapping)


def has_settlement(connection: Connection, call_id: str) -> bool:
    """Whether a call was settled."""
    found = select(call_settled.c.id).where(call_settled.c.id == call_id)
    return connection.execute(found).first() is not None


def select_calls(
    connection: Connection,
    *,
    review_id: str | None,
    repository: str | None,
    since: datetime | None,
    until: datetime | None,
) -> list[Call | CallStart]:
    """Calls by the time they started; `since` is included, `until` is not."""
    started, settled = call_started.c, call_settled.c
    columns = [column.label(_SETTLED + column.name) for column in settled]
    query = select(call_started, *columns).outerjoin(call_settled, settled.id == started.id)
    if review_id is not None:
        query = query.where(started.review_id == review_id)
    if repository is not None:
        query = query.where(started.repository == repository)
    if since is not None:
        query = query.where(started.started_at >= since)
    if until is not None:
        query = query.where(started.started_at < until)
    rows = connection.execute(query.order_by(started.started_at, started.id))
    return [_entry(row) for row in rows]


def select_readability(
    connection: Connection, *, since: datetime, until: datetime
) -> list[Readability]:
    """By engine and model, of calls that started from `since` to before `until`."""
    started, settled = call_started.c, call_settled.c

    def said(key: str) -> ColumnElement[int]:
        return func.coalesce(settled.raw[key].as_integer(), 0)

    unreadable = (settled.outcome == Outcome.MALFORMED.value) | (said("unreadable_lines") > 0)
    query = (
        select(
            started.engine,
            started.model,
            func.count().label("answers"),
            func.sum(case((unreadable, 1), else_=0)).label("unreadable"),
            func.sum(said("lines")).label("lines"),
            func.sum(said("unreadable_lines")).label("unreadable_lines"),
        )
        .join(call_settled, settled.id == started.id)
        .where(started.started_at >= since, started.started_at < until)
        .where(settled.outcome.in_([outcome.value for outcome in ANSWERS]))
        .group_by(started.engine, started.model)
        .order_by(started.engine, started.model)
    )
    return [Readability(**row._mapping) for row in connection.execute(query)]


def _settled_row(call: Call) -> dict[str, Any]:
    row = {name: getattr(call, name) for name in _PLAIN}
    row |= {"id": call.id, "outcome": call.outcome.value, "warnings": list(call.warnings)}
    if call.usage is not None:
        row |= {f"tokens_{name}": getattr(call.usage, name) for name in _TOKENS}
    if call.price is not None:
        row |= {f"price_{name}": getattr(call.price, name) for name in _PRICE}
    return row


def _entry(row: Row[Any]) -> Call | CallStart:
    values = row._mapping
    start = CallStart(**{name: values[name] for name in _START_FIELDS})
    if values[_SETTLED + "id"] is None:
        return start
    settled = {column.name: values[_SETTLED + column.name] for column in call_settled.columns}
    return Call(
        start=start,
        outcome=Outcome(settled["outcome"]),
        usage=_usage(settled),
        price=_price(settled),
        warnings=tuple(settled["warnings"]),
        **{name: settled[name] for name in _PLAIN},
    )


def _usage(settled: dict[str, Any]) -> Usage | None:
    if settled["tokens_input"] is None:
        return None
    return Usage(**{name: settled[f"tokens_{name}"] for name in _TOKENS})


def _price(settled: dict[str, Any]) -> Price | None:
    if settled["price_source"] is None:
        return None
    return Price(**{name: settled[f"price_{name}"] for name in _PRICE})

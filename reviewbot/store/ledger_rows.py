"""The ledger's rows as they are exported: a start and its settlement side by side."""

from typing import Any

from sqlalchemy import Connection, case, func, or_, select

from reviewbot.reporting.ledger_table import COLUMNS, Row
from reviewbot.reporting.sums import UNSETTLED
from reviewbot.store.schema import call_settled, call_started
from reviewbot.store.sums import Where

#: Rows that are read at a time.
PAGE = 2_000

_started, _settled = call_started.c, call_settled.c
_unsettled = _settled.id.is_(None)


def ledger_page(connection: Connection, where: Where, after: Row | None) -> list[Row]:
    """The next rows after one, or the first ones; by the time of their start, then by id."""
    query = (
        select(*(_column(name).label(name) for name in COLUMNS))
        .select_from(call_started.outerjoin(call_settled, _settled.id == _started.id))
        .where(where.calls())
        .order_by(_started.started_at, _started.id)
        .limit(PAGE)
    )
    if after is not None:
        began, name = after["started_at"], after["id"]
        later = or_(_started.started_at > began, _started.id > name)
        query = query.where(_started.started_at >= began, later)
    return [dict(row._mapping) for row in connection.execute(query)]


def _column(name: str) -> Any:
    """A start without settlement is of unknown outcome, at its reserve."""
    match name:
        case "model_asked":
            return _started.model
        case "model":
            return func.coalesce(_settled.model, _started.model)
        case "outcome":
            return func.coalesce(_settled.outcome, UNSETTLED)
        case "usd":
            return case((_unsettled, _started.reserved_usd), else_=_settled.usd)
        case "unknown":
            return func.coalesce(_settled.unknown, _unsettled)
        case _:
            return _started[name] if name in _started else _settled[name]

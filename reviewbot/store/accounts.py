"""What is spent, kept as sums beside the ledger: a cap is checked without adding up a month.

Sums change in the transaction that writes the ledger's row, so that both say the same. All
transactions lock the accounts in one order; of two at once the second sees what the first booked.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from reviewbot.costs.budget import (
    Account,
    AccountKind,
    Budgets,
    Caps,
    Payer,
    Refusal,
    Scope,
    refused,
)
from reviewbot.costs.calls import Call, CallStart
from reviewbot.costs.summary import CLAUDE
from reviewbot.review.engine import Outcome
from reviewbot.store.schema import accounts

_KEY = ("kind", "name", "period")
_USD = ("reserved", "unknown", "external", "claude", "local", "all_claude")
#: Columns that only ever have something added to them.
_SUMS = (*(f"{name}_usd" for name in _USD), "joules", "calls", "refused")
_EMPTY: dict[str, Any] = {
    **dict.fromkeys(_SUMS, 0),
    **{f"{name}_usd": Decimal(0) for name in _USD},
    "cap_usd": None,
}


def scopes_of(start: CallStart) -> tuple[Scope, ...]:
    """The accounts that a call is booked on."""
    return Payer(start.repository, start.repository_id, start.number).scopes(start.started_at)


def reserve(connection: Connection, start: CallStart, caps: Caps) -> Refusal | None:
    """Set the call's reserve aside where that fits under every cap; else why it does not."""
    scopes, at = scopes_of(start), start.started_at
    _cap(connection, scopes, caps, at)  # from here on they are locked
    refusal = refused(read(connection, scopes), start.reserved_usd)
    if refusal is None:
        _add(connection, scopes, at, reserved_usd=start.reserved_usd)
    else:
        _add(connection, [s for s in scopes if s.kind == refusal.kind], at, refused=1)
    return refusal


def refusal_of(connection: Connection, start: CallStart) -> Refusal | None:
    """Why a call was refused that is in the ledger as such: by the tightest of its caps."""
    return refused(read(connection, scopes_of(start)), Decimal("Infinity"))


def settle(connection: Connection, call: Call) -> None:
    """Put what the call came to in the place of its reserve. Hand-written answers cost nothing."""
    start, amounts = call.start, _amounts(call)
    amounts["reserved_usd"] = -start.reserved_usd
    if any(amounts.values()):
        _add(connection, scopes_of(start), call.settled_at, **amounts)


def _amounts(call: Call) -> dict[str, Any]:
    if call.scripted:
        return {}
    if call.unknown:
        return {"unknown_usd": call.usd, "calls": 1}
    return {
        "external_usd": call.usd,
        "claude_usd": call.usd if call.engine == CLAUDE else Decimal(0),
        "local_usd": call.local_usd,
        "joules": call.joules,
        "calls": int(call.outcome is not Outcome.OVER_BUDGET),
    }


def book_review(
    connection: Connection, known: Sequence[Account], all_claude: Decimal, at: datetime
) -> None:
    """Add what a review would have cost on Claude alone, and remember the caps that it had."""
    rows = [{"cap_usd": each.cap_usd, "all_claude_usd": all_claude} for each in known]
    _upsert(connection, [each.scope for each in known], rows, at, added=("all_claude_usd",))


def read(connection: Connection, scopes: Iterable[Scope]) -> list[Account]:
    """The accounts of these scopes, in their order; one that nothing was booked on is empty."""
    wanted = list(scopes)
    here = tuple_(*(accounts.c[name] for name in _KEY)).in_([tuple(scope) for scope in wanted])
    rows = connection.execute(select(accounts).where(here))
    found = {account.scope: account for account in map(_account, rows)}
    return [found.get(scope) or Account(scope) for scope in wanted]


def budgets(connection: Connection, at: datetime) -> Budgets:
    """How all budgets of the month stand."""
    month = Payer("", None, None).scopes(at)[-1]
    [operator] = read(connection, [month])
    found: dict[AccountKind, Account] = {}
    for row in connection.execute(_capped_this_month(at)):
        account = _account(row)
        known = found.get(account.scope.kind)
        if account.scope.period in ("", month.period) and (
            known is None or account.share > known.share
        ):
            found[account.scope.kind] = account
    found.pop("operator", None)
    return Budgets(operator, tuple(found.values()), _refused(connection))


def _capped_this_month(at: datetime) -> Select[Any]:
    month = at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return select(accounts).where(accounts.c.cap_usd.is_not(None), accounts.c.seen_at >= month)


def _refused(connection: Connection) -> dict[AccountKind, int]:
    c = accounts.c
    query = select(c.kind, func.sum(c.refused)).where(c.refused > 0).group_by(c.kind)
    return {kind: int(count) for kind, count in connection.execute(query)}


def _cap(connection: Connection, scopes: Sequence[Scope], caps: Caps, at: datetime) -> None:
    """Have the accounts exist, with these caps; nobody else changes them until the end of the
    transaction."""
    rows = [{"cap_usd": caps.of(scope.kind)} for scope in scopes]
    _upsert(connection, scopes, rows, at, added=())


def _add(connection: Connection, scopes: Sequence[Scope], at: datetime, **amounts: Any) -> None:
    _upsert(connection, scopes, [amounts] * len(scopes), at, added=tuple(amounts))


def _upsert(
    connection: Connection,
    scopes: Sequence[Scope],
    values: Sequence[Mapping[str, Any]],
    at: datetime,
    *,
    added: Sequence[str],
) -> None:
    """Make or change a row for each scope, in their order. Columns in `added` grow, others are
    set."""
    rows = [
        {**_EMPTY, **scope._asdict(), **row, "seen_at": at}
        for scope, row in zip(scopes, values, strict=True)
    ]
    statement = _statement(connection.dialect.name, tuple(values[0]), frozenset(added))
    connection.execute(statement, rows)


@cache
def _statement(
    dialect: str, changed: tuple[str, ...], added: frozenset[str]
) -> postgresql.Insert | sqlite.Insert:
    """Kept, so that it is compiled once."""
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = insert(accounts)
    new, old = statement.excluded, accounts.c
    set_ = {name: old[name] + new[name] if name in added else new[name] for name in changed}
    return statement.on_conflict_do_update(
        index_elements=_KEY, set_={**set_, "seen_at": new.seen_at}
    )


def _account(found: Row[Any]) -> Account:
    row = found._mapping
    values = {name: row[name] for name in (*_SUMS, "cap_usd") if name != "refused"}
    return Account(Scope(*(row[name] for name in _KEY)), **values)

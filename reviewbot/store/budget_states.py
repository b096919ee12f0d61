"""How the budgets of one month stood, as its report tells it."""

from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import Connection, select

from reviewbot.costs.budget import whose
from reviewbot.reporting.report import BudgetState
from reviewbot.store.schema import accounts, call_started, reviews


def budget_states(
    connection: Connection, month: datetime, *, operator_cap_usd: Decimal | None
) -> list[BudgetState]:
    """Of all repositories together, then of each repository with a cap, by name.

    Each account has the cap of its last call or review; the operator's, where it has none, has
    `operator_cap_usd`.
    """
    c = accounts.c
    query = select(
        c.kind, c.name, c.cap_usd, c.refused, c.external_usd, c.unknown_usd, c.reserved_usd
    ).where(c.kind.in_(("operator", "repository")), c.period == f"{month.astimezone(UTC):%Y-%m}")
    found = []
    for kind, name, cap, refused, billed, unknown, reserved in connection.execute(query):
        owner = _repository(connection, name) if kind == "repository" else ""
        limit = operator_cap_usd if kind == "operator" and cap is None else cap
        if limit is not None:
            used = billed + unknown + reserved
            found.append(BudgetState(whose(kind, owner), limit, used, int(refused), owner))
    return sorted(found, key=lambda each: (each.repository != "", each.name))


def _repository(connection: Connection, name: str) -> str:
    """The account's repository as it is called now: accounts go by GitHub's ids."""
    if not name.isdecimal():
        return name
    for table, at in ((call_started, call_started.c.started_at), (reviews, reviews.c.created_at)):
        query = select(table.c.repository).where(table.c.repository_id == int(name))
        if known := connection.execute(query.order_by(at.desc()).limit(1)).scalar():
            return str(known)
    return f"repository {name}"

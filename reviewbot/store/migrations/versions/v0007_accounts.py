"""What is spent, as sums for each pull request and month; comparisons of sampled local reviews.

The sums of calls and reviews that are there already are worked out here.
"""

from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from alembic import op

from reviewbot.store.columns import PLACES, Usd, Utc, Words

revision = "0007"
down_revision = "0006"

_USD = ("reserved_usd", "unknown_usd", "external_usd", "claude_usd", "local_usd", "all_claude_usd")

#: A row for each thing that is booked: calls with and without a settlement, and reviews.
_BOOKED = """
SELECT COALESCE(CAST(s.repository_id AS VARCHAR(20)), s.repository) AS repository, s.number,
    {month_of_call} AS month, s.started_at AS seen,
    CASE WHEN e.id IS NULL THEN s.reserved_usd ELSE 0 END AS reserved_usd,
    CASE WHEN e.unknown AND NOT e.scripted THEN e.usd ELSE 0 END AS unknown_usd,
    CASE WHEN e.unknown OR e.scripted THEN 0 ELSE e.usd END AS external_usd,
    CASE WHEN e.unknown OR e.scripted OR s.engine <> 'claude' THEN 0 ELSE e.usd END AS claude_usd,
    CASE WHEN e.unknown OR e.scripted THEN 0 ELSE e.energy_usd + e.amortisation_usd END AS local_usd,
    0 AS all_claude_usd,
    CASE WHEN e.unknown OR e.scripted THEN 0 ELSE e.joules END AS joules,
    CASE WHEN e.id IS NULL OR e.scripted THEN 0 ELSE 1 END AS calls
FROM call_started s LEFT JOIN call_settled e ON e.id = s.id
UNION ALL
SELECT COALESCE(CAST(repository_id AS VARCHAR(20)), repository), number,
    {month_of_review}, created_at, 0, 0, 0, 0, 0, {all_claude}, 0, 0
FROM reviews WHERE {real}
"""
#: The same, once for each account that it is booked on.
_ON_ACCOUNTS = """
SELECT 'pull' AS kind, repository || '#' || CAST(number AS VARCHAR(20)) AS name, '' AS period,
    booked.* FROM booked WHERE number IS NOT NULL
UNION ALL SELECT 'repository', repository, month, booked.* FROM booked
UNION ALL SELECT 'operator', '', month, booked.* FROM booked
"""
_SQLITE = {
    "month_of_call": "substr(s.started_at, 1, 7)",
    "month_of_review": "substr(created_at, 1, 7)",
    "all_claude": "stored_usd(json_extract(result, '$.cost.all_claude_usd'))",
    "real": "NOT json_extract(result, '$.scripted')",
}
_POSTGRESQL = {
    "month_of_call": "to_char(s.started_at AT TIME ZONE 'UTC', 'YYYY-MM')",
    "month_of_review": "to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM')",
    "all_claude": "CAST(result -> 'cost' ->> 'all_claude_usd' AS NUMERIC)",
    "real": "NOT CAST(result ->> 'scripted' AS BOOLEAN)",
}


def upgrade() -> None:
    _accounts()
    _regret()
    _book()


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("name", Words, primary_key=True),
        sa.Column("period", sa.String(7), primary_key=True),
        *(sa.Column(name, Usd, nullable=False) for name in _USD),
        sa.Column("joules", sa.Float, nullable=False),
        sa.Column("calls", sa.BigInteger, nullable=False),
        sa.Column("refused", sa.BigInteger, nullable=False),
        sa.Column("cap_usd", Usd),
        sa.Column("seen_at", Utc, nullable=False),
    )
    op.create_index("accounts_by_time", "accounts", ["seen_at"])
    op.create_index("accounts_by_refusals", "accounts", ["refused"])


def _regret() -> None:
    op.create_table(
        "regret",
        sa.Column("review_id", sa.String(64), sa.ForeignKey("reviews.id"), primary_key=True),
        sa.Column("repository", Words, nullable=False),
        sa.Column("repository_id", sa.BigInteger),
        sa.Column("created_at", Utc, nullable=False),
        sa.Column("usd", Usd, nullable=False),
        sa.Column("in_both", sa.Integer, nullable=False),
        sa.Column("only_local", sa.Integer, nullable=False),
        sa.Column("only_claude", sa.Integer, nullable=False),
        sa.Column("by_severity", sa.JSON, nullable=False),
    )
    op.create_index("regret_by_time", "regret", ["created_at"])


def _book() -> None:
    """Add up what is there, in the database."""
    bind = op.get_bind()
    dialect = _POSTGRESQL
    if bind.dialect.name == "sqlite":
        dialect = _SQLITE
        driver: Any = bind.connection.driver_connection
        driver.create_function("stored_usd", 1, _stored_usd, deterministic=True)
    sums = ", ".join(f"COALESCE(SUM({name}), 0)" for name in (*_USD, "joules", "calls"))
    op.execute(
        f"INSERT INTO accounts (kind, name, period, {', '.join(_USD)}, joules, calls, refused, seen_at)"  # noqa: S608 (constants)
        f" WITH booked AS ({_BOOKED.format(**dialect)}), on_accounts AS ({_ON_ACCOUNTS})"
        f" SELECT kind, name, period, {sums}, 0, MAX(seen) FROM on_accounts"
        " GROUP BY kind, name, period"
    )


def _stored_usd(text: str | None) -> int:
    """A decimal string as SQLite keeps it (see `Usd`)."""
    return int(Decimal(text or 0).scaleb(PLACES))

"""What reports add up stands in columns of `reviews`; older reviews are read once for it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from alembic import op

from reviewbot.costs.money import exact
from reviewbot.store.columns import Usd

revision = "0006"
down_revision = "0005"

#: Reviews that are read at a time.
_BATCH = 500
#: Stood in the reason of every route that a command had changed.
_ASKED = ", as somebody asked. By the rules: "

_reviews = sa.table(
    "reviews",
    sa.column("id", sa.String),
    sa.column("result", sa.JSON),
    sa.column("findings", sa.Integer),
    sa.column("all_claude_usd", Usd),
    sa.column("complete", sa.Boolean),
    sa.column("overridden", sa.Boolean),
)


def upgrade() -> None:
    op.add_column("reviews", sa.Column("findings", sa.Integer, nullable=False, server_default="0"))
    op.add_column("reviews", sa.Column("all_claude_usd", Usd))
    for name in ("complete", "overridden"):
        column = sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())
        op.add_column("reviews", column)
    _fill(op.get_bind())


def _fill(connection: sa.Connection) -> None:
    """The new columns of the reviews that are there, some at a time."""
    page = sa.select(_reviews.c.id, _reviews.c.result).order_by(_reviews.c.id).limit(_BATCH)
    write = sa.update(_reviews).where(_reviews.c.id == sa.bindparam("review"))
    last = ""
    while rows := connection.execute(page.where(_reviews.c.id > last)).all():
        for review, result in rows:
            connection.execute(write.values(_facts(result)), {"review": review})
        last = rows[-1][0]


def _facts(result: Mapping[str, Any]) -> dict[str, Any]:
    """A command that asked for what the rules say anyway can't be told from others in old rows."""
    all_claude = result.get("cost", {}).get("all_claude_usd")
    return {
        "findings": len(result.get("findings", ())),
        "all_claude_usd": None if all_claude is None else exact(Decimal(all_claude)),
        "complete": bool(result.get("complete")),
        "overridden": _ASKED in result.get("route", {}).get("why", ""),
    }

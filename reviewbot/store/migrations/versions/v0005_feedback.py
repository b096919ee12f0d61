"""Published findings and what people made of them; who asked for a review."""

import uuid
from typing import Any

import sqlalchemy as sa
from alembic import op

from reviewbot.store.columns import Utc, Words
from reviewbot.store.migrations.append_only import make_append_only

revision = "0005"
down_revision = "0004"

#: The ids of the service's reviews were made under this name, of what is known of the review and
#: its request: who asked can be told where few could have.
_NAMESPACE = uuid.UUID("0f1f6f5e-6a0c-4a35-9a39-2c8f2f5f7c11")
_OVERRIDE = ", as somebody asked. "
_BATCH = 500

_REVIEWS = sa.table(
    "reviews",
    *map(sa.column, ("id", "installation", "repository_id", "number", "base", "head")),
    sa.column("result", sa.JSON),
    sa.column("request"),
)


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    _posted_findings(number)
    op.create_table(
        "feedback",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("finding_id", sa.String(80), sa.ForeignKey("posted_findings.id"), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("by", Words, nullable=False),
        sa.Column("at", Utc, nullable=False),
    )
    op.create_index("feedback_by_finding", "feedback", ["finding_id"])
    make_append_only("feedback")
    op.create_table(
        "pull_ends",
        sa.Column("installation", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("ended_at", Utc, nullable=False),
        sa.Column("merged", sa.Boolean, nullable=False),
    )
    op.add_column("reviews", sa.Column("request", sa.String(16)))
    _tell_who_asked()


def _posted_findings(number: Any) -> None:
    op.create_table(
        "posted_findings",
        sa.Column("id", sa.String(80), primary_key=True),
        sa.Column("review_id", sa.String(64), nullable=False),
        sa.Column("installation", sa.BigInteger, nullable=False),
        sa.Column("repository_id", sa.BigInteger, nullable=False),
        sa.Column("repository", Words, nullable=False),
        sa.Column("number", number, nullable=False),
        sa.Column("head", Words, nullable=False),
        sa.Column("fingerprint", sa.String(16), nullable=False),
        sa.Column("engine", Words, nullable=False),
        sa.Column("model", Words, nullable=False),
        sa.Column("tier", sa.String(16), nullable=False),
        sa.Column("areas", sa.JSON, nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("category", sa.String(32), nullable=False),
        sa.Column("path", Words, nullable=False),
        sa.Column("line", number),
        sa.Column("side", sa.String(8), nullable=False),
        sa.Column("inline", sa.Boolean, nullable=False),
        sa.Column("flagged", sa.JSON, nullable=False),
        sa.Column("github_review", sa.BigInteger),
        sa.Column("comment_id", sa.BigInteger),
        sa.Column("posted_at", Utc, nullable=False),
    )
    for name, columns in (
        ("time", ["posted_at"]),
        ("repository", ["repository", "posted_at"]),
        ("installation", ["installation", "posted_at"]),
        ("pull", ["installation", "repository_id", "number", "posted_at"]),
    ):
        op.create_index(f"posted_findings_by_{name}", "posted_findings", columns)


def _tell_who_asked() -> None:
    """Of the reviews that are there, where it can be told."""
    connection, after = op.get_bind(), ""
    while True:
        query = sa.select(_REVIEWS).where(_REVIEWS.c.id > after).order_by(_REVIEWS.c.id)
        rows = connection.execute(query.limit(_BATCH)).all()
        for row in rows:
            known = sa.update(_REVIEWS).where(_REVIEWS.c.id == row.id)
            connection.execute(known.values(request=_who_asked(row)))
        if len(rows) < _BATCH:
            return
        after = rows[-1].id


def _who_asked(row: Any) -> str | None:
    """The kind of the request; None where it is not known."""
    tier, asked, _ = row.result["route"]["why"].partition(_OVERRIDE)
    if asked and tier in ("claude", "local"):
        return "command"
    if row.installation is None:
        return "cli"
    if row.repository_id is None:
        return None
    place = f"rv:{row.installation}:{row.repository_id}#{row.number}:{row.head}:{row.base}"
    for kind, request in (("auto", "auto"), ("draft", "draft"), ("label", f"label:{row.head}")):
        if str(uuid.uuid5(_NAMESPACE, f"{place}:{request}")) == row.id:
            return kind
    return None

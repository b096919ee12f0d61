"""Paused pull requests and dismissed findings; a pull request's reviews are found fast."""

import sqlalchemy as sa
from alembic import op

from reviewbot.store.columns import Utc, Words

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "paused",
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("by", Words, nullable=False),
        sa.Column("at", Utc, nullable=False),
    )
    op.create_table(
        "dismissed",
        sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("fingerprint", sa.String(16), primary_key=True),
        sa.Column("by", Words, nullable=False),
        sa.Column("at", Utc, nullable=False),
    )
    op.create_index("reviews_by_pull", "reviews", ["repository", "number", "created_at"])
    op.create_index("call_started_by_pull", "call_started", ["repository", "number"])

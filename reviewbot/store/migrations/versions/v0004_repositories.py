"""Reviews and calls hang on the repository's id; numbers of any length; workers name engines."""

import sqlalchemy as sa
from alembic import op

from reviewbot.store.columns import Words

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for table in ("reviews", "call_started"):
        op.add_column(table, sa.Column("repository_id", sa.BigInteger))
        if op.get_bind().dialect.name == "postgresql":  # SQLite's whole numbers have 64 bits
            op.alter_column(table, "number", type_=sa.BigInteger)
    op.drop_index("reviews_by_pull", "reviews")
    op.drop_index("call_started_by_pull", "call_started")
    op.create_index("reviews_by_pull", "reviews", ["repository_id", "number", "created_at"])
    op.create_index("call_started_by_pull", "call_started", ["repository_id", "number"])
    engines = sa.Column("engines", Words, nullable=False, server_default="")
    op.add_column("heartbeats", engines)

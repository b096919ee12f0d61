"""The service's own work, deliveries taken from GitHub's log, and which review asked a prompt."""

import sqlalchemy as sa
from alembic import op

from reviewbot.store.columns import Utc

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "chores",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("held_by", sa.String(128), nullable=False, server_default=""),
        sa.Column("held_until", Utc),
        sa.Column("due_at", Utc),
        sa.Column("done_until", Utc),
        sa.Column("total", sa.BigInteger, nullable=False, server_default="0"),
    )
    op.create_table(
        "taken",
        sa.Column("guid", sa.String(64), primary_key=True),
        sa.Column("at", Utc, nullable=False),
    )
    op.create_index("taken_by_time", "taken", ["at"])
    op.create_table(
        "prompt_uses",
        sa.Column("review_id", sa.String(64), primary_key=True),
        sa.Column("prompt_hash", sa.String(64), primary_key=True),
        sa.Column("at", Utc, nullable=False),
    )
    op.create_index("prompt_uses_by_prompt", "prompt_uses", ["prompt_hash"])
    op.create_index("prompt_uses_by_time", "prompt_uses", ["at"])
    # what is asked already keeps its prompt as long as the answer
    op.execute(
        "INSERT INTO prompt_uses (review_id, prompt_hash, at)"
        " SELECT review_id, prompt_hash, MAX(answered_at) FROM answers"
        " GROUP BY review_id, prompt_hash"
    )

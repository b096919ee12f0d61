"""Prompts and answers of running reviews, attempts of jobs, heartbeats of workers."""

import sqlalchemy as sa
from alembic import op

from reviewbot.store.columns import Utc

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "prompts",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("prompt", sa.JSON, nullable=False),
        sa.Column("created_at", Utc, nullable=False),
    )
    op.create_index("prompts_by_time", "prompts", ["created_at"])
    op.create_table(
        "answers",
        sa.Column("review_id", sa.String(64), primary_key=True),
        sa.Column("role", sa.String(16), primary_key=True),
        sa.Column("unit", sa.Integer, primary_key=True),
        sa.Column("prompt_hash", sa.String(64), primary_key=True),
        sa.Column("attempt", sa.Integer, primary_key=True),
        sa.Column("call_id", sa.String(64), sa.ForeignKey("call_started.id"), nullable=False),
        sa.Column("reply", sa.JSON, nullable=False),
        sa.Column("answered_at", Utc, nullable=False),
    )
    op.create_index("answers_by_time", "answers", ["answered_at"])
    op.create_table(
        "attempts",
        sa.Column("job_id", sa.String(255), primary_key=True),
        sa.Column("started", sa.Integer, nullable=False),
    )
    op.create_table(
        "heartbeats",
        sa.Column("executor", sa.String(128), primary_key=True),
        sa.Column("started_at", Utc, nullable=False),
        sa.Column("seen_at", Utc, nullable=False),
    )

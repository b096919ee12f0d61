"""Reviews and the ledger of calls."""

import sqlalchemy as sa
from alembic import op

from reviewbot.store.columns import Usd, Utc, Words
from reviewbot.store.migrations.append_only import make_append_only

revision = "0001"
down_revision = None


def upgrade() -> None:
    _reviews()
    _call_started()
    _call_settled()
    make_append_only("call_started")
    make_append_only("call_settled")


def _reviews() -> None:
    op.create_table(
        "reviews",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("repository", Words, nullable=False),
        sa.Column("number", sa.Integer),
        sa.Column("installation", sa.BigInteger),
        sa.Column("base", Words),
        sa.Column("head", Words),
        sa.Column("tier", sa.String(16), nullable=False),
        sa.Column("areas", sa.JSON, nullable=False),
        sa.Column("certainty", sa.String(16), nullable=False),
        sa.Column("created_at", Utc, nullable=False),
        sa.Column("result", sa.JSON, nullable=False),
    )
    op.create_index("reviews_by_repository", "reviews", ["repository", "created_at"])
    op.create_index("reviews_by_time", "reviews", ["created_at"])


def _call_started() -> None:
    op.create_table(
        "call_started",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("review_id", sa.String(64), nullable=False),
        sa.Column("repository", Words, nullable=False),
        sa.Column("number", sa.Integer),
        sa.Column("installation", sa.BigInteger),
        sa.Column("purpose", Words, nullable=False),
        sa.Column("unit", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("engine", Words, nullable=False),
        sa.Column("provider", Words),
        sa.Column("model", Words, nullable=False),
        sa.Column("reserved_usd", Usd, nullable=False),
        sa.Column("started_at", Utc, nullable=False),
    )
    op.create_index("call_started_by_review", "call_started", ["review_id"])
    op.create_index("call_started_by_repository", "call_started", ["repository", "started_at"])
    op.create_index("call_started_by_time", "call_started", ["started_at"])


def _call_settled() -> None:
    op.create_table(
        "call_settled",
        sa.Column("id", sa.String(64), sa.ForeignKey("call_started.id"), primary_key=True),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("model", Words, nullable=False),
        sa.Column("settled_at", Utc, nullable=False),
        sa.Column("latency_seconds", sa.Float, nullable=False),
        sa.Column("tokens_input", sa.BigInteger),
        sa.Column("tokens_output", sa.BigInteger),
        sa.Column("tokens_cache_read", sa.BigInteger),
        sa.Column("tokens_cache_write_5m", sa.BigInteger),
        sa.Column("tokens_cache_write_1h", sa.BigInteger),
        sa.Column("tokens_estimated", sa.Boolean),
        sa.Column("raw", sa.JSON, nullable=False),
        sa.Column("service_tier", Words, nullable=False),
        sa.Column("price_provider", Words),
        sa.Column("price_model", Words),
        sa.Column("price_input", Usd),
        sa.Column("price_output", Usd),
        sa.Column("price_cache_read", Usd),
        sa.Column("price_cache_write_5m", Usd),
        sa.Column("price_cache_write_1h", Usd),
        sa.Column("price_source", Words),
        sa.Column("price_conditions", Words),
        sa.Column("usd", Usd, nullable=False),
        sa.Column("unknown", sa.Boolean, nullable=False),
        sa.Column("energy_usd", Usd, nullable=False),
        sa.Column("amortisation_usd", Usd, nullable=False),
        sa.Column("joules", sa.Float, nullable=False),
        sa.Column("joules_how", Words, nullable=False),
        sa.Column("busy_seconds", sa.Float, nullable=False),
        sa.Column("detail", Words, nullable=False),
        sa.Column("warnings", sa.JSON, nullable=False),
        sa.Column("scripted", sa.Boolean, nullable=False),
    )
    op.create_index("call_settled_by_time", "call_settled", ["settled_at"])

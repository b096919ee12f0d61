"""The tables. `migrations/` makes them; a test compares the two.

`call_started` and `call_settled` are the ledger: append-only, and the database itself refuses
UPDATE and DELETE (triggers, in the migrations). A start without a settlement is a call of
unknown outcome, and counts at its reserve.

`prompts` and `answers` let a service go on after a crash without asking again; they are deleted
after some days. `attempts` and `heartbeats` are about running work only. `paused` and `dismissed`
are what people asked for in comments.

`prompt_uses` says which reviews asked a prompt. `chores` is when the service's own work is due, and
who does it; `taken` are deliveries that came from GitHub's log, as long as it knows them.

`posted_findings` has a row for each published finding, `feedback` what people made of it
(append-only, too), `pull_ends` how pull requests with findings ended. `rounds` are the reviews that
were posted, with what the next one of the pull request goes on from: what was read, and how its
findings stand.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    false,
)

from reviewbot.store.columns import Usd, Utc, Words

#: Every revision of the schema, oldest first; the last is what this code reads and writes.
REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010")
#: Alembic's own table; named so that it stands beside other programs' in one database.
VERSION_TABLE = "reviewbot_version"

#: A pull request's number; SQLite's whole numbers have 64 bits by themselves.
NUMBER = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData()

reviews = Table(
    "reviews",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("repository", Words, nullable=False),
    Column("number", NUMBER),
    Column("installation", BigInteger),
    Column("repository_id", BigInteger),
    Column("base", Words),
    Column("head", Words),
    Column("tier", String(16), nullable=False),
    Column("areas", JSON, nullable=False),
    Column("certainty", String(16), nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("result", JSON, nullable=False),
    # what reports add up, so that they need not read every `result`
    Column("findings", Integer, nullable=False, server_default="0"),
    Column("all_claude_usd", Usd),
    Column("complete", Boolean, nullable=False, server_default=false()),
    Column("overridden", Boolean, nullable=False, server_default=false()),
    Column("request", String(16)),
    Column("strategy", String(80)),
    Index("reviews_by_repository", "repository", "created_at"),
    Index("reviews_by_time", "created_at"),
    Index("reviews_by_pull", "repository_id", "number", "created_at"),
)

call_started = Table(
    "call_started",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("review_id", String(64), nullable=False),
    Column("repository", Words, nullable=False),
    Column("number", NUMBER),
    Column("installation", BigInteger),
    Column("repository_id", BigInteger),
    Column("purpose", Words, nullable=False),
    Column("unit", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("engine", Words, nullable=False),
    Column("provider", Words),
    Column("model", Words, nullable=False),
    Column("reserved_usd", Usd, nullable=False),
    Column("started_at", Utc, nullable=False),
    Index("call_started_by_review", "review_id"),
    Index("call_started_by_repository", "repository", "started_at"),
    Index("call_started_by_time", "started_at"),
    Index("call_started_by_pull", "repository_id", "number"),
)

call_settled = Table(
    "call_settled",
    metadata,
    Column("id", String(64), ForeignKey("call_started.id"), primary_key=True),
    Column("outcome", String(32), nullable=False),
    Column("model", Words, nullable=False),
    Column("settled_at", Utc, nullable=False),
    Column("latency_seconds", Float, nullable=False),
    Column("tokens_input", BigInteger),
    Column("tokens_output", BigInteger),
    Column("tokens_cache_read", BigInteger),
    Column("tokens_cache_write_5m", BigInteger),
    Column("tokens_cache_write_1h", BigInteger),
    Column("tokens_estimated", Boolean),
    Column("raw", JSON, nullable=False),
    Column("service_tier", Words, nullable=False),
    Column("price_provider", Words),
    Column("price_model", Words),
    Column("price_input", Usd),
    Column("price_output", Usd),
    Column("price_cache_read", Usd),
    Column("price_cache_write_5m", Usd),
    Column("price_cache_write_1h", Usd),
    Column("price_source", Words),
    Column("price_conditions", Words),
    Column("usd", Usd, nullable=False),
    Column("unknown", Boolean, nullable=False),
    Column("energy_usd", Usd, nullable=False),
    Column("amortisation_usd", Usd, nullable=False),
    Column("joules", Float, nullable=False),
    Column("joules_how", Words, nullable=False),
    Column("busy_seconds", Float, nullable=False),
    Column("detail", Words, nullable=False),
    Column("warnings", JSON, nullable=False),
    Column("scripted", Boolean, nullable=False),
    Index("call_settled_by_time", "settled_at"),
)

prompts = Table(
    "prompts",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("prompt", JSON, nullable=False),
    Column("created_at", Utc, nullable=False),
    Index("prompts_by_time", "created_at"),
)

answers = Table(
    "answers",
    metadata,
    Column("review_id", String(64), primary_key=True),
    Column("role", String(16), primary_key=True),
    Column("unit", Integer, primary_key=True),
    Column("prompt_hash", String(64), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("call_id", String(64), ForeignKey("call_started.id"), nullable=False),
    Column("reply", JSON, nullable=False),
    Column("answered_at", Utc, nullable=False),
    Index("answers_by_time", "answered_at"),
)

prompt_uses = Table(
    "prompt_uses",
    metadata,
    Column("review_id", String(64), primary_key=True),
    Column("prompt_hash", String(64), primary_key=True),
    Column("at", Utc, nullable=False),
    Index("prompt_uses_by_prompt", "prompt_hash"),
    Index("prompt_uses_by_time", "at"),
)

chores = Table(
    "chores",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("held_by", String(128), nullable=False, server_default=""),
    Column("held_until", Utc),
    Column("due_at", Utc),
    Column("done_until", Utc),
    Column("total", BigInteger, nullable=False, server_default="0"),
)

taken = Table(
    "taken",
    metadata,
    Column("guid", String(64), primary_key=True),
    Column("at", Utc, nullable=False),
    Index("taken_by_time", "at"),
)

accounts = Table(
    "accounts",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("name", Words, primary_key=True),
    Column("period", String(7), primary_key=True),
    Column("reserved_usd", Usd, nullable=False),
    Column("unknown_usd", Usd, nullable=False),
    Column("external_usd", Usd, nullable=False),
    Column("claude_usd", Usd, nullable=False),
    Column("local_usd", Usd, nullable=False),
    Column("all_claude_usd", Usd, nullable=False),
    Column("joules", Float, nullable=False),
    Column("calls", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),
    Column("cap_usd", Usd),
    Column("seen_at", Utc, nullable=False),
    Index("accounts_by_time", "seen_at"),
    Index("accounts_by_refusals", "refused"),
)

regret = Table(
    "regret",
    metadata,
    Column("review_id", String(64), ForeignKey("reviews.id"), primary_key=True),
    Column("repository", Words, nullable=False),
    Column("repository_id", BigInteger),
    Column("created_at", Utc, nullable=False),
    Column("usd", Usd, nullable=False),
    Column("in_both", Integer, nullable=False),
    Column("only_local", Integer, nullable=False),
    Column("only_claude", Integer, nullable=False),
    Column("by_severity", JSON, nullable=False),
    Index("regret_by_time", "created_at"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("job_id", String(255), primary_key=True),
    Column("started", Integer, nullable=False),
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("executor", String(128), primary_key=True),
    Column("engines", Words, nullable=False, server_default=""),
    Column("started_at", Utc, nullable=False),
    Column("seen_at", Utc, nullable=False),
)

paused = Table(
    "paused",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("by", Words, nullable=False),
    Column("at", Utc, nullable=False),
)

dismissed = Table(
    "dismissed",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("fingerprint", String(16), primary_key=True),
    Column("by", Words, nullable=False),
    Column("at", Utc, nullable=False),
)

posted_findings = Table(
    "posted_findings",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("review_id", String(64), nullable=False),
    Column("installation", BigInteger, nullable=False),
    Column("repository_id", BigInteger, nullable=False),
    Column("repository", Words, nullable=False),
    Column("number", NUMBER, nullable=False),
    Column("head", Words, nullable=False),
    Column("fingerprint", String(16), nullable=False),
    Column("engine", Words, nullable=False),
    Column("model", Words, nullable=False),
    Column("tier", String(16), nullable=False),
    Column("areas", JSON, nullable=False),
    Column("severity", String(16), nullable=False),
    Column("category", String(32), nullable=False),
    Column("path", Words, nullable=False),
    Column("line", NUMBER),
    Column("side", String(8), nullable=False),
    Column("inline", Boolean, nullable=False),
    Column("flagged", JSON, nullable=False),
    Column("github_review", BigInteger),
    Column("comment_id", BigInteger),
    Column("posted_at", Utc, nullable=False),
    # of a finding that was published again for another head: its first row
    Column("repeats", String(80)),
    Index("posted_findings_by_time", "posted_at"),
    Index("posted_findings_by_repository", "repository", "posted_at"),
    Index("posted_findings_by_installation", "installation", "posted_at"),
    Index("posted_findings_by_pull", "installation", "repository_id", "number", "posted_at"),
)

rounds = Table(
    "rounds",
    metadata,
    Column("review_id", String(64), primary_key=True),
    Column("installation", BigInteger, nullable=False),
    Column("repository_id", BigInteger, nullable=False),
    Column("number", NUMBER, nullable=False),
    Column("at", Utc, nullable=False),
    Column("line", JSON, nullable=False),
    Column("read", JSON, nullable=False),
    Column("lives", JSON, nullable=False),
    Index("rounds_by_pull", "installation", "repository_id", "number", "at"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("finding_id", String(80), ForeignKey("posted_findings.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("by", Words, nullable=False),
    Column("at", Utc, nullable=False),
    Index("feedback_by_finding", "finding_id"),
)

pull_ends = Table(
    "pull_ends",
    metadata,
    Column("installation", BigInteger, primary_key=True, autoincrement=False),
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("ended_at", Utc, nullable=False),
    Column("merged", Boolean, nullable=False),
)

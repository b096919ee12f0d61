"""How durable jobs are kept: DBOS on a SQLite file of its own, or in a schema on PostgreSQL."""

import sqlite3
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, create_engine, event

from reviewbot.config.folders import private_folder
from reviewbot.config.settings import JOBS_SCHEMA, Settings
from reviewbot.errors import StoreError
from reviewbot.store.engine import BUSY_TIMEOUT_MS, connect, errors_in_words, switch_to_wal

if TYPE_CHECKING:
    from dbos import DBOSClient, DBOSConfig

#: Ours, not a hash of the source: work that waits survives an upgrade. Raise it only together with
#: a plan for the workflows that run: those of another version are never taken up.
VERSION = "1"
#: DBOS's name of the application, and the schema of its tables on PostgreSQL.
APPLICATION, SCHEMA = "reviewbot", JOBS_SCHEMA

#: Queues.
REVIEWS, GPU, CLAUDE, COMMANDS, REPORTS = "reviews", "gpu", "claude", "commands", "reports"
#: Workflows.
REVIEW, ASK, COMMAND, FEEDBACK, REPORT = "review", "ask", "command", "feedback", "report"

#: What a worker may do, by its queues.
QUEUES = (REVIEWS, GPU, CLAUDE, COMMANDS, REPORTS)

#: How often each queue is looked at, seconds. A look takes about 5 ms of a core, and a review waits
#: for one or two.
POLL_SECONDS = {REVIEWS: 0.15, GPU: 0.15, CLAUDE: 0.25, COMMANDS: 0.5, REPORTS: 5.0}
#: Reviews, local questions, Claude questions and commands that one worker runs at once.
REVIEWS_AT_ONCE, GPU_AT_ONCE, CLAUDE_AT_ONCE, COMMANDS_AT_ONCE = 16, 8, 8, 4
#: Connections to the jobs' database: some for each of these.
CONNECTIONS = 40


def jobs_engine(settings: Settings) -> Engine:
    """Connections to the database of the jobs. Raises StoreError if it can't be used."""
    if settings.database.startswith("sqlite"):
        return _sqlite(settings.jobs_file)
    return connect(settings.database)


def is_embedded(settings: Settings) -> bool:
    """On SQLite: one worker, on this machine."""
    return settings.database.startswith("sqlite")


def configuration(engine: Engine, executor: str, local_at_once: int) -> "DBOSConfig":
    """What a worker launches DBOS with: a thread for each job, and a few for recovery."""
    from dbos import DBOSPortableJSONSerializer

    return {
        "name": APPLICATION,
        "application_version": VERSION,
        "executor_id": executor,
        "system_database_engine": engine,
        "dbos_system_schema": SCHEMA,
        "serializer": DBOSPortableJSONSerializer(),
        "max_executor_threads": REVIEWS_AT_ONCE
        + local_at_once
        + CLAUDE_AT_ONCE
        + COMMANDS_AT_ONCE
        + 4,
        "log_level": "WARNING",
        "enable_otlp": False,
    }


def open_client(engine: Engine) -> "DBOSClient":
    """What enqueues jobs from outside a worker; its tables need not be there yet."""
    from dbos import DBOSClient, DBOSPortableJSONSerializer

    return DBOSClient(
        system_database_engine=engine,
        dbos_system_schema=SCHEMA,
        serializer=DBOSPortableJSONSerializer(),
        application_name=APPLICATION,
        lazy=True,
        retry_connection_errors=False,
    )


def migrate_jobs(settings: Settings) -> None:
    """Make or upgrade the tables of the jobs, so that deliveries can be kept before a worker runs.

    Raises StoreError if the database can't be used.
    """
    from dbos import DBOS

    engine = jobs_engine(settings)
    try:
        with errors_in_words(engine):
            with engine.connect():
                """On SQLite this makes the file, with the journal that all connections use."""
            DBOS.migrate(engine.url.render_as_string(hide_password=False), schema=SCHEMA)
    finally:
        engine.dispose()


def register_queues(settings: Settings, local_at_once: int) -> None:
    """Write the queues' limits into the database; DBOS must be launched."""
    from dbos import DBOS

    def register(name: str, **limits: Any) -> None:
        DBOS.register_queue(
            name, polling_interval_sec=POLL_SECONDS[name], on_conflict="always_update", **limits
        )

    register(REVIEWS, partition_concurrency=1, worker_concurrency=REVIEWS_AT_ONCE)
    register(GPU, worker_concurrency=local_at_once)
    a_minute = {"limit": settings.claude_per_minute, "period": 60}
    register(CLAUDE, worker_concurrency=CLAUDE_AT_ONCE, limiter=a_minute)
    register(COMMANDS, worker_concurrency=COMMANDS_AT_ONCE)
    register(REPORTS, worker_concurrency=1)


def _sqlite(path: Path) -> Engine:
    try:
        private_folder(path.parent)
    except OSError as error:
        raise StoreError(
            f"the folder {path.parent} can't be made ({error.strerror}):"
            " set REVIEWBOT_DATA_DIR to a folder that can be written"
        ) from None
    engine = create_engine(f"sqlite:///{path}", pool_size=CONNECTIONS, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # DBOS begins transactions of its own and counts on sqlite3's way for the rest
    connection.isolation_level = "IMMEDIATE"
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    switch_to_wal(connection)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    # DBOS asks SQLite for the time: by strftime('%s', 'now') on Python 3.11, which gives whole
    # seconds and so no order, and later by unixepoch('subsec'), which SQLite before 3.42 lacks
    if sys.version_info < (3, 12):
        connection.create_function("strftime", -1, _now)
    elif sqlite3.sqlite_version_info < (3, 42):
        connection.create_function("unixepoch", -1, _now)


def _now(*_: object) -> float:
    return time.time()

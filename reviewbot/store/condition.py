"""How a database is, without changing it: nothing is made, migrated or written."""

from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, String, column, func, inspect, make_url, select, table, text

from reviewbot.errors import StoreError
from reviewbot.store.engine import connect, errors_in_words
from reviewbot.store.jobs import Beat, JobStore
from reviewbot.store.schema import REVISIONS, VERSION_TABLE

#: How DBOS calls jobs that are not done.
_OPEN = ("PENDING", "ENQUEUED")


class Condition(NamedTuple):
    """What was seen of a database."""

    revision: str
    """Of its schema; empty where there are no tables of ours."""
    newest: str
    """The one that this code knows."""
    bytes: int
    beats: tuple[Beat, ...] = ()
    """Signs of life of workers, the newest first; none of an older schema."""


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite URL, None for another database."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return None
    return Path(parsed.database).expanduser()


def condition(url: str) -> Condition:
    """Connect, see that writing is possible, and measure; on SQLite the file must be there.

    Raises StoreError, saying what to do, if the database can't be used.
    """
    engine = connect(url)
    try:
        with errors_in_words(engine):
            with engine.connect() as connection:
                _try_to_write(connection)
                revision = _revision(connection)
                size = _size(connection)
            current = revision == REVISIONS[-1]
            beats = JobStore(engine).beats() if current else ()
            return Condition(revision, REVISIONS[-1], size, beats)
    finally:
        engine.dispose()


def jobs_waiting(url: str, schema: str | None) -> int | None:
    """Jobs that wait or run; None where there are no tables of jobs. Raises StoreError."""
    engine = connect(url)
    try:
        with errors_in_words(engine), engine.connect() as connection:
            reading = connection.execution_options(reading=True)
            if not inspect(reading).has_table("workflow_status", schema=schema):
                return None
            status = column("status", String)
            jobs = table("workflow_status", status, schema=schema)
            open_ = select(func.count()).select_from(jobs).where(status.in_(_OPEN))
            return int(reading.execute(open_).scalar_one())
    finally:
        engine.dispose()


def _try_to_write(connection: Connection) -> None:
    """Take what a writer takes, and give it back. Raises StoreError."""
    if connection.dialect.name == "sqlite":
        # our connections begin as writers do: SQLite refuses that for what can't be written
        connection.exec_driver_sql("PRAGMA user_version")
        connection.rollback()
    else:
        read_only = connection.execute(text("SHOW transaction_read_only")).scalar()
        connection.rollback()
        if read_only == "on":
            raise StoreError("the PostgreSQL database takes no changes: is it a standby?")


def _revision(connection: Connection) -> str:
    if not inspect(connection).has_table(VERSION_TABLE):
        return ""
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608 (a constant)
    return ", ".join(sorted(found.scalars().all()))


def _size(connection: Connection) -> int:
    if connection.dialect.name == "sqlite":
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar() or 0
        return int(pages) * int(connection.exec_driver_sql("PRAGMA page_size").scalar() or 0)
    return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())

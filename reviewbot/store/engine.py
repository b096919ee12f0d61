"""Connections to SQLite and PostgreSQL, and database errors in words."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
    StatementError,
)

from reviewbot.config.folders import private_folder
from reviewbot.errors import StoreError

#: How long a writer waits for another one, milliseconds.
BUSY_TIMEOUT_MS = 30_000
#: Seconds to wait for a PostgreSQL server to take a connection.
CONNECT_TIMEOUT = 10
#: A process that sleeps within a transaction loses it after so long: others need its locks, ms.
IDLE_MS = 60_000


def connect(url: str) -> Engine:
    """An engine for `sqlite:///FILE` or `postgresql://…`; the folder of a file is made.

    Raises StoreError for a URL that is neither, a folder that can't be made, and a missing
    PostgreSQL driver. Nothing is connected yet.
    """
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, ValueError):
        raise _wrong_url() from None
    if backend == "sqlite":
        return _sqlite(parsed)
    if backend in ("postgresql", "postgres"):
        return _postgresql(parsed)
    raise _wrong_url()


def place(url: URL) -> str:
    """The database in words, without user and password."""
    if url.get_backend_name() == "sqlite":
        return f"the database {url.database}"
    host = url.host or url.query.get("host") or "this machine"
    return f"the PostgreSQL database {url.database} at {host}"


class StoreBusy(StoreError):
    """The database can't be used now; the same may work in a moment."""


@contextmanager
def errors_in_words(engine: Engine) -> Iterator[None]:
    """Turn what goes wrong with the database into a StoreError that says what to do."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise StoreBusy(_in_words(engine.url, error)) from None
    except DBAPIError as error:
        raise StoreError(_in_words(engine.url, error)) from None
    except StatementError as error:  # a value that its column does not take
        raise StoreError(f"{place(engine.url)}: {error.orig or type(error).__name__}") from None
    except SQLAlchemyError as error:
        kind = type(error).__name__
        raise StoreError(f"{place(engine.url)} can't be used ({kind})") from None


def _wrong_url() -> StoreError:
    return StoreError(
        "REVIEWBOT_DATABASE_URL is neither sqlite:///FILE nor postgresql://USER:PASSWORD@HOST/NAME"
    )


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise StoreError("the database must be a file: sqlite:////folder/reviewbot.db")
    path = Path(url.database).expanduser()
    try:
        private_folder(path.parent)
    except OSError as error:
        raise StoreError(
            f"the folder {path.parent} can't be made ({error.strerror}):"
            " set REVIEWBOT_DATA_DIR to a folder that can be written"
        ) from None
    engine = create_engine(
        url.set(drivername="sqlite", database=str(path)),
        hide_parameters=True,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _postgresql(url: URL) -> Engine:
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            hide_parameters=True,
            pool_pre_ping=True,
            connect_args={"connect_timeout": CONNECT_TIMEOUT},
        )
    except ImportError:
        raise StoreError("PostgreSQL needs its driver: pip install 'psycopg[binary]'") from None
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET idle_in_transaction_session_timeout = {IDLE_MS}")
    connection.commit()


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    """Durable and safe for several processes: WAL, fsync at each commit, real foreign keys."""
    connection.isolation_level = None  # `_begin_sqlite` begins transactions
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    switch_to_wal(connection)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def switch_to_wal(connection: sqlite3.Connection) -> None:
    """SQLite does not wait for a lock when it changes the journal, so that is ours to do."""
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _begin_sqlite(connection: Connection) -> None:
    """Writers queue at their BEGIN; a transaction that only reads disturbs nobody."""
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


#: What a driver says, and what to do about it.
_ADVICE = (
    ("is not a database", "it is another kind of file: name another one, or move it away"),
    ("malformed", "it is damaged: restore a backup"),
    ("unable to open", "check that the folder exists and can be written"),
    ("readonly", "check that the file and its folder can be written"),
    ("disk is full", "free some space"),
    ("database is locked", "another process has held it for 30 s"),
    ("password authentication", "check user and password in REVIEWBOT_DATABASE_URL"),
    ("does not exist", "create the database and user first"),
    ("connection", "check that the server runs and the address is right"),
)


def _in_words(url: URL, error: DBAPIError) -> str:
    said = " ".join(str(error.orig).split())[:300]
    for secret in (url.password, *_listed(url.query.get("password"))):
        if secret:
            said = said.replace(str(secret), "***")
    advice = next((text for mark, text in _ADVICE if mark in said.lower()), "")
    return f"{place(url)}: {said}" + (f" ({advice})" if advice else "")


def _listed(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value or ()


def insert_new(connection: Connection, table: Table) -> Any:
    """An INSERT that leaves a row of the same key alone."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()

"""Brings a database to the schema that this code knows, safely with several processes."""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from reviewbot.errors import StoreError
from reviewbot.store.engine import place
from reviewbot.store.schema import REVISIONS, VERSION_TABLE

#: Key of PostgreSQL's advisory lock: any number that no other program uses ("rvwb").
LOCK_KEY = 0x72767762


def migrate(engine: Engine) -> None:
    """Make or upgrade the tables; nothing is done to a database that is up to date.

    Raises StoreError for a database that a newer reviewbot wrote.
    """
    with engine.connect().execution_options(reading=True) as connection:
        if _is_current(connection):
            return
    with engine.begin() as connection:  # on SQLite this holds the write lock already
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})
        if not _is_current(connection):
            _upgrade(connection)


def _is_current(connection: Connection) -> bool:
    """Whether the schema is the newest known. Plain SQL: Alembic takes 0.6 s to import."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return False
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalars().all()  # noqa: S608 (a constant)
    unknown = set(found) - set(REVISIONS)
    if unknown:
        raise StoreError(
            f"{place(connection.engine.url)} was written by a newer reviewbot"
            f" (schema {', '.join(sorted(unknown))}, this one knows {REVISIONS[-1]}):"
            " upgrade reviewbot, or restore a backup of the database"
        )
    return found == [REVISIONS[-1]]


def _upgrade(connection: Connection) -> None:
    # only a new or old database needs it, and it takes 0.6 s to import
    from alembic import command
    from alembic.config import Config

    config = Config()
    folder = str(Path(__file__).with_name("migrations"))
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")

"""Copies of databases that are in use: each whole, as of one moment."""

import os
import shlex
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from sqlalchemy import URL, make_url

from reviewbot.errors import StoreError
from reviewbot.store.engine import BUSY_TIMEOUT_MS, place

#: The programs of PostgreSQL that make copies, and read them again.
DUMP, RESTORE = "pg_dump", "pg_restore"


class Copy(NamedTuple):
    """A database's file, and where its copy goes."""

    source: Path
    target: Path


def copy_sqlite(copies: Sequence[Copy]) -> None:
    """Copy SQLite databases as of one moment, by SQLite's online backup: writers go on.

    All are frozen first, in this order, within a millisecond or so; a later one may know a little
    more than one before it, never less. Raises StoreError.
    """
    with ExitStack() as stack:
        frozen = [stack.enter_context(closing(_frozen(copy.source))) for copy in copies]
        for live, copy in zip(frozen, copies, strict=True):
            _copy(live, copy)


def _frozen(source: Path) -> sqlite3.Connection:
    """A connection that sees the database as it is now, whatever is written meanwhile."""
    address = f"file:{quote(str(source.absolute()))}?mode=rw"  # rw: it never makes a file
    try:
        live = sqlite3.connect(
            address, uri=True, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None
        )
        live.execute("BEGIN")
        live.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the moment is now
    except sqlite3.Error as error:
        raise StoreError(f"{source} can't be read: {error}") from None
    return live


def _copy(live: sqlite3.Connection, copy: Copy) -> None:
    try:
        os.close(os.open(copy.target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(sqlite3.connect(copy.target)) as made:
            live.backup(made)
            found = made.execute("PRAGMA quick_check").fetchone()[0]
            made.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
        with copy.target.open("rb+") as file:
            os.fsync(file.fileno())
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{copy.source} can't be copied: {error}") from None
    if found != "ok":
        raise StoreError(f"{copy.source} is damaged: {str(found)[:200]}; take an older backup")


def dump_command(url: str, target: Path) -> list[str]:
    """What copies a PostgreSQL database into a file; the password is not in it."""
    return [DUMP, "--format=custom", f"--file={target}", f"--dbname={_address(make_url(url))}"]


def dump_words(url: str, target: Path) -> str:
    """The same, to be typed."""
    return shlex.join(dump_command(url, target))


def dump_postgresql(url: str, target: Path) -> None:
    """Run pg_dump: everything as of one moment, jobs among it. Raises StoreError."""
    parsed = make_url(url)
    secret = {"PGPASSWORD": str(parsed.password)} if parsed.password else {}
    command = [shutil.which(DUMP) or DUMP, *dump_command(url, target)[1:]]
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        subprocess.run(
            command, env={**os.environ, **secret}, stdin=subprocess.DEVNULL, capture_output=True,
            check=True, text=True, errors="replace",
        )  # fmt: skip
    except OSError as error:
        raise StoreError(f"{DUMP} can't be run: {error.strerror}") from None
    except subprocess.CalledProcessError as error:
        said = " ".join(str(error.stderr).split())[:300]
        raise StoreError(f"{place(parsed)} can't be copied: {said}") from None


def _address(url: URL) -> str:
    """As PostgreSQL's own programs read it."""
    plain = URL.create(
        "postgresql", url.username, None, url.host, url.port, url.database,
        {name: value for name, value in url.query.items() if name != "password"},
    )  # fmt: skip
    return plain.render_as_string(hide_password=False)

"""A backup: the databases in a folder of their own, and a note of what they are."""

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from reviewbot import __version__
from reviewbot.config.folders import private_folder
from reviewbot.config.settings import Settings
from reviewbot.errors import StoreError, UsageError
from reviewbot.store.backup import DUMP, Copy, copy_sqlite, dump_postgresql, dump_words
from reviewbot.store.condition import condition, sqlite_file

#: Files of a backup.
LEDGER, JOBS, DUMPED, NOTE = "reviewbot.db", "jobs.db", "reviewbot.pgdump", "backup.json"
#: What the data folder holds beside the databases: keys are kept elsewhere, the rest is made anew.
_NOT_COPIED = ("app", "marker.key")


class Backup(NamedTuple):
    """What was made."""

    folder: Path
    files: tuple[tuple[str, int], ...]
    """Names and bytes."""
    left_out: tuple[Path, ...]
    """Secrets that a restored service needs, too."""


def back_up(settings: Settings, folder: Path, now: datetime) -> Backup:
    """Copy all databases into `folder`, whole or not at all.

    Raises UsageError for a folder that holds something, and with the command to run where pg_dump
    is missing; StoreError if a database can't be copied.
    """
    _check(folder)
    revision = condition(settings.database).revision if _there(settings) else ""
    if not revision:
        raise UsageError(f"there is nothing to copy yet at {_where(settings)}")
    file = sqlite_file(settings.database)
    if file is None and not shutil.which(DUMP):
        words = dump_words(settings.database, folder / DUMPED)
        raise UsageError(f"{DUMP} is not on this machine. Where it is, run: {words}")
    new = _beside(folder)
    try:
        if file is None:
            dump_postgresql(settings.database, new / DUMPED)
        else:
            copy_sqlite(_copies(settings, file, new))
        made = tuple((each.name, each.stat().st_size) for each in sorted(new.iterdir()))
        _note(new, made, revision, now)
        os.rename(new, folder)
    except OSError as error:
        raise StoreError(f"{folder} can't be written: {error.strerror}") from None
    finally:
        shutil.rmtree(new, ignore_errors=True)
    left = (settings.data_dir / name for name in _NOT_COPIED)
    return Backup(folder, made, tuple(path for path in left if path.exists()))


def _copies(settings: Settings, file: Path, new: Path) -> Sequence[Copy]:
    """Jobs first: a job that does not know yet that it has an answer finds it in the ledger's
    database; one that knew of an answer that is not there would be lost."""
    jobs = [Copy(settings.jobs_file, new / JOBS)] if settings.jobs_file.is_file() else []
    return [*jobs, Copy(file, new / LEDGER)]


def _check(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty: give each backup a folder of its own")


def _beside(folder: Path) -> Path:
    """A folder that becomes `folder` in the end, on the same disk, for us alone."""
    try:
        private_folder(folder.absolute().parent)
        return Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.absolute().parent))
    except OSError as error:
        raise StoreError(f"{folder} can't be written: {error.strerror}") from None


def _there(settings: Settings) -> bool:
    file = sqlite_file(settings.database)
    return file is None or file.is_file()


def _where(settings: Settings) -> str:
    file = sqlite_file(settings.database)
    return str(file) if file else "the PostgreSQL database"


def _note(new: Path, made: Sequence[tuple[str, int]], revision: str, now: datetime) -> None:
    facts = {
        "schema": 1,
        "made_at": now.isoformat(timespec="seconds"),
        "reviewbot": __version__,
        "revision": revision,
        "files": dict(made),
    }
    (new / NOTE).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    (new / NOTE).chmod(0o600)

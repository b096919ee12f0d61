"""Checks of the databases, the worker that beats in them, and the disk below."""

import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from reviewbot.config.kept_app import FOLDER
from reviewbot.config.settings import JOBS_SCHEMA, Settings
from reviewbot.errors import StoreError
from reviewbot.setup.checks import Check, off, ok, wrong
from reviewbot.store.condition import Condition, condition, jobs_waiting, sqlite_file
from reviewbot.store.jobs import BEAT_FRESH

#: Room below which a busy day could fill the disk, bytes.
LEAST_FREE = 1024**3


def database(settings: Settings) -> Iterator[Check]:
    """The ledger's database, and the worker that says in it that it is alive."""
    try:
        file = sqlite_file(settings.database)
        if file is not None and not file.exists():
            yield off("database", f"{file} is not there yet", "the first start makes it")
            return
        seen = condition(settings.database)
    except StoreError as error:
        yield wrong("database", str(error), "check REVIEWBOT_DATABASE_URL")
        return
    yield ok("database", f"{'PostgreSQL' if file is None else file} can be written")
    yield _schema(seen)
    yield ok("size", _bytes(seen.bytes + (_beside(settings) if file else 0)))
    yield _jobs(settings, embedded=file is not None)
    yield _worker(seen)


def _schema(seen: Condition) -> Check:
    if seen.revision == seen.newest:
        return ok("schema", f"revision {seen.revision}")
    found = f"revision {seen.revision}" if seen.revision else "no tables of ours"
    return wrong(
        "schema",
        f"{found}, this reviewbot needs {seen.newest}",
        "`reviewbot serve` brings it up to date",
    )


def _jobs(settings: Settings, *, embedded: bool) -> Check:
    if embedded and not settings.jobs_file.is_file():
        return off("jobs", f"{settings.jobs_file} is not there yet", "the first start makes it")
    url = f"sqlite:///{settings.jobs_file}" if embedded else settings.database
    try:
        waiting = jobs_waiting(url, None if embedded else JOBS_SCHEMA)
    except StoreError as error:
        return wrong("jobs", str(error), "restore it: docs/operating.md")
    if waiting is None:
        return off("jobs", "no tables of jobs yet", "the first start makes them")
    return ok("jobs", f"{waiting} wait or run")


def _beside(settings: Settings) -> int:
    return settings.jobs_file.stat().st_size if settings.jobs_file.is_file() else 0


def _worker(seen: Condition) -> Check:
    if not seen.beats:
        return off("worker", "none runs", "`reviewbot serve` starts one")
    newest = seen.beats[0]
    silent = max(0.0, (datetime.now(UTC) - newest.seen_at).total_seconds())
    if silent > BEAT_FRESH.total_seconds():
        when = f"{newest.seen_at:%Y-%m-%d %H:%M} UTC"
        return wrong(
            "worker", f"gave its last sign of life {when}", "see its log, and start it again"
        )
    engines = newest.engines or "no model"
    return ok("worker", f"alive {silent:.0f} s ago, with {engines}")


def disk(settings: Settings, *, least_free: int = LEAST_FREE) -> Iterator[Check]:
    """Room, and who else may read what is kept."""
    folder = settings.data_dir
    above = next(each for each in (folder, *folder.parents) if each.exists())
    free = shutil.disk_usage(above).free
    if free < least_free:
        yield wrong(
            "room", f"{_bytes(free)} free at {above}", "free some, or move REVIEWBOT_DATA_DIR"
        )
    else:
        yield ok("room", f"{_bytes(free)} free at {above}")
    if not folder.exists():
        yield off("folder", f"{folder} is not there yet", "the first start makes it")
        return
    yield from _modes(folder)


def _modes(folder: Path) -> Iterator[Check]:
    if not folder.is_dir():
        yield wrong("folder", f"{folder} is no folder", "set REVIEWBOT_DATA_DIR to one")
        return
    secrets = [folder / "marker.key", folder / "login.json", folder / FOLDER]
    inner = folder / FOLDER
    secrets += sorted(inner.iterdir()) if inner.is_dir() else []
    open_ = [path for path in secrets if path.exists() and _others(path)]
    if _others(folder):
        yield wrong("folder", f"others on this machine can read {folder}", f"chmod 700 {folder}")
    else:
        yield ok("folder", f"{folder} is for us alone")
    for path in open_:
        yield wrong("secret", f"others could read {path}", f"chmod go= {path}")


def _others(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def _bytes(count: int) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            break
        count //= 1024
    return f"{count} {unit}"

"""Checks of versions, and of the files that the operator wrote."""

import platform
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from reviewbot import __version__, operator_files
from reviewbot.config.settings import Settings
from reviewbot.errors import ReviewbotError
from reviewbot.setup.checks import Check, off, ok, wrong

#: The oldest SQLite whose SQL we use (RETURNING).
OLDEST_SQLITE = (3, 35, 0)


#: Programs that are used where they are there, and for what.
_PROGRAMS = {
    "git": "reviews of a range and the forecast need it",
    "ruff": "pip install ruff: it reads changed Python",
    "squawk": "pip install squawk-cli: it reads PostgreSQL migrations",
    "zizmor": "pip install zizmor: it reads GitHub workflows",
}


def versions(
    settings: Settings, *, sqlite: tuple[int, ...] = sqlite3.sqlite_version_info
) -> Iterator[Check]:
    """What runs here."""
    yield ok("reviewbot", f"{__version__} on Python {platform.python_version()}")
    found, needed = ".".join(map(str, sqlite)), ".".join(map(str, OLDEST_SQLITE))
    if sqlite < OLDEST_SQLITE:
        yield wrong(
            "SQLite", found, f"{needed} or newer is needed: take a newer Python, or PostgreSQL"
        )
    else:
        yield ok("SQLite", found)
    yield _package(
        "llama-cpp-python",
        "`make llama BIN=…/bin` in a clone builds it, to have a model on this machine",
    )
    if settings.database.startswith("postgresql"):
        yield _package("psycopg", "pip install 'psycopg[binary]'", needed=True)
    yield _driver()
    for program, use in _PROGRAMS.items():
        path = shutil.which(program) or shutil.which(program, path=str(Path(sys.executable).parent))
        yield ok(program, path) if path else off(program, "is not installed", use)


def _package(name: str, todo: str, *, needed: bool = False) -> Check:
    try:
        return ok(name, version(name))
    except PackageNotFoundError:
        return (
            wrong(name, "is not installed", todo) if needed else off(name, "is not installed", todo)
        )


def _driver() -> Check:
    try:
        import pynvml  # an extra
    except ImportError:
        return off("NVIDIA driver", "no card is looked for: nvidia-ml-py is not installed")
    try:
        pynvml.nvmlInit()
        return ok("NVIDIA driver", str(pynvml.nvmlSystemGetDriverVersion()))
    except pynvml.NVMLError:
        return off("NVIDIA driver", "none, or no card")


def documents(settings: Settings) -> Iterator[Check]:
    """Rules, policy and prices of the operator's own, read as the service reads them."""
    loads: tuple[tuple[str, str, object, Callable[[Settings], object]], ...] = (
        ("rules", "RULES", settings.rules, operator_files.rules),
        ("policy", "POLICY", settings.policy, operator_files.operator_policy),
        ("prices", "PRICES_FILE", settings.prices_file, operator_files.prices),
    )
    for name, variable, path, load in loads:
        try:
            load(settings)
        except ReviewbotError as error:
            yield wrong(name, str(error), f"mend the file, or unset REVIEWBOT_{variable}")
        else:
            shipped = "those that are shipped" if name == "rules" else "none of your own"
            yield ok(name, f"{path} loads" if path else shipped)

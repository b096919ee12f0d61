"""Writes the App's key and secrets into the data folder: whole or not at all, for us alone."""

import json
import os
import secrets
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from reviewbot.config.folders import private_folder
from reviewbot.config.kept_app import (
    FACTS,
    MARKER_KEY,
    PRIVATE_KEY,
    WEBHOOK_SECRET,
    KeptApp,
    app_folder,
    kept_app,
)
from reviewbot.errors import SettingsError, StoreError, UsageError

#: Bytes of the key that signs hidden marks.
MARKER_BYTES = 32


def check_free(data_dir: Path, *, replace: bool) -> None:
    """Raises UsageError if an App is kept there that nobody wants to replace, StoreError if nothing
    can be written there: before an App is made whose key could not be kept."""
    try:
        known = kept_app(data_dir)
        name = f"{known.slug} (id {known.id})" if known else ""
    except SettingsError:  # damaged: still nothing to write over
        name = "another"
    if name and not replace:
        raise UsageError(
            f"an App is set up already: {name}, kept in {app_folder(data_dir)}."
            " `--replace` moves its files aside and makes another"
        )
    try:
        private_folder(data_dir)
        os.rmdir(tempfile.mkdtemp(prefix=".app.", dir=data_dir))
    except OSError as error:
        raise _unwritable(data_dir, error) from None


def keep(
    data_dir: Path, app: KeptApp, private_key: str, webhook_secret: str, *, replace: bool
) -> Path:
    """Write an App, and say where. An older one is moved aside, if it is to be replaced.

    Raises StoreError if it can't be written where it belongs; if it could be written beside, the
    message says where: GitHub shows the key only once.
    """
    folder = app_folder(data_dir)
    try:
        private_folder(data_dir)
        new = Path(tempfile.mkdtemp(prefix=".app.", dir=data_dir))  # mode 0700
        for name, text in {
            FACTS: json.dumps(asdict(app), indent=2),
            PRIVATE_KEY: private_key.strip(),
            WEBHOOK_SECRET: webhook_secret,
            MARKER_KEY: secrets.token_hex(MARKER_BYTES),
        }.items():
            _write(new / name, text + "\n")
    except OSError as error:
        raise _unwritable(data_dir, error) from None
    try:
        if replace and folder.exists():
            os.rename(folder, _aside(folder))
        os.rename(new, folder)  # fails if there is anything
        _sync(data_dir)
    except OSError as error:
        raise StoreError(
            f"{folder} can't be written ({error.strerror}): the new App's files are in {new}"
        ) from None
    return folder


def _aside(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.replaced-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")


def _write(path: Path, text: str) -> None:
    """Readable by us alone, whatever the umask says, and on disk when this returns."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _unwritable(folder: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{folder} can't be written ({error.strerror}): set REVIEWBOT_DATA_DIR to a folder that can"
    )

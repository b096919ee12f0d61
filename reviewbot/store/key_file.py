"""A random key that stays with the data folder."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from reviewbot.config.folders import private_folder
from reviewbot.errors import StoreError

#: Random bytes; two hexadecimal digits each in the file.
SIZE = 32


def kept_key(path: Path) -> bytes:
    """The key in this file, which is made when it is first asked for and readable by its owner
    alone. Raises StoreError."""
    try:
        if not path.exists():
            _make(path)
        key = path.read_bytes().strip()
    except OSError as error:
        raise StoreError(
            f"{path} can't be used ({error.strerror}): set REVIEWBOT_MARKER_KEY, or"
            " REVIEWBOT_DATA_DIR to a folder that can be written"
        ) from None
    if len(key) != 2 * SIZE:
        raise StoreError(f"{path} is damaged: delete it")
    return key


def _make(path: Path) -> None:
    """Whole or not at all; of several processes at once, the first one's holds."""
    private_folder(path.parent)
    with NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.") as new:  # mode 0600
        new.write(secrets.token_hex(SIZE) + "\n")
        new.flush()
        os.fsync(new.fileno())
        with suppress(FileExistsError):
            os.link(new.name, path)

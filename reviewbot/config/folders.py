"""Folders for what nobody else should read: code of private repositories, keys."""

from pathlib import Path


def private_folder(path: Path) -> None:
    """Make the folder and what is missing above it, for us alone; what is there stays as it is.
    Raises OSError."""
    missing = [each for each in (path, *path.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
    path.mkdir(exist_ok=True)  # says it if a file stands in the way

"""The GitHub App that `reviewbot setup` made, as it is kept in the data folder.

A folder of its own, readable by its owner alone. The private key is a file apart, read only where
tokens are minted.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reviewbot.errors import SettingsError

#: The folder within the data folder, and its files.
FOLDER = "app"
FACTS, PRIVATE_KEY = "app.json", "private-key.pem"
WEBHOOK_SECRET, MARKER_KEY = "webhook-secret", "marker-key"


@dataclass(frozen=True)
class KeptApp:
    """What is known of the App, none of it secret."""

    id: int
    slug: str
    html_url: str
    """Its page at GitHub."""
    api_url: str
    delivery: str
    """`webhook` or `poll`."""
    extras: tuple[str, ...] = field(default=())
    """Options of `reviewbot setup` that it was made with."""


def app_folder(data_dir: Path) -> Path:
    """Where the App is kept."""
    return data_dir / FOLDER


def kept_app(data_dir: Path) -> KeptApp | None:
    """The App of this data folder, None without one. Raises SettingsError if it can't be read."""
    path = app_folder(data_dir) / FACTS
    try:
        facts = json.loads(path.read_bytes())
        return KeptApp(
            id=_whole(facts["id"]),
            slug=str(facts["slug"]),
            html_url=str(facts["html_url"]),
            api_url=str(facts["api_url"]),
            delivery=str(facts["delivery"]),
            extras=tuple(str(name) for name in facts["extras"]),
        )
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, TypeError, KeyError):
        raise SettingsError(
            f"{path} is damaged: restore it, or move {path.parent} away and run `reviewbot setup`"
        ) from None


def kept_secret(data_dir: Path, name: str) -> str:
    """One of the App's secrets. Raises SettingsError if it can't be read."""
    path = app_folder(data_dir) / name
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read {path}: {error}") from None


def _whole(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise ValueError("no id")
    return value

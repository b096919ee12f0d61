"""Replayed changes kept between forecasts: one file of JSON lines for each state of the inputs.

It only saves time, and may be deleted whenever nothing reads it.
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from reviewbot.errors import StoreError
from reviewbot.reporting.replay import Replayed


class ReplayCache:
    """What was replayed before under the same inputs, by commit.

    `key` names the inputs: rules, policy, guidelines and the code itself. Several processes may
    use one file: lines are appended whole, and one that can't be read is as good as none.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._path = folder / f"{key}.jsonl"

    def load(self) -> dict[str, Replayed]:
        """SHA → what it came to; empty where there is nothing."""
        found: dict[str, Replayed] = {}
        try:
            lines = self._path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return found
        except OSError as error:
            raise StoreError(f"cannot read {self._path}: {error.strerror}") from None
        for line in lines:
            with suppress(ValueError, KeyError, TypeError, AttributeError):
                one = Replayed.from_json(json.loads(line))
                found[one.sha] = one
        return found

    def add(self, replayed: Iterable[Replayed]) -> None:
        """Keep them. Raises StoreError where that can't be written."""
        lines = "".join(json.dumps(each.to_json()) + "\n" for each in replayed)
        if not lines:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.write(b"\n" + lines.encode())  # whatever broke off before ends here
        except OSError as error:
            raise StoreError(f"cannot write {self._path}: {error.strerror}") from None

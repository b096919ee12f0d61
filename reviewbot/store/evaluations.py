"""An evaluation's folder: what it is about, the models' answers, and the reviews they came to.

Lines are appended whole; one that broke off is as good as none, and is asked for again.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

from reviewbot.errors import StoreError


class EvaluationFolder:
    """The files of one evaluation. Safe to use from several threads of one process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StoreError(f"cannot make {path}: {error.strerror}") from None

    @property
    def database(self) -> str:
        """Address of its ledger."""
        return f"sqlite:///{self.path / 'ledger.db'}"

    def about(self) -> dict[str, Any] | None:
        """What it is about; None for a new one. Raises StoreError."""
        found = list(self._lines("run.json"))
        return found[0] if found else None

    def begin(self, about: Mapping[str, Any]) -> None:
        """Write down what it is about."""
        self._append("run.json", about)

    def answers(self) -> dict[str, Any]:
        """Key → answer."""
        return {line["key"]: line["answer"] for line in self._lines("answers.jsonl")}

    def add_answer(self, key: str, answer: Any) -> None:
        self._append("answers.jsonl", {"key": key, "answer": answer})

    def results(self) -> list[dict[str, Any]]:
        """All reviews, in the order in which they ended."""
        return list(self._lines("results.jsonl"))

    def add_result(self, result: Mapping[str, Any]) -> None:
        self._append("results.jsonl", result)

    def _lines(self, name: str) -> Iterator[dict[str, Any]]:
        try:
            lines = (self.path / name).read_bytes().split(b"\n")
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(f"cannot read {self.path / name}: {error.strerror}") from None
        for line in lines:
            with suppress(ValueError):
                found = json.loads(line)
                if isinstance(found, dict):
                    yield found

    def _append(self, name: str, data: Mapping[str, Any]) -> None:
        line = json.dumps(data, sort_keys=True).encode()
        try:
            with self._lock, (self.path / name).open("ab") as file:
                file.write(b"\n" + line if file.tell() else line)  # what broke off before ends here
        except OSError as error:
            raise StoreError(f"cannot write {self.path / name}: {error.strerror}") from None

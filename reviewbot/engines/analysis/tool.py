"""What every analyser is: the port its module fills, and what it is handed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from reviewbot.change.model import FileChange
from reviewbot.privacy.invisible import escape_invisible
from reviewbot.review.answer import MAX_BODY, MAX_TITLE
from reviewbot.review.evidence import Evidence


class ToolFailed(Exception):
    """A tool that crashed, hung or said what nobody can read; the message says which, no more."""


class ToolMissing(ToolFailed):
    """A program that is not installed."""


@dataclass(frozen=True)
class Target:
    """One changed file."""

    file: FileChange
    text: str | None
    """Its whole text after the change, if its source gave that; proved to agree with the diff."""

    @cached_property
    def added(self) -> Mapping[int, str]:
        """Added lines by number: the only ones on which a remark counts."""
        if not self.file.commentable:
            return {}
        return {
            line.new: line.text
            for line in self.file.lines()
            if line.marker == "+" and line.new is not None
        }


class Tool(Protocol):
    """One analyser. It never raises for what a file holds."""

    @property
    def name(self) -> str:
        """The word for it in findings and notices."""
        ...

    @property
    def needs_text(self) -> bool:
        """It reads whole files; without their text they are not its business."""
        ...

    def wants(self, file: FileChange) -> bool:
        """Whether it has anything to say of such a file."""
        ...

    def run(self, targets: Sequence[Target], programs: Sequence[Path]) -> Iterable[Evidence]:
        """Its remarks, on any line. `programs`: folders in which programs are looked for.

        Raises ToolMissing if it needs a program that is not there, ToolFailed if it could not work.
        """
        ...


def plain(text: str, limit: int) -> str:
    """A tool's words, which may quote the file, fit for people: nothing hidden, no endless line."""
    shown = " ".join(escape_invisible(text).split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def title_of(text: str) -> str:
    return plain(text, MAX_TITLE)


def body_of(text: str) -> str:
    return plain(text, MAX_BODY)

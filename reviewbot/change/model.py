"""A change as immutable records: files → hunks → lines."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Literal, NamedTuple

from reviewbot.change.tokens import estimate_tokens

Side = Literal["LEFT", "RIGHT"]
"""GitHub's word for the old (LEFT) or the new (RIGHT) text of a file."""


class Kind(StrEnum):
    """What a file is."""

    SOURCE = "source"
    TEST = "test"
    DOCS = "docs"
    CONFIG = "config"
    MANIFEST = "manifest"
    LOCKFILE = "lockfile"
    GENERATED = "generated"
    VENDORED = "vendored"
    TRANSLATION = "translation"
    MIGRATION = "migration"
    BINARY = "binary"


class Status(StrEnum):
    """What happened to a file."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"
    RENAMED = "renamed"
    COPIED = "copied"


class Line(NamedTuple):
    """One line of a hunk, without its line feed (a carriage return before it is kept)."""

    marker: Literal[" ", "+", "-"]
    text: str
    old: int | None
    """1-based number in the old file; None for an added line."""
    new: int | None
    """1-based number in the new file; None for a removed line."""

    @property
    def side(self) -> Side:
        """The side on which GitHub takes a comment on this line."""
        return "LEFT" if self.marker == "-" else "RIGHT"

    @property
    def number(self) -> int:
        """The line's number on its `side`."""
        return (self.old if self.marker == "-" else self.new) or 0


@dataclass(frozen=True)
class Hunk:
    """One block of a file's diff. `body` holds its lines as written, markers included."""

    old_start: int
    old_count: int
    new_start: int
    new_count: int
    section: str
    """What follows the second `@@`: git's guess at the enclosing function."""
    body: tuple[str, ...]
    """Lines with their marker (" ", "+", "-"); no "\\ No newline" lines."""
    old_no_newline: bool = False
    """The old file ends in this hunk without a line feed."""
    new_no_newline: bool = False

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """The numbered lines, made when first asked for."""
        old, new = self.old_start, self.new_start
        lines = []
        for raw in self.body:
            marker, text = raw[:1], raw[1:]
            if marker == "+":
                lines.append(Line("+", text, None, new))
                new += 1
            elif marker == "-":
                lines.append(Line("-", text, old, None))
                old += 1
            else:
                lines.append(Line(" ", text, old, new))
                old += 1
                new += 1
        return tuple(lines)

    @cached_property
    def tokens(self) -> int:
        """Estimated tokens of its text."""
        return estimate_tokens("\n".join(self.body))

    @cached_property
    def added(self) -> tuple[str, ...]:
        """Texts of the added lines."""
        return tuple([raw[1:] for raw in self.body if raw[:1] == "+"])

    @cached_property
    def removed(self) -> tuple[str, ...]:
        """Texts of the removed lines."""
        return tuple([raw[1:] for raw in self.body if raw[:1] == "-"])


@dataclass(frozen=True)
class FileChange:
    """What happens to one file."""

    path: str
    """The file's path after the change (before it, if deleted)."""
    status: Status
    old_path: str | None = None
    """The path before a rename or copy."""
    kind: Kind = Kind.SOURCE
    hunks: tuple[Hunk, ...] = ()
    old_mode: str | None = None
    new_mode: str | None = None
    is_binary: bool = False
    is_submodule: bool = False
    is_combined: bool = False
    """From a merge's combined diff (`diff --cc`), or from the diffs of several commits one after the
    other: its lines have no single number."""
    patch_missing: bool = False
    """The host sent no text for it (too large): known by path only, and declared so."""
    language: str | None = None
    """identify's tag for the language, or None."""

    @cached_property
    def added_count(self) -> int:
        """Number of added lines."""
        return sum(len(hunk.added) for hunk in self.hunks)

    @cached_property
    def removed_count(self) -> int:
        """Number of removed lines."""
        return sum(len(hunk.removed) for hunk in self.hunks)

    @property
    def commentable(self) -> bool:
        """Whether GitHub shows a diff of it, and so takes comments on the lines of its hunks."""
        return bool(self.hunks) and not (self.is_binary or self.is_combined or self.patch_missing)

    def lines(self) -> Iterator[Line]:
        """All lines of all hunks."""
        for hunk in self.hunks:
            yield from hunk.lines

    @cached_property
    def by_number(self) -> dict[tuple[Side, int], tuple[int, Line]]:
        """(side, number) → (index of the hunk, line), for lines GitHub takes a comment on.

        A context line stands on RIGHT only: that is where reviewbot comments on it.
        """
        if not self.commentable:
            return {}
        return {
            (line.side, line.number): (index, line)
            for index, hunk in enumerate(self.hunks)
            for line in hunk.lines
        }


@dataclass(frozen=True)
class Change:
    """What a pull request, a range or a diff file changes."""

    files: tuple[FileChange, ...]
    title: str = ""
    description: str = ""
    base: str | None = None
    """Commit SHA the change is made against, where known."""
    head: str | None = None
    repository: str | None = None
    """`owner/name` on GitHub, or the folder's name."""
    number: int | None = None
    """Pull request number."""
    missing_files: int = 0
    """Files the host counts but did not list (over its 3,000): declared, never silent."""

    @cached_property
    def by_path(self) -> dict[str, FileChange]:
        """Files by their path after the change."""
        return {file.path: file for file in self.files}


@dataclass(frozen=True)
class Sources:
    """Texts of files at the head (and base) that the change's host could give; never required."""

    head: dict[str, str] = field(default_factory=dict)
    """path → whole text after the change."""
    base: dict[str, str] = field(default_factory=dict)
    """path → whole text before the change (by the old path)."""
    absent: frozenset[str] = frozenset()
    """Paths that were asked for beside the change, and are not there after it."""

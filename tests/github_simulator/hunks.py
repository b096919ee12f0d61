"""Where a diff can be commented."""

import re
from typing import NamedTuple

from github_simulator.content import ListedFile

_HEADER = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


class Place(NamedTuple):
    """A line of a file's patch."""

    hunk: int
    """Which hunk, from 0."""
    position: int
    """Lines below the first hunk's header."""
    excerpt: str
    """The hunk down to this line."""


def places(file: ListedFile) -> dict[tuple[str, int], Place]:
    """Every line that takes a comment, by side and number: deletions on the LEFT, all else on the
    RIGHT, as the documentation of a review's `side` says."""
    found: dict[tuple[str, int], Place] = {}
    old = new = hunk = first = 0
    lines = file.patch.split("\n") if file.patch else []
    for position, line in enumerate(lines):
        if header := _HEADER.match(line):
            old, new, first = int(header[1]), int(header[3]), position
            hunk += 1
            continue
        place = Place(hunk - 1, position, "\n".join(lines[first : position + 1]))
        if line[:1] == "-":
            found["LEFT", old] = place
        elif line[:1] in ("+", " "):
            found["RIGHT", new] = place
        old += line[:1] in ("-", " ")
        new += line[:1] in ("+", " ")
    return found


def moved_line(hunks: str, line: int) -> int | None:
    """Where `line` is after a diff without context; None if it was changed."""
    shift = 0
    for header in _HEADER.finditer(hunks):
        start, count = int(header[1]), int(header[2] or 1)
        added = int(header[4] or 1)
        if not count:
            start += 1
        if line < start:
            break
        if line < start + count:
            return None
        shift += added - count
    return line + shift

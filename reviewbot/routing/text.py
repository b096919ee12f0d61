"""The changed lines of one file as one text, and the way back to their numbers."""

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property

from reviewbot.change.model import FileChange, Side

#: Longest part of one line that is matched, characters: longer ones are minified or data.
MAX_LINE = 2_000
_FORMATTING = str.maketrans("", "", " \t\"'`,;()")


class ChangedText:
    """All added lines of a file, then all removed ones. Rows count from 0 through both."""

    def __init__(self, file: FileChange) -> None:
        self._file = file
        lines = [line for hunk in file.hunks for line in hunk.added]
        self.added = len(lines)
        """Number of added lines: the row of the first removed one."""
        for hunk in file.hunks:
            lines += hunk.removed
        self.cut = bool(lines) and max(map(len, lines)) > MAX_LINE
        """Some line is longer than `MAX_LINE`; only its beginning is in `data`."""
        text = "\n".join(lines)
        if self.cut or "\r" in text:
            lines = [_shortened(line) for line in lines]
            text = "\n".join(lines)
        self.lines = lines
        self.data = text.encode("utf-8", "replace")

    @cached_property
    def starts(self) -> list[int]:
        """Offset of each row in `data`, and one more for the end."""
        starts, end = [0], 0
        for line in self.data.split(b"\n"):
            end += len(line) + 1
            starts.append(end)
        return starts

    def row(self, offset: int) -> int:
        """The row that holds the byte at `offset`."""
        return min(bisect_right(self.starts, offset), len(self.lines)) - 1

    def place(self, row: int) -> tuple[Side, int]:
        """Side and number in the diff of the line that a row is.

        Counted in the one hunk that holds it: numbering all lines of a file costs more than
        matching them.
        """
        side: Side = "RIGHT" if row < self.added else "LEFT"
        left = row if side == "RIGHT" else row - self.added
        for hunk in self._file.hunks:
            marked = hunk.added if side == "RIGHT" else hunk.removed
            if left < len(marked):
                start = hunk.new_start if side == "RIGHT" else hunk.old_start
                return side, start + _lines_before(hunk.body, side, left)
            left -= len(marked)
        raise IndexError(row)

    def stays(self, row: int, *, gone_only: bool = False) -> bool:
        """Whether the other side has the same line, so that nothing came or went.

        What formatters change does not count; another indent does, since a check may have moved
        under a condition. With `gone_only` it does not: what comes again anywhere is not gone.
        """
        form = _form(self.lines[row])
        others = self._removed_forms if row < self.added else self._added_forms
        return form in others or (gone_only and form[1] in self._added_texts)

    @cached_property
    def _added_forms(self) -> frozenset[tuple[int, str]]:
        return frozenset([_form(line) for line in self.lines[: self.added]])

    @cached_property
    def _removed_forms(self) -> frozenset[tuple[int, str]]:
        return frozenset([_form(line) for line in self.lines[self.added :]])

    @cached_property
    def _added_texts(self) -> frozenset[str]:
        return frozenset([text for _, text in self._added_forms])


def _lines_before(body: Sequence[str], side: Side, nth: int) -> int:
    """Lines of one side that stand before its `nth` (from 0) changed line."""
    marker, other = ("+", "-") if side == "RIGHT" else ("-", "+")
    before = 0
    for raw in body:
        first = raw[:1]
        if first == marker:
            if nth == 0:
                break
            nth -= 1
        before += first != other
    return before


def _form(line: str) -> tuple[int, str]:
    """A line's indent, and its text without what formatters change: blanks, quotes, commas."""
    return len(line) - len(line.lstrip()), line.translate(_FORMATTING)


def _shortened(line: str) -> str:
    """The line's beginning, blanks squeezed first: padding must not push code out of sight."""
    line = line.rstrip("\r").replace("\r", " ")
    return line if len(line) <= MAX_LINE else " ".join(line.split())[:MAX_LINE]

"""The changed lines of one file as one text, and the way back to their places."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from reviewbot.change.model import FileChange, Hunk, Side
from reviewbot.routing.expressions import expression, is_condition
from reviewbot.routing.talk import Syntax, Talk, needs_surroundings, syntax_of

#: Longest part of one line that is matched, characters: longer ones are minified or data.
MAX_LINE = 2_000
_WORD = re.compile(r"\w+")
#: What formatters keep: words, and signs that are no brackets, quotes or commas.
_SIGNS = re.compile(r"\w+|[^\w\s\"'`,;()\[\]{}\\]+")
_ADDRESS = re.compile(r"https?://[^\s\"'`<>)]*$")
_FORMATTING = str.maketrans("", "", " \t\"'`,;()")


class ChangedText:
    """All added lines of a file, then all removed ones. Rows count from 0 through both."""

    def __init__(self, file: FileChange) -> None:
        self._file = file
        added = [line for hunk in file.hunks for line in hunk.added]
        removed = [line for hunk in file.hunks for line in hunk.removed]
        longest = max(max(map(len, added), default=0), max(map(len, removed), default=0))
        self.cut = longest > MAX_LINE
        """Some line is longer than `MAX_LINE`; only its beginning is in `data`."""
        self._added, self._removed = _joined(added, self.cut), _joined(removed, self.cut)
        self.rows_added = len(added)
        """Number of added lines: the row of the first removed one."""
        first = self._added.encode("utf-8", "replace")
        self.removed_at = len(first) + 1 if added else 0
        """Offset in `data` of the first removed line."""
        second = self._removed.encode("utf-8", "replace")
        self.data = first + b"\n" + second if added and removed else first or second
        self.has_both = bool(added) and bool(removed)
        self._sides: dict[tuple[int, Side], _Surroundings] = {}
        self._reformatted: dict[int, bool] = {}

    def row(self, offset: int) -> int:
        """The row that holds the byte at `offset`."""
        return bisect_right(self._starts, offset) - 1

    @cached_property
    def _starts(self) -> list[int]:
        """Offset of each row in `data`."""
        lengths = map(len, self.data.splitlines(keepends=True))
        return list(accumulate(lengths, initial=0))

    def line(self, offset: int, known: dict[int, "ChangedLine"]) -> "ChangedLine":
        """The line with the byte at `offset`; `known` keeps lines by where they begin."""
        begin = self.data.rfind(b"\n", 0, offset) + 1
        line = known.get(begin)
        if line is None:
            line = known[begin] = ChangedLine(self, begin)
        return line

    def place(self, row: int) -> tuple[Side, int]:
        """Side and number in the diff of the line that a row is."""
        side, _, hunk, nth = self._find(row)
        start = hunk.new_start if side == "RIGHT" else hunk.old_start
        return side, start + _lines_before(hunk, side, nth)

    def is_talk(self, line: "ChangedLine", offset: int) -> bool:
        """Whether the byte at `offset`, in `line`, is no code.

        It lies in a comment, in a docstring, or in a string that is a sentence.
        """
        syntax = syntax_of(self._file.language)
        column = line.column(offset)
        if not self.cut:
            side, index, hunk, nth = self._find(self.row(line.begin))
            around = self._sides.get((index, side))
            if around is None:
                around = self._sides[index, side] = _surroundings(hunk, side, syntax)
            if around.talk:
                return around.talk.is_talk(around.offsets[nth] + column)
        return Talk(line.text, syntax).is_talk(column)

    def is_reformatted(self, line: "ChangedLine") -> bool:
        """Whether the hunk of `line` has the same words and signs in the same order as before:
        only line breaks, brackets, quotes and commas came or went.
        """
        if not self.has_both:
            return False
        _, index, hunk, _ = self._find(self.row(line.begin))
        same = self._reformatted.get(index)
        if same is None:
            same = self._reformatted[index] = _same_code(hunk.added, hunk.removed)
        return same

    def other(self, begin: int) -> str:
        """The other side of the line that begins at `begin`."""
        return self._removed if begin < self.removed_at else self._added

    def is_even(self, text: str) -> bool:
        """Whether both sides have `text` equally often."""
        return self._added.count(text) == self._removed.count(text)

    def _find(self, row: int) -> tuple[Side, int, Hunk, int]:
        """Side, index of the hunk, hunk, and which of its changed lines on that side a row is.

        Counted when asked: numbering all lines of a file costs more than matching them.
        """
        side: Side = "RIGHT" if row < self.rows_added else "LEFT"
        left = row if side == "RIGHT" else row - self.rows_added
        for index, hunk in enumerate(self._file.hunks):
            count = len(hunk.added if side == "RIGHT" else hunk.removed)
            if left < count:
                return side, index, hunk, left
            left -= count
        raise IndexError(row)


class ChangedLine:
    """One changed line that a pattern matches."""

    def __init__(self, text: ChangedText, begin: int) -> None:
        end = text.data.find(b"\n", begin)
        self._in = text
        self.begin = begin
        self.end = end if end >= 0 else len(text.data)
        self.raw = text.data[begin : self.end]
        self.text = self.raw.decode("utf-8", "replace")
        self.noise: bool | None = None
        """Whether it is no evidence in any language; None: not looked at yet."""

    def column(self, offset: int) -> int:
        """Where the byte at `offset` is in `text`."""
        if len(self.raw) == len(self.text):
            return offset - self.begin
        return len(self._in.data[self.begin : offset].decode("utf-8", "replace"))

    def is_address(self, offset: int) -> bool:
        """Whether the byte at `offset` lies in the address of a web page: its words are names."""
        return "://" in self.text and bool(_ADDRESS.search(self.text, 0, self.column(offset)))

    @cached_property
    def stays(self) -> bool:
        """The other side has the same line, so that nothing came or went.

        What formatters change does not count; another indent does, since a check may have moved
        under a condition.
        """
        return _indent(self.text) in self._indents

    @cached_property
    def is_indented(self) -> bool:
        """The other side has the line, with this indent or another."""
        return bool(self._indents)

    def was_there(self, first: int, last: int) -> bool:
        """Whether what the bytes from `first` to `last` belong to stands on the other side, too.

        Not for a condition, and not for a line that moved.
        """
        if not self._in.has_both:
            return False
        first, last = self.column(first), self.column(last)
        if self.text[first:last] not in self._in.other(self.begin):
            return False
        if self._decides or self.is_indented:
            return False
        return self._in.is_even(expression(self.text, first, last))

    @cached_property
    def _decides(self) -> bool:
        return is_condition(self.text)

    @cached_property
    def _indents(self) -> set[int]:
        return _indents(self.text, self._in.other(self.begin))


class _Surroundings(NamedTuple):
    """What one side of a hunk says of its lines; `talk` is None where each line stands alone."""

    talk: Talk | None
    offsets: list[int]
    """Where each changed line begins in the text of `talk`."""


def _surroundings(hunk: Hunk, side: Side, syntax: Syntax) -> _Surroundings:
    if not needs_surroundings("\n".join(hunk.body), syntax):
        return _Surroundings(None, [])
    own, other = ("+", "-") if side == "RIGHT" else ("-", "+")
    offsets, lines, at = [], [], 0
    for raw in hunk.body:
        marker = raw[:1]
        if marker != other:
            if marker == own:
                offsets.append(at)
            lines.append(raw[1:])
            at += len(raw)
    start = hunk.new_start if side == "RIGHT" else hunk.old_start
    return _Surroundings(Talk("\n".join(lines), syntax, from_top=start <= 1), offsets)


def _same_code(added: Sequence[str], removed: Sequence[str]) -> bool:
    if [line.strip() for line in added] == [line.strip() for line in removed]:
        return False  # only the indent changed: a check may have moved under a condition
    old, new = _SIGNS.findall("\n".join(removed)), _SIGNS.findall("\n".join(added))
    return old == new


def _lines_before(hunk: Hunk, side: Side, nth: int) -> int:
    """Lines of one side that stand before its `nth` (from 0) changed line."""
    marker, other = ("+", "-") if side == "RIGHT" else ("-", "+")
    if len(hunk.added if side == "RIGHT" else hunk.removed) == len(hunk.body):
        return nth  # a new file, or a deleted one
    before = 0
    for raw in hunk.body:
        first = raw[:1]
        if first == marker:
            if nth == 0:
                break
            nth -= 1
        before += first != other
    return before


def _indents(line: str, text: str) -> set[int]:
    """The indents with which `text` has the line, but for what formatters change.

    Only lines with its longest word are compared: taking the formatting off all costs more than
    finding what to look for.
    """
    if not text:
        return set()
    word = max(_WORD.findall(line), key=len, default="")
    form, found, at = line.translate(_FORMATTING), set(), text.find(word)
    while at >= 0:
        begin, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        end = end if end >= 0 else len(text)
        other = text[begin:end]
        if other.translate(_FORMATTING) == form:
            found.add(_indent(other))
        at = text.find(word, end + 1) if end < len(text) else -1
    return found


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _joined(lines: list[str], cut: bool) -> str:
    text = "\n".join(lines)
    return "\n".join(map(_shortened, lines)) if cut or "\r" in text else text


def _shortened(line: str) -> str:
    """The line's beginning, blanks squeezed first: padding must not push code out of sight."""
    line = line.rstrip("\r").replace("\r", " ")
    return line if len(line) <= MAX_LINE else " ".join(line.split())[:MAX_LINE]

"""The changed lines of one file as one text, and the way back to their places."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Set
from itertools import accumulate, islice
from typing import NamedTuple

from reviewbot.change.model import FileChange, Hunk, Side
from reviewbot.routing.expressions import expression, is_condition
from reviewbot.routing.layout import same_hunk
from reviewbot.routing.patterns import NOT_FOUND, Finder
from reviewbot.routing.sides import NONE, OtherSide, commented, form, indent
from reviewbot.routing.talk import Syntax, Talk, is_talk_alone, needs_surroundings, syntax_of

#: Longest part of one line that is matched, characters: longer ones are minified or data.
MAX_LINE = 2_000
_ADDRESS = re.compile(rb"https?://[^\s\"'`<>(){}$]*$")
_ANNOTATION = re.compile(rb"\s*/?\*+\s+@[A-Z][\w\\]*\(")
#: Signs that most code has, and that no layout changes.
_USUAL = (b".", b"=", b":")
#: Expressions of one file that are counted on both sides; what is beyond counts as changed.
MOST_COUNTED = 500


class ChangedText:
    """All added lines of a file, then all removed ones. Rows count from 0 through both."""

    def __init__(self, file: FileChange) -> None:
        self._file = file
        added: list[str] = []
        removed: list[str] = []
        self._added_until, self._removed_until = [], []
        for hunk in file.hunks:
            changed = [raw for raw in hunk.body if raw >= "+"]  # " " is below both
            plus = [raw for raw in changed if raw < ","]
            added += plus
            if len(plus) < len(changed):
                removed += [raw for raw in changed if raw >= "-"]
            self._added_until.append(len(added))
            self._removed_until.append(len(removed))
        first, cut_first = _joined(added, "\n+")
        second, cut_second = _joined(removed, "\n-")
        self.cut = cut_first or cut_second
        """Some line is longer than `MAX_LINE`; only its beginning is in `data`."""
        self.rows_added = len(added)
        """Number of added lines: the row of the first removed one."""
        self.added, self.removed = (
            first.encode("utf-8", "replace"),
            second.encode("utf-8", "replace"),
        )
        self.removed_at = len(self.added) + 1 if added else 0
        """Offset in `data` of the first removed line."""
        self.has_both = bool(added) and bool(removed)
        self.data = (
            self.added + b"\n" + self.removed if self.has_both else self.added or self.removed
        )
        self._starts: list[int] = []
        self._parts: list[_Part] = []
        self._begins: list[int] = []
        self._spans: dict[tuple[Side, int], tuple[int, int]] = {}
        self._lines: dict[int, ChangedLine] = {}
        self._others: dict[bool, OtherSide] = {}
        self._even: dict[bytes, bool] = {}
        self._reformatted: dict[int, bool] = {}
        self._language = file.language
        self._syntax = syntax_of(file.language)

    def line(self, offset: int) -> "ChangedLine":
        """The line with the byte at `offset`, the same each time."""
        begin = self.data.rfind(b"\n", 0, offset) + 1
        line = self._lines.get(begin)
        if line is None:
            line = self._lines[begin] = ChangedLine(self, begin)
        return line

    def lines(self) -> Iterator[tuple["ChangedLine", int]]:
        """Every line that is not blank, and the offset of its first sign."""
        at = 0
        while at < len(self.data):
            line = self.line(at)
            if words := line.raw.lstrip():
                yield line, line.end - len(words)
            at = line.end + 1

    def place(self, line: "ChangedLine") -> tuple[Side, int]:
        """Side and number in the diff of a line."""
        part = line.part or self._part(line)
        start = part.hunk.new_start if part.side == "RIGHT" else part.hunk.old_start
        return part.side, start + part.place(self._nth(line, part))

    def is_talk(self, line: "ChangedLine", offset: int) -> bool:
        """Whether the byte at `offset`, in `line`, is no code.

        It lies in a comment, in a docstring, or in a string that is a sentence.
        """
        if offset < line.code_until or line.annotates:
            return False
        syntax = self._syntax
        if self.cut:
            return Talk(line.text, syntax).is_talk(line.column(offset))
        part = line.part or self._part(line)
        around = part.around
        if around is None:
            around = part.around = _surroundings(part, syntax)
        if around.talk:
            begin = around.begins[part.place(self._nth(line, part))]
            return around.talk.is_talk(begin + line.column(offset))
        # nothing on the line hangs on other lines: it is code up to its first sign
        sign = syntax.signs.search(line.raw)
        line.code_until = line.begin + sign.start() if sign else line.end + 1
        return offset >= line.code_until and is_talk_alone(line.text, syntax, line.column(offset))

    def is_factor(self, line: "ChangedLine") -> bool:
        """Whether a line that begins with a star goes on with a product: in a comment, one of the
        lines beside it begins with a star, too.
        """
        if not line.raw.lstrip().startswith(b"*"):
            return False
        part = line.part or self._part(line)
        beside = part.beside(self._nth(line, part))
        starred = [raw for raw in beside if raw[1:].lstrip().startswith(("*", "/*"))]
        return bool(beside) and not starred

    def is_reformatted(self, line: "ChangedLine") -> bool:
        """Whether the hunk of `line` has the same words and signs in the same order as before:
        only its layout changed.
        """
        if not self.has_both:
            return False
        part = line.part or self._part(line)
        same = self._reformatted.get(part.index)
        if same is None:
            same = self._may_be_same(part) and same_hunk(part.hunk, self._language)
            self._reformatted[part.index] = same
        return same

    def _may_be_same(self, part: "_Part") -> bool:
        """A cheap look before words and signs are told apart: most hunks differ in more."""
        if self.cut:
            return True
        this, data = self._spans[part.side, part.index], self.data
        that = self._spans.get(("LEFT" if part.side == "RIGHT" else "RIGHT", part.index), (0, 0))
        return all(data.count(sign, *this) == data.count(sign, *that) for sign in _USUAL)

    def other(self, begin: int) -> bytes:
        """The other side of the line that begins at `begin`."""
        return self.removed if begin < self.removed_at else self.added

    def indents(self, line: "ChangedLine") -> Set[int]:
        """The indents with which the other side has the line, but for what formatters change."""
        if not self.has_both:
            return NONE
        is_added = line.begin < self.removed_at
        other = self._others.get(is_added)
        if other is None:
            other = self._others[is_added] = OtherSide(self.other(line.begin))
        return other.indents(form(line.raw))

    def is_even(self, text: bytes) -> bool:
        """Whether both sides have `text` equally often, and as often where it is in force:
        what was commented out is gone.
        """
        even = self._even.get(text)
        if even is None:
            if len(self._even) >= MOST_COUNTED:
                return False
            even = self.added.count(text) == self.removed.count(text)
            even = even and commented(self.added, text) == commented(self.removed, text)
            self._even[text] = even
        return even

    def _part(self, line: "ChangedLine") -> "_Part":
        if not self._parts:
            self._find_parts()
        line.part = self._parts[bisect_right(self._begins, line.begin)]
        return line.part

    def _find_parts(self) -> None:
        """Note where each hunk's lines begin: those after the first part in `_begins`."""
        sides: tuple[tuple[Side, int, list[int]], ...]
        sides = ("RIGHT", 0, self._added_until), ("LEFT", self.rows_added, self._removed_until)
        for side, row, last_rows in sides:
            before = 0
            for index, until in enumerate(last_rows):
                if until > before:
                    hunk = self._file.hunks[index]
                    self._parts.append(_Part(index, hunk, side, row + before))
                before = until
        starts, parts = self._row_starts(), self._parts
        begins = [starts[part.row] for part in parts]
        ends = [*begins[1:], len(self.data) + 1]
        self._begins = begins[1:]
        self._spans = {
            (part.side, part.index): (begin, end - 1)
            for part, begin, end in zip(parts, begins, ends, strict=True)
        }

    def _nth(self, line: "ChangedLine", part: "_Part") -> int:
        """Which of the lines of its part a line is."""
        return bisect_right(self._row_starts(), line.begin) - 1 - part.row

    def _row_starts(self) -> list[int]:
        if not self._starts:
            lengths = map(len, self.data.splitlines(keepends=True))
            self._starts = list(accumulate(lengths, initial=0))
        return self._starts


class _Part:
    """The changed lines of one side of a hunk."""

    def __init__(self, index: int, hunk: Hunk, side: Side, row: int) -> None:
        self.index = index
        self.hunk = hunk
        self.side = side
        self.row = row
        """The first of its rows."""
        self.around: _Surroundings | None = None

        self._own: list[int] = []
        self._other: list[int] = []

    def place(self, nth: int) -> int:
        """Where its `nth` line stands among all lines of its side of the hunk; both from 0."""
        at = self._at(nth)
        return at - bisect_left(self._other, at)

    def beside(self, nth: int) -> list[str]:
        """The lines of its side of the hunk before and behind its `nth` one, with markers."""
        at, body = self._at(nth), self.hunk.body
        other = "-" if self.side == "RIGHT" else "+"
        found: list[str] = []
        for rows in (range(at - 1, -1, -1), range(at + 1, len(body))):
            found += islice((body[row] for row in rows if body[row][0] != other), 1)
        return found

    def _at(self, nth: int) -> int:
        """Where its `nth` line stands in the hunk."""
        if not self._own:
            own, other = ("+", "-") if self.side == "RIGHT" else ("-", "+")
            body = self.hunk.body
            self._own = [at for at, raw in enumerate(body) if raw[0] == own]
            if len(self._own) < len(body):
                self._other = [at for at, raw in enumerate(body) if raw[0] == other]
        return self._own[nth]


class ChangedLine:
    """One changed line that a pattern matches."""

    # most lines need none of these: as the class's own they cost nothing to set
    is_nothing: bool | None = None
    """Whether it is no evidence, whatever the rule; None: not looked at yet."""
    code_until = 0
    """Up to this offset it is known to be code."""
    part: "_Part | None" = None
    """Where it stands in the file, once that was asked for."""
    _text: str | None = None
    _indents: Set[int] | None = None
    _decides: bool | None = None
    _searched: dict[Finder, bool] | None = None

    def __init__(self, text: ChangedText, begin: int) -> None:
        end = text.data.find(b"\n", begin)
        self._in = text
        self.begin = begin
        self.end = end if end >= 0 else len(text.data)
        self.raw = text.data[begin : self.end]

    @property
    def text(self) -> str:
        """The line as text."""
        if self._text is None:
            self._text = self.raw.decode("utf-8", "replace")
        return self._text

    def column(self, offset: int) -> int:
        """Where the byte at `offset` is in `text`."""
        if self.raw.isascii():
            return offset - self.begin
        return len(self._in.data[self.begin : offset].decode("utf-8", "replace"))

    def is_found_by(self, search: Finder) -> bool:
        """Whether a search finds something on the line, looked for once."""
        if self._searched is None:
            self._searched = {}
        found = self._searched.get(search)
        if found is None:
            found = search(self.raw, 0, len(self.raw))[0] != NOT_FOUND
            self._searched[search] = found
        return found

    def is_address(self, offset: int) -> bool:
        """Whether the byte at `offset` lies in the address of a web page: its words are names."""
        return b"://" in self.raw and bool(_ADDRESS.search(self.raw, 0, offset - self.begin))

    @property
    def annotates(self) -> bool:
        """It stands in a comment and is code all the same: PHP's annotations, `* @ORM\\Column(…)`."""
        return b"* @" in self.raw and bool(_ANNOTATION.match(self.raw))

    @property
    def stays(self) -> bool:
        """The other side has the same line, so that nothing came or went.

        What formatters change does not count; another indent does, since a check may have moved
        under a condition.
        """
        found = self._found_indents()
        return bool(found) and indent(self.text) in found

    @property
    def is_indented(self) -> bool:
        """The other side has the line, with this indent or another."""
        return bool(self._found_indents())

    def was_there(self, first: int, last: int) -> bool:
        """Whether what the bytes from `first` to `last` belong to stands on the other side, too.

        Not for a condition, and not for a line that moved.
        """
        if not self._in.has_both or self._in.data[first:last] not in self._in.other(self.begin):
            return False
        if self._found_indents():
            return False
        if self._decides is None:
            self._decides = is_condition(self.text)
        if self._decides:
            return False
        whole = expression(self.text, self.column(first), self.column(last))
        return self._in.is_even(whole.encode("utf-8", "replace"))

    def _found_indents(self) -> Set[int]:
        if self._indents is None:
            self._indents = self._in.indents(self)
        return self._indents


class _Surroundings(NamedTuple):
    """What one side of a hunk says of its lines; `talk` is None where each line stands alone."""

    talk: Talk | None
    begins: list[int]
    """Where each line of the side begins in the text of `talk`."""


def _surroundings(part: _Part, syntax: Syntax) -> _Surroundings:
    hunk = part.hunk
    if not needs_surroundings("\n".join(hunk.body), syntax):
        return _Surroundings(None, [])
    other = "-" if part.side == "RIGHT" else "+"
    lines = [raw for raw in hunk.body if raw[0] != other]
    text = "\n".join([raw[1:] for raw in lines])
    begins = accumulate(map(len, lines), initial=0)  # a marker is as long as a line feed
    start = hunk.new_start if part.side == "RIGHT" else hunk.old_start
    return _Surroundings(Talk(text, syntax, from_top=start <= 1), list(begins))


def _joined(lines: list[str], mark: str) -> tuple[str, bool]:
    """The lines without their markers as one text, and whether one had to be cut.

    `mark` is a line feed and the marker: taking all out of the text is faster than line by line.
    """
    text = "\n".join(lines).replace(mark, "\n")[1:]
    cut = len(text) > MAX_LINE and max(map(len, lines)) > MAX_LINE + 1
    if cut or "\r" in text:
        text = "\n".join([_shortened(raw[1:]) for raw in lines])
    return text, cut


def _shortened(line: str) -> str:
    """The line's beginning, blanks squeezed first: padding must not push code out of sight."""
    line = line.rstrip("\r").replace("\r", " ")
    return line if len(line) <= MAX_LINE else " ".join(line.split())[:MAX_LINE]

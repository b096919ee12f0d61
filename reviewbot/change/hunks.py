"""Reads the hunks of a diff: by the counts in their headers, never by what a line looks like."""

import re
from itertools import pairwise

from reviewbot.change.model import Hunk
from reviewbot.errors import DiffError

_NUMBER = "([0-9]{1,9})"  # no file has 10⁹ lines; Python refuses to read numbers of any length
_HUNK = re.compile(rf"@@ -{_NUMBER}(?:,{_NUMBER})? \+{_NUMBER}(?:,{_NUMBER})? @@ ?(.*)")
_COMBINED = re.compile(
    rf"(@{{3,65}}) ((?:-[0-9]{{1,9}}(?:,[0-9]{{1,9}})? )+)\+{_NUMBER}(?:,{_NUMBER})? @+ ?(.*)"
)


_BODY = re.compile(r"[ +-]*")


class Lines(tuple[str, ...]):
    """A diff's lines, with the first character of each in one string to count in."""

    markers: str

    @classmethod
    def of(cls, text: str) -> "Lines":
        """Split at line feeds only: a lone CR, a form feed or U+2028 is part of its line."""
        rows = text.split("\n")
        if not rows[-1]:
            rows.pop()
        lines = cls(rows)
        lines.markers = "".join([row[:1] or "\n" for row in rows])
        return lines


def parse_patch(patch: str) -> tuple[Hunk, ...]:
    """The hunks of one file's `patch` as GitHub's API gives it: no file header, only hunks.

    Raises DiffError with the patch's line number.
    """
    lines = Lines.of(patch)
    hunks, end = read_hunks(lines, 0)
    if end < len(lines):
        raise broken(end, f"expected a hunk (`@@ -1,2 +1,3 @@`), found {excerpt(lines[end])}")
    return hunks


def read_hunks(lines: Lines, at: int, *, cut: bool = False) -> tuple[tuple[Hunk, ...], int]:
    """All hunks from line index `at` on, and the index after them.

    With `cut` the text may end within its last hunk: what is there counts. Raises DiffError.
    """
    hunks = []
    while True:
        start = _after_blank(lines, at)
        if start == len(lines) or not lines[start].startswith("@@ "):
            break
        hunk, at = _read_hunk(lines, start, cut)
        hunks.append(hunk)
    if hunks:
        check_end(lines, at)
    return tuple(hunks), at


def is_hunk_header(line: str) -> bool:
    """Whether it is the first line of a hunk."""
    return line.startswith("@@ -") and _HUNK.match(line) is not None


def check_end(lines: Lines, at: int) -> None:
    """Raises DiffError where a hunk goes on after the lines that its header counts."""
    line = lines[at] if at < len(lines) else ""
    if line[:1] not in (" ", "+", "-") or line in ("-- ", "--"):  # a mail's signature
        return
    if line.startswith("--- ") and at + 1 < len(lines) and lines[at + 1].startswith("+++ "):
        return
    raise broken(at, f"the hunk above has more lines than its header counts: {excerpt(line)}")


def _after_blank(lines: Lines, at: int) -> int:
    while at < len(lines) and not lines[at]:
        at += 1
    return at


def _read_hunk(lines: Lines, at: int, cut: bool) -> tuple[Hunk, int]:
    header = _HUNK.match(lines[at])
    if header is None:
        raise broken(at, f"not a hunk header: {excerpt(lines[at])}")
    old_start, old_count, new_start, new_count = _numbers(header)
    end, special = _end_of_hunk(lines, at, old_count, new_count, cut)
    chunk = lines[at + 1 : end]
    hunk = Hunk(old_start, old_count, new_start, new_count, header[5].rstrip("\r"), chunk)
    if special or cut:
        hunk = _tidied(hunk, chunk)
    return hunk, end


def _numbers(header: re.Match[str]) -> tuple[int, int, int, int]:
    old_start, old_count, new_start, new_count = header.group(1, 2, 3, 4)
    return int(old_start), int(old_count or "1"), int(new_start), int(new_count or "1")


def _end_of_hunk(lines: Lines, at: int, old: int, new: int, cut: bool) -> tuple[int, bool]:
    """Index after the hunk whose header is line `at`; whether any line needs tidying.

    Where the run of lines with markers is just what the header promises, counting them is enough.
    """
    count, end = lines.markers.count, _BODY.match(lines.markers, at + 1).end()  # type: ignore[union-attr] # matches nothing, too
    size = end - at - 1
    if (
        size - count("+", at + 1, end) == old
        and size - count("-", at + 1, end) == new
        and lines.markers[end : end + 1] != "\\"
    ):
        return end, False
    return _walk_hunk(lines, at, old, new, cut)


def _walk_hunk(lines: Lines, at: int, old: int, new: int, cut: bool) -> tuple[int, bool]:
    """`_end_of_hunk` line by line; `old` and `new` count down what the header promises."""
    end, special, size = at + 1, False, len(lines)
    while old > 0 or new > 0:
        if end == size:
            if cut:
                break
            raise broken(end - 1, f"the text ends within the hunk of line {at + 1}")
        line = lines[end]
        marker = line[:1]
        if marker == "+":
            new -= 1
        elif marker == "-":
            old -= 1
        elif marker == " " or line in ("", "\r"):  # an editor stripped an empty context line
            old -= 1
            new -= 1
            special = special or marker != " "
        elif marker == "\\":
            special = True
        else:
            raise broken(end, f"within the hunk of line {at + 1}: {excerpt(line)}")
        end += 1
    if old < 0 or new < 0:
        raise broken(at, "the hunk's lines don't fit the counts in its header")
    if end < size and lines[end].startswith("\\"):
        return end + 1, True
    return end, special


def _tidied(hunk: Hunk, chunk: tuple[str, ...]) -> Hunk:
    """The hunk with "\\ No newline" lines as flags, and stripped context lines restored."""
    unended = {before[:1] or " " for before, line in pairwise(chunk) if line.startswith("\\")}
    body = tuple(
        line if line[:1] in ("+", "-", " ") else " " + line for line in chunk if line[:1] != "\\"
    )
    return Hunk(
        old_start=hunk.old_start,
        old_count=sum(line[0] != "+" for line in body),
        new_start=hunk.new_start,
        new_count=sum(line[0] != "-" for line in body),
        section=hunk.section,
        body=body,
        old_no_newline=bool(unended & {"-", " "}),
        new_no_newline=bool(unended & {"+", " "}),
    )


def read_combined_hunks(lines: Lines, at: int) -> tuple[tuple[Hunk, ...], int]:
    """The hunks of a merge's combined diff, mapped to the new file. Raises DiffError.

    A line counts as added if any parent lacks it, as removed if the result lacks it. Old numbers
    are those of no parent: they only count on from the first parent's start.
    """
    hunks = []
    while at < len(lines) and lines[at].startswith("@@@"):
        hunk, at = _read_combined(lines, at)
        hunks.append(hunk)
    return tuple(hunks), at


def _read_combined(lines: Lines, at: int) -> tuple[Hunk, int]:
    header = _COMBINED.match(lines[at])
    ranges = header[2].split() if header else []
    if header is None or len(ranges) != len(header[1]) - 1:
        raise broken(at, f"not the header of a combined hunk: {excerpt(lines[at])}")
    left = [int(part.partition(",")[2] or "1") for part in ranges]
    left.append(int(header[4] or "1"))
    body: list[str] = []
    end = at + 1
    while max(left) > 0:
        if end == len(lines):
            raise broken(end - 1, f"the text ends within the hunk of line {at + 1}")
        if not lines[end].startswith("\\"):
            body.append(_combined_line(lines, end, left))
        end += 1
    if min(left) < 0:
        raise broken(at, "the hunk's lines don't fit the counts in its header")
    old_start = int(ranges[0][1:].partition(",")[0])
    old_count = sum(line[0] != "+" for line in body)
    new_count = sum(line[0] != "-" for line in body)
    return Hunk(
        old_start, old_count, int(header[3]), new_count, header[5].rstrip("\r"), tuple(body)
    ), end


def _combined_line(lines: Lines, at: int, left: list[int]) -> str:
    """The line with one marker for all its parents'; takes it off the counts `left`."""
    parents = len(left) - 1
    marks, text = lines[at][:parents].ljust(parents), lines[at][parents:]
    removed = "-" in marks
    if set(marks) - ({" ", "-"} if removed else {" ", "+"}):
        raise broken(at, f"not a line of a combined hunk: {excerpt(lines[at])}")
    for parent, mark in enumerate(marks):
        left[parent] -= mark == ("-" if removed else " ")
    left[-1] -= not removed
    return ("-" if removed else "+" if "+" in marks else " ") + text


def broken(at: int, problem: str) -> DiffError:
    """The error for line index `at` (0-based) of a diff."""
    return DiffError(f"line {at + 1} of the diff: {problem}")


def excerpt(line: str) -> str:
    """The line's beginning, safe to print on one line."""
    return ascii(line if len(line) <= 60 else line[:60] + "…")

"""The code that a finding flags, and whether it is still in a later text of its file.

Lines are compared without their indentation and with other spaces squeezed, blank ones left out:
code that is moved or indented anew is the same code.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from reviewbot.change.model import Side

#: Lines of one finding that are looked at, and characters kept of one line.
MAX_LINES, MAX_WIDTH = 40, 120


def flagged_lines(code: str) -> tuple[str, ...]:
    """The lines of `code` in the form in which they are kept and compared."""
    return tuple(text for text in map(_form, code.split("\n")) if text)[:MAX_LINES]


def still_there(
    lines: Sequence[str], line: int | None, side: Side, *, before: str | None, after: str
) -> bool | None:
    """Whether flagged code stands in the text `after` as it did `before`; None: can't be told.

    `lines` are of `flagged_lines`; without any, the line number `line` of `before` is meant.
    `before` is None where the text that was flagged is not known; a deleted file is empty `after`.
    Removed code (LEFT) is as it was flagged unless it was put back.
    """
    old, new = Text(before or ""), Text(after)
    lines = lines or (old.at(line) if line and side == "RIGHT" else ())
    if not lines:
        return None
    was, now = old.count(lines), new.count(lines)
    if side == "LEFT":
        return now <= was if before is not None or not now else None
    if before is None:
        return None if line is None else now > 0
    if not was:
        return None
    return now >= was or (line is not None and old.is_kept(line, lines, new))


@dataclass(frozen=True)
class Text:
    """A file's text, to look for code in."""

    text: str

    @cached_property
    def _lines(self) -> list[tuple[int, str]]:
        """Number and form of all lines that are not blank."""
        formed = enumerate(map(_form, self.text.split("\n")), 1)
        return [(number, text) for number, text in formed if text]

    @cached_property
    def _forms(self) -> list[str]:
        return [text for _, text in self._lines]

    def at(self, line: int) -> tuple[str, ...]:
        """The one line of that number; nothing where it is blank or not there."""
        return tuple(text for number, text in self._lines if number == line)

    def count(self, lines: Sequence[str]) -> int:
        """How often `lines` stand in it, one after the other."""
        return len(self.places(lines))

    def places(self, lines: Sequence[str]) -> list[tuple[int, int]]:
        """Numbers of the first and the last line of each place where `lines` stand."""
        wanted, size = list(lines), len(lines)
        return [
            (number, self._lines[start + size - 1][0])
            for start, (number, text) in enumerate(self._lines)
            if text == wanted[0] and self._forms[start : start + size] == wanted
        ]

    def is_kept(self, line: int, lines: Sequence[str], later: "Text") -> bool:
        """Whether `lines`, from number `line` on, lie before or after all that changed."""
        start = next((i for i, (number, _) in enumerate(self._lines) if number >= line), None)
        if start is None or self._forms[start : start + len(lines)] != list(lines):
            return False
        mine, others = self._forms, later._forms
        end = start + len(lines)
        return mine[:end] == others[:end] or mine[start:] == others[start - len(mine) :]


def _form(line: str) -> str:
    """Squeezed; of a long line the end is only a digest."""
    text = " ".join(line.split())
    if len(text) <= MAX_WIDTH:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{text[: MAX_WIDTH - 17]}…{digest[:16]}"

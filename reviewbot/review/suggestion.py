"""Whether a suggested replacement applies cleanly to the file's text."""

import ast
import textwrap
import warnings
from dataclasses import dataclass
from functools import cached_property

from reviewbot.change.model import FileChange, Side
from reviewbot.review.answer import Remark

#: Longest Python text that is parsed to see whether a suggestion breaks it, characters.
MAX_PARSED = 200_000


def fenced(code: str) -> str:
    """Code in a Markdown fence that nothing inside can close."""
    fence = "```"
    while fence in code:
        fence += "`"
    return f"{fence}\n{code}\n{fence}"


@dataclass(frozen=True)
class Suggestions:
    """Checks suggestions for one file."""

    file: FileChange
    source: str | None
    """The file's whole text after the change, if known."""

    def checked(self, remark: Remark, side: Side, first: int, last: int) -> tuple[str | None, str]:
        """(the suggestion, or None; prose to add to the body where it is not one).

        A suggestion holds only if it replaces whole lines of the new file that all stand in one
        hunk, as many as the remark names, changes them, and leaves Python that parsed before
        parsing. Indentation that a model dropped evenly is given back.
        """
        if not remark.suggestion or not remark.suggestion.strip():
            return None, ""
        code = remark.suggestion.strip("\n").replace("\r\n", "\n")
        prose = "\n\nSuggested code:\n\n" + fenced(code)
        named = (remark.end_line or remark.line) - remark.line
        places = [self.file.by_number.get((side, number)) for number in range(first, last + 1)]
        if side == "LEFT" or named != last - first or any(place is None for place in places):
            return None, prose
        old = [place[1].text.rstrip("\r") for place in places if place is not None]
        code = _indented_like(old, code)
        if code.split("\n") == old:
            return None, ""
        return (code, "") if self._applies(first, last, old, code) else (None, prose)

    def _applies(self, first: int, last: int, old: list[str], code: str) -> bool:
        if self.source is None:
            return True
        if self._lines[first - 1 : last] != old:
            return False
        if not self._parses:
            return True
        return _parses("\n".join([*self._lines[: first - 1], code, *self._lines[last:]]))

    @cached_property
    def _lines(self) -> list[str]:
        return [line.rstrip("\r") for line in (self.source or "").split("\n")]

    @cached_property
    def _parses(self) -> bool:
        """The file is Python, short enough to be parsed, and parses as it is."""
        source = self.source or ""
        short = len(source) <= MAX_PARSED
        return self.file.language == "python" and short and _parses("\n".join(self._lines))


def _indented_like(old: list[str], code: str) -> str:
    """Models drop the common indentation: give it back where all of the code lacks it."""
    wanted = old[0][: len(old[0]) - len(old[0].lstrip(" \t"))]
    if not wanted or code.startswith(wanted):
        return code
    dedented = textwrap.dedent(code)
    if dedented != code and not code.startswith(tuple(" \t")):
        return code
    return textwrap.indent(dedented, wanted)


def _parses(text: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other people's escapes, which parse all the same
        try:
            ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True

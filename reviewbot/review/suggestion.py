"""Whether a suggested replacement applies cleanly to the file's text."""

import ast
import json
import textwrap
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from reviewbot.change.model import FileChange, Side
from reviewbot.review.answer import Remark

#: Longest text that is parsed to see whether a suggestion breaks it, characters.
MAX_PARSED = 200_000
#: Begins what stands for a secret: code with it would put that in the secret's place.
HIDDEN = "[redacted:"


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
        hunk, as many as the remark names, changes them, and leaves a file that parsed before (Python,
        JSON) parsing. Indentation that a model dropped evenly is given back. Code that holds
        what stands for a secret is dropped.
        """
        if not remark.suggestion or not remark.suggestion.strip() or HIDDEN in remark.suggestion:
            return None, ""
        code = _plain(remark.suggestion)
        prose = "\n\nSuggested code:\n\n" + fenced(code)
        named = (remark.end_line or remark.line) - remark.line
        old = self._old(first, last)
        if side == "LEFT" or named != last - first or old is None:
            return None, prose
        if _indented_like(old, code).split("\n") == old:
            return None, ""
        fitting = self.replacement(code, first, last)
        return (fitting, "") if fitting is not None else (None, prose)

    def replacement(self, code: str, first: int, last: int) -> str | None:
        """What replaces these lines of the new file, whole ones of one block; None where the code
        does not apply or changes nothing."""
        old = self._old(first, last)
        if old is None or not code.strip() or HIDDEN in code:
            return None
        code = _indented_like(old, _plain(code))
        changes = code.split("\n") != old
        return code if changes and self._applies(first, last, old, code) else None

    def _old(self, first: int, last: int) -> list[str] | None:
        """The lines as they are; None where the diff does not show them all."""
        places = [self.file.by_number.get(("RIGHT", number)) for number in range(first, last + 1)]
        old = [place[1].text.rstrip("\r") for place in places if place is not None]
        return old if old and len(old) == len(places) else None

    def _applies(self, first: int, last: int, old: list[str], code: str) -> bool:
        if self.source is None:
            return True
        if self._lines[first - 1 : last] != old:
            return False
        if not self._parses:
            return True
        new = "\n".join([*self._lines[: first - 1], code, *self._lines[last:]])
        return _parses(self.file.language, new)

    @cached_property
    def _lines(self) -> list[str]:
        return [line.rstrip("\r") for line in (self.source or "").split("\n")]

    @cached_property
    def _parses(self) -> bool:
        """There is a parser for the file, it is short enough for it, and parses as it is."""
        short = len(self.source or "") <= MAX_PARSED
        known = self.file.language in _PARSERS
        return known and short and _parses(self.file.language, "\n".join(self._lines))


def _indented_like(old: list[str], code: str) -> str:
    """Models drop the common indentation: give it back where all of the code lacks it."""
    wanted = old[0][: len(old[0]) - len(old[0].lstrip(" \t"))]
    if not wanted or code.startswith(wanted):
        return code
    dedented = textwrap.dedent(code)
    if dedented != code and not code.startswith(tuple(" \t")):
        return code
    return textwrap.indent(dedented, wanted)


def _plain(code: str) -> str:
    return code.strip("\n").replace("\r\n", "\n")


#: Language → what raises ValueError or SyntaxError for a text that is none of it. Not TOML: `tomllib`
#: takes memory with the square of a dotted key's length, which a change may choose.
_PARSERS: Mapping[str | None, Callable[[str], object]] = {
    "python": ast.parse,
    "json": json.loads,
}


def _parses(language: str | None, text: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other people's escapes, which parse all the same
        try:
            _PARSERS[language](text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True

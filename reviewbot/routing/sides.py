"""What decides whether a line, or a part of it, stands on both sides of a diff."""

import re
from collections.abc import Set

#: What formatters change. No brackets and semicolons: `if (!ok(x)); return` always returns; and of commas
#: only the last of a line.
_FORMATTING = b" \t"
#: One quote is as good as another.
_QUOTES = bytes.maketrans(b"'`", b'""')
#: What stands before code that was commented out, in most languages.
_OUT = re.compile(rb"(?:\A|[\s;{}])(?://|#|--|/\*|<!--|<%#|\{/\*|\{\{--|\{#)|\A\s*\*")
#: What a linter shall pass over, behind the code that it is about. Nothing in it may be a call or
#: end a string, so that no code hides there.
_LINTED = re.compile(
    rb"(?m)(?://|#)[ \t]*(?:@ts-|@phpstan-|biome-|codespell:|eslint-|nolint|noqa|nosec"
    rb"|phpcs:|pragma:|pylint:|rubocop:|type:[ \t]*ignore)[^;(){}\"'`\n]*$"
)
#: Lines of one side that are looked for in the text as a whole: for more its lines are told apart.
FEW_LOOKS = 8
#: No indent.
NONE: Set[int] = frozenset()


def form(text: bytes) -> bytes:
    """What is left of lines without what formatters change and linters are told."""
    if b"#" in text or b"//" in text:
        text = _LINTED.sub(b"", text)
    return text.translate(_QUOTES, _FORMATTING).replace(b",\n", b"\n").removesuffix(b",")


def commented(side: bytes, text: bytes) -> int:
    """How often `text` stands behind the sign of a comment on this side."""
    count, at = 0, side.find(text)
    while at >= 0:
        count += bool(_OUT.search(side[side.rfind(b"\n", 0, at) + 1 : at]))
        at = side.find(text, at + len(text))
    return count


def indent(line: str) -> int:
    """Blanks before the first word or sign."""
    return len(line) - len(line.lstrip())


class OtherSide:
    """The lines of one side of a file, by what is left of them without formatting."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._whole = form(text)
        self._looks = 0
        self._lines: list[bytes] = []
        self._forms: list[bytes] = []
        self._first: dict[bytes, int] = {}
        self._last: dict[bytes, int] = {}
        self._several: dict[bytes, set[int]] = {}

    def indents(self, form: bytes) -> Set[int]:
        """The indents of the lines of this form."""
        if not self._lines:
            if self._looks < FEW_LOOKS and form not in self._whole:  # as most
                self._looks += 1
                return NONE
            self._lines, self._forms = self._text.split(b"\n"), self._whole.split(b"\n")
            numbers = range(len(self._forms))
            self._last = dict(zip(self._forms, numbers, strict=True))
            self._first = dict(zip(reversed(self._forms), reversed(numbers), strict=True))
        last = self._last.get(form)
        if last is None:
            return NONE
        if self._first[form] == last:  # as most: there is one
            return {indent(self._lines[last].decode("utf-8", "replace"))}
        if not self._several:
            for each, raw in zip(self._forms, self._lines, strict=True):
                self._several.setdefault(each, set()).add(indent(raw.decode("utf-8", "replace")))
        return self._several[form]

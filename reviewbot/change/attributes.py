"""What a repository's `.gitattributes` say of its files: read from the base commit only."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from reviewbot.change.globs import matcher
from reviewbot.change.paths import unquoted

Value = bool | str | None
"""True: `name`; False: `-name`; a text: `name=text`; None: `!name`, or said nowhere."""

_LINE = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^\s"]\S*)\s+(.*)', re.DOTALL)
_MACRO = "[attr]"
_BINARY = {"binary": (("diff", False), ("merge", False), ("text", False))}
"""git's built-in macro."""
_READ = frozenset({"diff", "linguist-generated", "linguist-vendored", "linguist-documentation"})
_LONGEST_LINE = 2048
"""git passes over longer lines, and so does this."""
_MOST_LINES = 2000
"""The last so many of a repository's lines count: what the earlier ones said is then unknown."""


class _Line(NamedTuple):
    matches: Callable[[str], bool]
    directory: str
    """The attribute file's own, with its last slash; empty at the root."""
    tokens: tuple[tuple[str, Value], ...]

    def holds(self, path: str) -> bool:
        return path.startswith(self.directory) and self.matches(path[len(self.directory) :])


@dataclass(frozen=True)
class Attributes:
    """The attributes that tell a file's kind. The last line that matches a path wins."""

    lines: tuple[_Line, ...] = ()
    macros: Mapping[str, tuple[tuple[str, Value], ...]] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> "Attributes":
        """Those of one `.gitattributes` at the repository's root; never fails, as git doesn't."""
        return cls.of({".gitattributes": text})

    @classmethod
    def of(cls, files: Mapping[str, str]) -> "Attributes":
        """Those of several `.gitattributes` (path → text): the deeper one wins, as in git."""
        rows = [
            (path[: path.rfind("/") + 1], *row)
            for path in sorted(files, key=lambda path: path.count("/"))
            for row in map(_row, files[path].split("\n"))
            if row
        ]
        macros = _BINARY | {
            pattern.removeprefix(_MACRO): tokens
            for directory, pattern, tokens in rows
            if pattern.startswith(_MACRO) and not directory
        }
        telling = _READ | macros.keys()
        told = [
            row
            for row in rows
            if not row[1].startswith(_MACRO) and any(name in telling for name, _ in row[2])
        ]
        lines = (
            _Line(matcher(unquoted(pattern)), directory, tokens)
            for directory, pattern, tokens in told[-_MOST_LINES:]
        )
        return cls(tuple(lines), macros)

    def value(self, path: str, name: str) -> Value:
        """The attribute's value for a path."""
        known: dict[str, Value] = {}
        for line in reversed(self.lines):
            if name not in known and line.holds(path):
                self._learn(line.tokens, known)
        return known.get(name)

    def _learn(self, tokens: tuple[tuple[str, Value], ...], known: dict[str, Value]) -> None:
        """What a line says goes into `known`, its last word first; a macro that is set spells out."""
        left = list(tokens)
        while left:
            name, value = left.pop()
            if name not in known:
                known[name] = value
                if value is True:
                    left.extend(self.macros.get(name, ()))

    def generated(self, path: str) -> bool | None:
        """`linguist-generated`; None where nothing is said."""
        return _flag(self.value(path, "linguist-generated"))

    def vendored(self, path: str) -> bool | None:
        """`linguist-vendored`; None where nothing is said."""
        return _flag(self.value(path, "linguist-vendored"))

    def documentation(self, path: str) -> bool | None:
        """`linguist-documentation`; None where nothing is said."""
        return _flag(self.value(path, "linguist-documentation"))

    def undiffable(self, path: str) -> bool:
        """`-diff` or `binary`: the repository wants no text of it shown."""
        return self.value(path, "diff") is False


NO_ATTRIBUTES = Attributes()


def _row(line: str) -> tuple[str, tuple[tuple[str, Value], ...]] | None:
    """A line's pattern and what it says; None for a remark."""
    found = _LINE.match(line)
    if found is None or len(line) > _LONGEST_LINE or found[1].startswith(("#", "!")):
        return None
    return found[1], tuple(map(_token, found[2].split()))


def _token(token: str) -> tuple[str, Value]:
    if token[:1] in ("-", "!"):
        return token[1:], False if token[0] == "-" else None
    name, equals, value = token.partition("=")
    return name, value if equals else True


def _flag(value: Value) -> bool | None:
    return value != "false" if isinstance(value, str) else value

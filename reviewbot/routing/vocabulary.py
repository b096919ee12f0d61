"""The words of a change, as far as a model can have learned what they speak for.

Identifiers are taken apart: `userName` and `user_name` are the same two words.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple

from reviewbot.routing.text import ChangedText

#: Letters of a word, and of what is taken apart: longer ones are data.
SHORTEST, LONGEST, LONGEST_NAME = 3, 19, 60
#: Names that are remembered.
MOST_NAMES = 65_536
#: Parts of a path that count: a file's own name and its folder; those above name the project.
PARTS = 2
_LETTERS = bytes(byte if chr(byte).isascii() and chr(byte).isalpha() else 32 for byte in range(256))
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


class Words(NamedTuple):
    """The words of a change, in small letters."""

    changed: frozenset[str]
    """Words of changed lines that came more often than they went, or went more often."""
    title: frozenset[str]
    path: frozenset[str]
    """Words of the names of changed files and of their folders."""


NO_WORDS = Words(frozenset(), frozenset(), frozenset())


class Vocabulary:
    """The words that are told apart: all, or those that somebody knows something of."""

    def __init__(self, known: Collection[str] | None = None) -> None:
        self._known = known
        self._taken_apart: dict[bytes, tuple[str, ...]] = {}

    def words_of(self, texts: Iterable[ChangedText], paths: Iterable[str], title: str) -> Words:
        """The words of the changed lines of some files, of their paths and of the title."""
        near = [name for path in paths for name in path.split("/")[-PARTS:]]
        return Words(self._changed(texts), self._all(title), self._all("/".join(near)))

    def _changed(self, texts: Iterable[ChangedText]) -> frozenset[str]:
        added: Counter[bytes] = Counter()
        removed: Counter[bytes] = Counter()
        for text in texts:
            added.update(text.added.translate(_LETTERS).split())
            removed.update(text.removed.translate(_LETTERS).split())
        taken_apart, net = self._taken_apart, defaultdict[str, int](int)
        for sign, more, fewer in ((1, added, removed), (-1, removed, added)):
            for name, count in more.items() - fewer.items() if fewer else more.items():
                words = taken_apart.get(name)
                if words is None:
                    words = self._take_apart(name)
                for word in words:
                    net[word] += sign * count
        return frozenset([word for word, count in net.items() if count])

    def _all(self, text: str) -> frozenset[str]:
        taken_apart, found = self._taken_apart, set[str]()
        for name in text.encode("utf-8", "replace").translate(_LETTERS).split():
            words = taken_apart.get(name)
            found.update(self._take_apart(name) if words is None else words)
        return frozenset(found)

    def _take_apart(self, name: bytes) -> tuple[str, ...]:
        if len(name) > LONGEST_NAME:
            return ()
        parts = [part.lower() for part in _PARTS.findall(name.decode("ascii"))]
        words = tuple([part for part in parts if SHORTEST <= len(part) <= LONGEST])
        if self._known is not None:
            words = tuple([word for word in words if word in self._known])
        if len(self._taken_apart) >= MOST_NAMES:
            self._taken_apart.clear()
        self._taken_apart[name] = words
        return words

"""The words of a change, as far as a model can have learned what they speak for.

Identifiers are taken apart: `userName` and `user_name` are the same two words.
"""

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from reviewbot.routing.text import ChangedText

#: Letters of a word, and of what is taken apart: longer ones are data.
SHORTEST, LONGEST, LONGEST_NAME = 3, 19, 60
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


def words_of(texts: Iterable[ChangedText], paths: Iterable[str], title: str) -> Words:
    """The words of the changed lines of some files, of their paths and of the title."""
    near = [name for path in paths for name in path.split("/")[-PARTS:]]
    return Words(_changed(texts), _all(title), _all("/".join(near)))


def _changed(texts: Iterable[ChangedText]) -> frozenset[str]:
    added: Counter[bytes] = Counter()
    removed: Counter[bytes] = Counter()
    for text in texts:
        added.update(text.added.translate(_LETTERS).split())
        removed.update(text.removed.translate(_LETTERS).split())
    net: Counter[str] = Counter()
    for sign, more, fewer in ((1, added, removed), (-1, removed, added)):
        for name, count in more.items() - fewer.items():
            for word in _words(name):
                net[word] += sign * count
    return frozenset(word for word, count in net.items() if count)


def _all(text: str) -> frozenset[str]:
    names = text.encode("utf-8", "replace").translate(_LETTERS).split()
    return frozenset(word for name in names for word in _words(name))


def _words(name: bytes) -> tuple[str, ...]:
    return _taken_apart(name) if len(name) <= LONGEST_NAME else ()


@lru_cache(maxsize=32_768)
def _taken_apart(name: bytes) -> tuple[str, ...]:
    words = [part.lower() for part in _PARTS.findall(name.decode("ascii"))]
    return tuple([word for word in words if SHORTEST <= len(word) <= LONGEST])

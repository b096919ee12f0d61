"""What a file is by its name alone: the tables of kinds.toml."""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

from reviewbot.change.globs import matcher
from reviewbot.change.model import Kind

_ORDER = (
    ("lockfile", Kind.LOCKFILE),
    ("vendored", Kind.VENDORED),
    ("test_directory", Kind.TEST),
    ("migration", Kind.MIGRATION),
    ("generated", Kind.GENERATED),
    ("translation", Kind.TRANSLATION),
    ("test", Kind.TEST),
    ("manifest", Kind.MANIFEST),
    ("docs", Kind.DOCS),
    ("config", Kind.CONFIG),
)
"""Tables of kinds.toml; the first that knows a path tells its kind."""


class _Table(NamedTuple):
    """One table, its patterns sorted by how they are looked up: most need no pattern matching."""

    names: frozenset[str]
    directories: frozenset[str]
    endings: tuple[str, ...]
    """What a file's name ends with."""
    others: Callable[[str], bool]
    """Whether a path matches one of the other patterns."""

    def holds(self, path: str, directories: list[str], name: str, others: bool) -> bool:
        """Whether a file `name` at `path`, below these directories, is in the table.

        Without `others` its patterns for a path are not asked.
        """
        return (
            name in self.names
            or name.endswith(self.endings)
            or not self.directories.isdisjoint(directories)
            or (others and self.others(path))
        )


@lru_cache(maxsize=16_384)
def kind_by_name(path: str) -> Kind:
    """The kind that a path tells; source where no table knows it."""
    *directories, name = path.split("/")
    tables, whole = _tables()
    others = whole.others(path)  # few paths need more than this one look
    if not whole.holds(path, directories, name, others):
        return Kind.SOURCE
    for table, kind in _ORDER:
        if tables[table].holds(path, directories, name, others) and not (
            kind is Kind.MIGRATION and tables["no_migration"].holds(path, directories, name, others)
        ):
            return kind
    return Kind.SOURCE


@cache
def _tables() -> tuple[Mapping[str, _Table], _Table]:
    """The tables by name, and all in one."""
    document = tomllib.loads(files(__package__).joinpath("kinds.toml").read_text("utf-8"))
    words = {name: " ".join(rows.values()).split() for name, rows in document.items()}
    tables = {name: _table(patterns) for name, patterns in words.items()}
    return tables, _table([word for patterns in words.values() for word in patterns])


def _table(words: Iterable[str]) -> _Table:
    names, directories, endings, others = set(), set(), [], []
    for pattern in (pattern for word in words for pattern in _spelt_out(word)):
        body = pattern.strip("*/")
        if any(char in body for char in "*?[/"):
            others.append(_anywhere(pattern))
        elif pattern == body:
            names.add(body)
        elif pattern == f"{body}/":
            directories.add(body)
        elif pattern == f"*{body}":
            endings.append(body)
        else:
            others.append(_anywhere(pattern))
    return _Table(frozenset(names), frozenset(directories), tuple(endings), matcher(*others))


def _spelt_out(pattern: str) -> Iterator[str]:
    """The pattern once for each alternative in its braces."""
    before, brace, rest = pattern.partition("{")
    if not brace:
        yield pattern
        return
    choices, _, after = rest.partition("}")
    for choice in choices.split(","):
        yield from _spelt_out(before + choice + after)


def _anywhere(pattern: str) -> str:
    """As a path pattern whose directories may lie anywhere, unless it says from the root."""
    if pattern.endswith("/"):
        pattern += "**"
    return pattern if "/" not in pattern or pattern.startswith("/") else f"**/{pattern}"

"""Matches a path against many gitignore-style lists at once."""

from collections.abc import Sequence

from reviewbot.config.patterns import path_expression
from reviewbot.routing.patterns import PatternSet


class PathSets:
    """Several lists of gitignore-style patterns. Case is ignored; the last that matches decides.

    pathspec translates the patterns; one RE2 set matches them all, in linear time.
    """

    def __init__(self, lists: Sequence[Sequence[str]]) -> None:
        self._open = frozenset(i for i, patterns in enumerate(lists) if not patterns)
        self._entries: list[tuple[int, bool]] = []
        expressions: list[str] = []
        for index, patterns in enumerate(lists):
            for text in patterns:
                if expression := path_expression(text):
                    expressions.append(expression.regex)
                    self._entries.append((index, expression.include))
        self._set = PatternSet(expressions, case_sensitive=False)

    def holding(self, path: str) -> set[int]:
        """Indices of the lists that hold `path`; an empty list holds every path."""
        inside = set(self._open)
        for entry in self._set.occurring(path.encode("utf-8", "replace")):
            index, include = self._entries[entry]
            if include:
                inside.add(index)
            else:
                inside.discard(index)
        return inside


class PathList:
    """One list of gitignore-style patterns; an empty one holds nothing."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._sets = PathSets([patterns]) if patterns else None

    def __contains__(self, path: str) -> bool:
        return self._sets is not None and bool(self._sets.holding(path))

"""Matches a path against many gitignore-style lists at once."""

from collections.abc import Sequence

from reviewbot.config.patterns import path_expression
from reviewbot.routing.patterns import PathPatterns


class PathSets:
    """Several lists of gitignore-style patterns. Case is ignored; the last that matches decides.

    pathspec translates the patterns; one RE2 set matches them all, in linear time, and what
    several lists share it matches once.
    """

    def __init__(self, lists: Sequence[Sequence[str]]) -> None:
        self._open = frozenset(i for i, patterns in enumerate(lists) if not patterns)
        members: dict[tuple[str, ...], list[int]] = {}
        for index, patterns in enumerate(lists):
            members.setdefault(tuple(patterns), []).append(index)
        self._members = list(members.values())
        """Which lists are the same."""
        numbers: dict[str, int] = {}
        self._users: list[list[tuple[int, int, bool]]] = []
        """By expression: who uses it, at which place in its list, to take in or out."""
        for user, patterns in enumerate(members):
            for place, text in enumerate(patterns):
                if expression := path_expression(text):
                    number = numbers.setdefault(expression.regex, len(numbers))
                    if number == len(self._users):
                        self._users.append([])
                    self._users[number].append((user, place, expression.include))
        self._set = PathPatterns(list(numbers))

    def holding(self, path: str) -> set[int]:
        """Indices of the lists that hold `path`; an empty list holds every path."""
        last: dict[int, tuple[int, bool]] = {}
        for number in self._set.occurring(path.encode("utf-8", "replace")):
            for user, place, include in self._users[number]:
                if user not in last or place > last[user][0]:
                    last[user] = (place, include)
        inside = set(self._open)
        for user, (_, include) in last.items():
            if include:
                inside.update(self._members[user])
        return inside


class PathList:
    """One list of gitignore-style patterns; an empty one holds nothing."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._sets = PathSets([patterns]) if patterns else None

    def __contains__(self, path: str) -> bool:
        return self._sets is not None and bool(self._sets.holding(path))

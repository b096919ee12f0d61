"""Tells in one cheap pass over a text which of many patterns can't be in it."""

from collections.abc import Sequence
from typing import Any

import re2

from reviewbot.config.patterns import options, per_line
from reviewbot.routing.skeleton import skeletons

#: What every text holds: an automaton that does not find it has failed.
_EVERYWHERE = r"\A"
#: Memory of one automaton, bytes: for the shipped rules it uses a third of it.
_MEMORY = 32 << 20


class Sieve:
    """An automaton of the patterns' skeletons (docs/decisions/0007-sieve-before-patterns.md)."""

    def __init__(self, patterns: Sequence[str]) -> None:
        owners: dict[str, list[int]] = {}
        always = set()
        for index, pattern in enumerate(patterns):
            found = skeletons(pattern)
            for skeleton in found:
                owners.setdefault(skeleton, []).append(index)
            if not found:
                always.add(index)
        self._automatons: list[_Automaton] = []
        left = [list(owners)] if owners else []
        while left:
            sources = left.pop()
            automaton = _automaton(sources)
            if automaton:
                told = [tuple(owners[source]) for source in sources]
                self._automatons.append(_Automaton(automaton, told))
            elif len(sources) == 1:
                always.update(owners[sources[0]])
            else:  # too large for one: two halves
                middle = len(sources) // 2
                left += [sources[:middle], sources[middle:]]
        self.always = frozenset(always)
        """Indices of the patterns that it can't rule out in any text."""

    def passing(self, data: bytes) -> set[int]:
        """Indices of the patterns that may occur in `data`, but for those of `always`; none that
        does occur is missing.
        """
        found: set[int] = set()
        for automaton in self._automatons:
            automaton.add_passing(data, found)
        return found


class _Automaton:
    """One set of skeletons and whose they are."""

    def __init__(self, automaton: Any, owners: Sequence[tuple[int, ...]]) -> None:
        self._automaton = automaton
        self._owners = [*owners, ()]
        self._last = len(owners)

    def add_passing(self, data: bytes, found: set[int]) -> None:
        """Add the patterns of which a skeleton is in `data`."""
        owners = self._owners
        hits = self._automaton.Match(data)
        if not hits or self._last not in hits:  # RE2 ran out of memory on this very text
            hits = range(self._last)
        for hit in hits:
            found.update(owners[hit])


def _automaton(sources: Sequence[str]) -> Any:
    """RE2's set of some patterns and, last, of `_EVERYWHERE`; None where that is too large."""
    made = options()
    made.max_mem = _MEMORY
    automaton = re2.Set.SearchSet(made)
    try:
        for source in (*sources, _EVERYWHERE):
            automaton.Add(per_line(source))
        automaton.Compile()
    except re2.error:
        return None
    return automaton if automaton.Match(b"") else None

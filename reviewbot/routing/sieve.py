"""Tells in one cheap pass over a text which of many patterns can't be in it."""

from collections.abc import Sequence

import re2

from reviewbot.config.patterns import options, per_line
from reviewbot.routing.skeleton import skeletons

#: Text that no code holds: what must be found in it says whether a set works.
PROBE = "zqxjkvbpw"
#: Memory of one automaton, bytes.
_MEMORY = 32 << 20


class Sieve:
    """Patterns, and an automaton of their skeletons (docs/decisions/0007-routing-sieve.md)."""

    def __init__(self, patterns: Sequence[str]) -> None:
        owners: dict[str, list[int]] = {}
        always = set()
        for index, pattern in enumerate(patterns):
            found = skeletons(pattern)
            for skeleton in found:
                owners.setdefault(skeleton, []).append(index)
            if not found:
                always.add(index)
        self._sets = []
        left = [list(owners)]
        while left:
            sources = left.pop()
            if made := _compiled(sources):
                self._sets.append((made, [tuple(owners[source]) for source in sources]))
            elif len(sources) == 1:
                always.update(owners[sources[0]])
            elif sources:
                middle = len(sources) // 2
                left += [sources[:middle], sources[middle:]]
        self.always = frozenset(always)
        """Patterns that it can't rule out anywhere."""

    def passing(self, data: bytes) -> set[int]:
        """Indices of the patterns that may occur in `data`, but for those of `always`; none that
        does occur is missing.
        """
        found: set[int] = set()
        for automaton, owners in self._sets:
            for hit in automaton.Match(data) or ():
                found.update(owners[hit])
        return found


def _compiled(sources: Sequence[str]) -> "re2.Set | None":
    made = options()
    made.max_mem = _MEMORY
    automaton = re2.Set.SearchSet(made)
    try:
        for source in sources:
            automaton.Add(per_line(source))
        probe = automaton.Add(PROBE)
        automaton.Compile()
    except re2.error:
        return None
    return automaton if automaton.Match(PROBE.encode()) == [probe] else None

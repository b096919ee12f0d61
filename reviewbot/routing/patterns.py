"""Many RE2 patterns over one text."""

from collections.abc import Callable, Sequence
from typing import Any

import re2

from reviewbot.config.patterns import options, per_line

#: Text that no code holds: what must be found in it says whether the filter works.
_PROBE = "zqxjkvbpw"

#: What a search gives that finds nothing.
NOT_FOUND = (-1, -1)
#: Looks between two offsets of a text; says where the first match begins and ends.
Finder = Callable[[bytes, int, int], tuple[int, int]]


def finder(pattern: Any) -> Finder:
    """The search of a compiled pattern without the generator and the match object around it.

    Those cost more than the search on a line; tests hold this to what the pattern itself finds.
    """
    match, anywhere = pattern._regexp.Match, re2._Anchor.UNANCHORED

    def find(data: bytes, first: int, last: int) -> tuple[int, int]:
        span: tuple[int, int] = match(anywhere, data, first, last)[0]
        return span

    return find


class PatternSet:
    """Says which of its patterns occur in a text.

    One pass looks for the literal parts of all patterns; only patterns whose parts are there can
    occur. RE2's own set of whole patterns needs no second look, but builds so many states that
    its first megabyte takes seconds.
    """

    def __init__(self, patterns: Sequence[Sequence[str]], *, case_sensitive: bool = True) -> None:
        """Each pattern is a list of alternatives. They are filtered and looked for one by one: RE2
        gives up on the literal parts of long alternations, and runs out of states in them.
        """
        self._owners = [index for index, parts in enumerate(patterns) for _ in parts]
        self._filter = re2.Filter()
        for parts in patterns:
            for part in parts:
                self._filter.Add(per_line(part), options(case_sensitive=case_sensitive))
        self._filter.Add(_PROBE, options())
        self._works = self._compiles()
        self._finders = [finder(self._filter.re(i)) for i in range(len(self._owners))]

    def _compiles(self) -> bool:
        """Whether RE2 has memory enough for the filter; one that has not finds nothing."""
        try:
            self._filter.Compile()
        except re2.error:
            return False
        return len(self._owners) in (self._filter.Match(_PROBE.encode(), True) or ())

    def candidates(self, data: bytes) -> dict[int, list[Finder]]:
        """Indices of the patterns that may occur in `data`, in order, with a search for each of
        their alternatives that may; none that does occur is missing.
        """
        found: dict[int, list[Finder]] = {}
        for hit in self._hits(data, potential=True):
            found.setdefault(self._owners[hit], []).append(self._finders[hit])
        return found

    def occurring(self, data: bytes) -> set[int]:
        """Indices of the patterns that occur in `data`."""
        if self._works:
            return {self._owners[hit] for hit in self._hits(data, potential=False)}
        searched = zip(self._owners, self._finders, strict=True)
        return {owner for owner, find in searched if find(data, 0, len(data))[0] >= 0}

    def _hits(self, data: bytes, *, potential: bool) -> list[int]:
        count = len(self._owners)  # also the number of the probe
        if not self._works:
            return list(range(count))
        hits = self._filter.Match(data, potential) or ()
        return sorted(hit for hit in hits if hit != count)


def earliest(finders: Sequence[Finder]) -> Finder:
    """One search for several alternatives, in one text from its beginning to its end.

    It finds what `a|b|c` would: of those that begin first the first, each read once.
    """
    if len(finders) == 1:
        return finders[0]
    spans = [(-2, 0)] * len(finders)

    def find(data: bytes, first: int, last: int) -> tuple[int, int]:
        best = NOT_FOUND
        for index, span in enumerate(spans):
            if span[0] < first and span != NOT_FOUND:
                span = spans[index] = finders[index](data, first, last)
            if span[0] >= 0 and (best[0] < 0 or span[0] < best[0]):
                best = span
        return best

    return find

"""Many RE2 patterns over one text."""

from collections.abc import Callable, Iterable, Sequence, Set
from functools import partial
from typing import Any

import re2

from reviewbot.config.patterns import options, per_line

#: Text that no code holds: what must be found in it says whether the filter works.
_PROBE = "zqxjkvbpw"

#: Text of which one filter pass says what may occur in it, bytes: longer ones are cut in pieces,
#: since a long text has the parts of nearly every pattern somewhere.
PIECE = 2_048
#: What a search gives that finds nothing.
NOT_FOUND = (-1, -1)
Span = tuple[int, int]
#: Looks between two offsets of a text; says where the first match and its groups begin and end.
Finder = Callable[[bytes, int, int], Sequence[Span]]


def finder(pattern: Any) -> Finder:
    """The search of a compiled pattern without the generator and the match object around it.

    Those cost more than the search on a line; tests hold this to what the pattern itself finds.
    """
    return partial(pattern._regexp.Match, re2._Anchor.UNANCHORED)


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

    def candidates(self, data: bytes, among: Set[int]) -> dict[int, "Search"]:
        """Searches for the patterns of these indices that may occur in `data`, in their order; none
        that does occur is missing.
        """
        places: dict[int, list[Span]] = {}
        for piece in _pieces(data):
            part = data if piece[1] - piece[0] == len(data) else data[slice(*piece)]
            for hit in self._hits(part, potential=True):
                if self._owners[hit] in among:
                    places.setdefault(hit, []).append(piece)
        found: dict[int, Search] = {}
        for hit in sorted(places):
            owner = self._owners[hit]
            search = found.get(owner)
            if search is None:
                search = found[owner] = Search(data)
            search.add(self._finders[hit], places[hit])
        return found

    def occurring(self, data: bytes) -> set[int]:
        """Indices of the patterns that occur in `data`."""
        if self._works:
            return {self._owners[hit] for hit in self._hits(data, potential=False)}
        searched = zip(self._owners, self._finders, strict=True)
        return {owner for owner, find in searched if find(data, 0, len(data))[0] != NOT_FOUND}

    def _hits(self, data: bytes, *, potential: bool) -> Iterable[int]:
        count = len(self._owners)  # also the number of the probe
        if not self._works:
            return range(count)
        hits = self._filter.Match(data, potential) or ()
        return (hit for hit in hits if hit != count)


class Search:
    """Finds what `a|b|c` would in one text: of those that begin first the first.

    Each alternative reads only the pieces of the text that may hold it, each piece once.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._finders: list[Finder] = []
        self._pieces: list[list[Span]] = []
        self._found: list[Span] = []

    def add(self, find: Finder, pieces: list[Span]) -> None:
        """Look for one more alternative, in these pieces, which follow each other."""
        self._finders.append(find)
        self._pieces.append(pieces[::-1])
        self._found.append((-2, -2))

    def find(self, first: int, last: int) -> Span:
        """The first match between two offsets, NOT_FOUND if there is none.

        `first` never falls from one call to the next, `last` stays.
        """
        best = NOT_FOUND
        for index, span in enumerate(self._found):
            if span[0] < first and span != NOT_FOUND:
                span = self._found[index] = self._next(index, first, last)
            if span[0] >= 0 and (best[0] < 0 or span[0] < best[0]):
                best = span
        return best

    def _next(self, index: int, first: int, last: int) -> Span:
        pieces = self._pieces[index]
        while pieces:
            begin, end = pieces[-1]
            begin, end = max(begin, first), min(end, last)
            if begin < end:
                span = self._finders[index](self._data, begin, end)[0]
                if span != NOT_FOUND:
                    return span
            pieces.pop()
        return NOT_FOUND


def _pieces(data: bytes) -> list[Span]:
    """Where a text is cut: at ends of lines, since no match spans two."""
    size, begin, pieces = len(data), 0, []
    while size - begin > 2 * PIECE:
        end = data.find(b"\n", begin + PIECE)
        if end < 0:
            break
        pieces.append((begin, end))
        begin = end + 1
    pieces.append((begin, size))
    return pieces

"""Many RE2 patterns over one text."""

from collections.abc import Callable, Iterable, Sequence, Set
from functools import lru_cache, partial
from typing import Any, Protocol

import re2

from reviewbot.config.patterns import compile_pattern, options, per_line
from reviewbot.routing.sieve import Sieve

#: Text that no path holds: what must be found in it says whether the filter works.
_PROBE = "zqxjkvbpw"

#: Text that is sieved at once, bytes: a longer one is cut in pieces, since a long text has
#: something of many patterns somewhere.
PIECE = 1_024
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


@lru_cache(maxsize=512)
def any_of(patterns: tuple[str, ...]) -> Finder:
    """The search for any of these patterns, compiled once."""
    return finder(compile_pattern("|".join(f"(?:{pattern})" for pattern in patterns)))


class PathPatterns:
    """Says which of its patterns occur in a path, in one pass. Upper and lower case are the same."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = tuple(patterns)
        self._filter = re2.Filter()
        for pattern in self._patterns:
            self._filter.Add(per_line(pattern), options(case_sensitive=False))
        self._filter.Add(_PROBE, options())
        self._works = self._compiles()

    def _compiles(self) -> bool:
        """Whether RE2 has memory enough for the filter; one that has not finds nothing."""
        try:
            self._filter.Compile()
        except re2.error:
            return False
        return len(self._patterns) in (self._filter.Match(_PROBE.encode()) or ())

    def occurring(self, path: bytes) -> set[int]:
        """Indices of the patterns that occur in `path`."""
        count = len(self._patterns)  # also the number of the probe
        if not self._works:
            return {i for i in range(count) if self._filter.re(i).search(path)}
        return {hit for hit in self._filter.Match(path) or () if hit != count}


class TextPatterns:
    """Finds patterns in texts; those that can't be in a text are not looked for."""

    def __init__(self, patterns: Sequence[Sequence[str]]) -> None:
        """Each pattern is a list of alternatives, looked for one by one: RE2 runs out of states
        in long alternations.
        """
        self._owners = [index for index, parts in enumerate(patterns) for _ in parts]
        flat = [part for parts in patterns for part in parts]
        self._sieve = Sieve(flat)
        self._finders = [finder(compile_pattern(part)) for part in flat]
        self._always: dict[int, list[int]] = {}
        """The patterns that can't be ruled out, by their owners."""
        for number in sorted(self._sieve.always):
            self._always.setdefault(self._owners[number], []).append(number)

    def candidates(self, data: bytes, among: Set[int]) -> dict[int, "Search"]:
        """Searches for the patterns of these indices that may occur in `data`, in their order; none
        that does occur is missing.
        """
        owners = self._owners
        whole = (0, len(data))
        places = {
            hit: [whole] for owner in self._always.keys() & among for hit in self._always[owner]
        }
        for piece in _pieces(data):
            for hit in self._sieve.passing(data if piece == whole else data[slice(*piece)]):
                if owners[hit] in among:
                    _add_piece(places.setdefault(hit, []), piece)
        found: dict[int, list[One]] = {}
        for hit in sorted(places):
            one = One(self._finders[hit], data, places[hit])
            found.setdefault(owners[hit], []).append(one)
        return {
            owner: ones[0] if len(ones) == 1 else Several(ones) for owner, ones in found.items()
        }


class Search(Protocol):
    """Finds a pattern in one text."""

    def find(self, first: int, last: int) -> Span:
        """The first match between two offsets, NOT_FOUND if there is none.

        `first` never falls from one call to the next, `last` stays.
        """


class One:
    """Finds one alternative. It reads only the pieces of the text that may hold it."""

    __slots__ = ("_data", "_finder", "_pieces", "span")

    def __init__(self, find: Finder, data: bytes, pieces: list[Span]) -> None:
        self._finder = find
        self._data = data
        self._pieces = pieces[::-1]
        self.span = (-2, -2)
        """What was found last."""

    def find(self, first: int, last: int) -> Span:
        """As `Search` says."""
        pieces = self._pieces
        while pieces:
            begin, end = pieces[-1]
            if begin < first:
                begin = first
            if end > last:
                end = last
            if begin < end:
                self.span = span = self._finder(self._data, begin, end)[0]
                if span[0] >= 0:
                    return span
            pieces.pop()
        self.span = NOT_FOUND
        return NOT_FOUND


class Several:
    """Finds what `a|b|c` would: of those that begin first the first."""

    def __init__(self, searches: Sequence[One]) -> None:
        self._searches = searches

    def find(self, first: int, last: int) -> Span:
        """As `Search` says."""
        best = NOT_FOUND
        for search in self._searches:
            span = search.span
            if span[0] < first and span != NOT_FOUND:
                span = search.find(first, last)
            if span[0] >= 0 and (best[0] < 0 or span[0] < best[0]):
                best = span
        return best


def _add_piece(pieces: list[Span], piece: Span) -> None:
    """Add a piece, as one with that before it where both follow each other."""
    if pieces and pieces[-1][1] + 1 == piece[0]:
        piece = (pieces.pop()[0], piece[1])
    pieces.append(piece)


def _pieces(data: bytes) -> Iterable[Span]:
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

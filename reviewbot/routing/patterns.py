"""Many RE2 patterns over one text."""

from collections.abc import Sequence

import re2

from reviewbot.config.patterns import compile_pattern, options, per_line

#: Text that no code holds: what must be found in it says whether the filter works.
_PROBE = "zqxjkvbpw"


class PatternSet:
    """Says which of its patterns occur in a text.

    One pass looks for the literal parts of all patterns; only patterns whose parts are there can
    occur. RE2's own set of whole patterns needs no second look, but builds so many states that
    its first megabyte takes seconds.
    """

    def __init__(self, patterns: Sequence[Sequence[str]], *, case_sensitive: bool = True) -> None:
        """Each pattern is a list of alternatives: looked for as one, yet filtered one by one,
        since RE2 gives up on the literal parts of long alternations.
        """
        joined = ["|".join(f"(?:{part})" for part in parts) for parts in patterns]
        self.compiled = [compile_pattern(p, case_sensitive=case_sensitive) for p in joined]
        self._owners = [index for index, parts in enumerate(patterns) for _ in parts]
        self._filter = re2.Filter()
        for parts in patterns:
            for part in parts:
                self._filter.Add(per_line(part), options(case_sensitive=case_sensitive))
        self._filter.Add(_PROBE, options())
        self._works = self._compiles()

    def _compiles(self) -> bool:
        """Whether RE2 has memory enough for the filter; one that has not finds nothing."""
        try:
            self._filter.Compile()
        except re2.error:
            return False
        return len(self._owners) in (self._filter.Match(_PROBE.encode(), True) or ())

    def candidates(self, data: bytes) -> list[int]:
        """Indices of the patterns that may occur in `data`, in order; none that does is missing."""
        return self._hits(data, potential=True)

    def occurring(self, data: bytes) -> list[int]:
        """Indices of the patterns that occur in `data`, in order."""
        if not self._works:
            return [i for i, pattern in enumerate(self.compiled) if pattern.search(data)]
        return self._hits(data, potential=False)

    def _hits(self, data: bytes, *, potential: bool) -> list[int]:
        if not self._works:
            return list(range(len(self.compiled)))
        hits = self._filter.Match(data, potential) or ()
        last = len(self._owners)  # the probe
        return sorted({self._owners[hit] for hit in hits if hit != last})

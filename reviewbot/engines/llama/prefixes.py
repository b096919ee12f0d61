"""Starts that prompts share: which are kept, where, and which go first when cells are needed.

Bookkeeping only: nothing here touches the model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count


@dataclass(eq=False)
class Prefix:
    """The first tokens of some prompts, computed once and kept in a sequence of their own."""

    tokens: tuple[int, ...]
    parent: "Prefix | None"
    """A shorter one that this one begins with, and whose cells it shares."""
    sequence: int
    at: int = 0
    """How many tokens are computed or shared."""
    begun: bool = False
    """It has its parent's cells."""
    users: int = 0
    """Live jobs and longer prefixes that begin with it."""
    used: int = 0
    """When somebody last wanted it."""

    @property
    def ready(self) -> bool:
        return self.at == len(self.tokens)

    @property
    def cells(self) -> int:
        """Cells of its own."""
        return len(self.tokens) - (len(self.parent.tokens) if self.parent else 0)


class Prefixes:
    """All prefixes that are kept."""

    def __init__(self, sequences: Sequence[int]) -> None:
        """`sequences` are the ids that prefixes may take."""
        self._free = list(sequences)
        self._kept: dict[tuple[int, ...], Prefix] = {}
        self._clock = count(1)

    @property
    def cells(self) -> int:
        """Cells that all of them hold or will hold."""
        return sum(prefix.cells for prefix in self._kept.values())

    @property
    def free(self) -> int:
        """How many more may be added."""
        return len(self._free)

    def unfinished(self) -> list[Prefix]:
        """Those to be computed, shorter ones first."""
        return [prefix for prefix in self._kept.values() if not prefix.ready]

    def longest(self, tokens: tuple[int, ...], cuts: Sequence[int]) -> Prefix | None:
        """The longest one kept that ends at one of the cuts."""
        found = (self._kept.get(tokens[:cut]) for cut in reversed(cuts))
        return next((prefix for prefix in found if prefix is not None), None)

    def add(self, tokens: tuple[int, ...], parent: Prefix | None) -> Prefix:
        """Keep one more; there must be a free sequence."""
        prefix = Prefix(tokens, parent, self._free.pop())
        if parent is not None:
            parent.users += 1
        self._kept[tokens] = prefix
        return prefix

    def hold(self, prefix: Prefix) -> None:
        """Somebody needs it from now on."""
        prefix.users += 1
        prefix.used = next(self._clock)

    def release(self, prefix: Prefix) -> None:
        """One user less. It stays for the next one."""
        prefix.users -= 1

    def oldest(self) -> Prefix | None:
        """The one to give up first: unneeded for the longest time."""
        idle = [prefix for prefix in self._kept.values() if not prefix.users]
        return min(idle, key=lambda prefix: prefix.used, default=None)

    def remove(self, prefix: Prefix) -> None:
        """Keep it no longer; nobody may need it."""
        del self._kept[prefix.tokens]
        self._free.append(prefix.sequence)
        if prefix.parent is not None:
            prefix.parent.users -= 1
            prefix.parent.used = max(prefix.parent.used, prefix.used)

"""What a text must hold for a pattern to be found in it: a part of the pattern without repetition.

Whole patterns in one automaton have too many states: each `\\w*` doubles them. Without repetition
the automaton only needs to know the last few characters, and still tells nearly all texts in which
a pattern is not.

Everything here errs on one side: a skeleton may be found where its pattern is not, never the other
way round. It is what stands at the beginning of a part of the pattern; where that repeats without
end, the skeleton stops.
"""

from collections.abc import Iterator
from functools import lru_cache
from math import log2
from typing import NamedTuple

from reviewbot.routing.pattern_tree import Choice, Node, One, Repeat, Row, UnreadError, read

#: A skeleton this rare is cut: more of it would make the automaton larger and nothing rarer.
ENOUGH_BITS = 64.0
#: A skeleton less rare than this is in nearly every text.
FEWEST_BITS = 7.0
#: A skeleton less rare than this is tried for each alternative in it, up to so many.
RARE_BITS, MOST_ROWS = 12.0, 32
#: What is in most words and is followed over so many characters.
MOST_WIDE = 3
#: Repetitions that are written out.
MOST_TIMES = 3
#: Longest skeleton, characters, and steps to make one.
MOST_SOURCE, MOST_STEPS = 20_000, 4_000


class _Part(NamedTuple):
    """The source of what a part of the pattern begins with."""

    source: str
    bits: float
    whole: bool
    """It stands for all of the part, so that more may follow."""


_STOP = _Part("", 0.0, False)
_END = _Part("", 0.0, True)


@lru_cache(maxsize=2048)
def skeletons(pattern: str) -> tuple[str, ...]:
    """RE2 patterns without repetition, of which one is found on every line on which `pattern` is.

    Empty where there is none that tells anything, or where the pattern is not understood.
    """
    try:
        tree = read(pattern)
        branches = [part for branch in _branches(tree) for part in _rare(branch)]
    except UnreadError:
        return ()
    if any(part.bits < FEWEST_BITS for part in branches):
        return ()
    return tuple(dict.fromkeys(part.source for part in branches))


def _branches(tree: Node) -> Iterator[tuple[Node, ...]]:
    """Each alternative that the whole pattern is one of, as a row."""
    items = _flat(tree)
    if len(items) == 1 and isinstance(items[0], Choice):
        for branch in items[0].branches:
            yield from _branches(branch)
    else:
        yield items


def _flat(tree: Node) -> tuple[Node, ...]:
    if not isinstance(tree, Row):
        return (tree,)
    return tuple(inner for item in tree.items for inner in _flat(item))


def _rare(items: tuple[Node, ...], left: int = MOST_ROWS) -> list[_Part]:
    """The rarest of what must be there; where it is not rare, one by one for each alternative."""
    best = _best(items)
    if best.bits < RARE_BITS:
        for index, item in enumerate(items):
            if isinstance(item, Choice) and 1 < len(item.branches) <= left:
                left //= len(item.branches)
                return [
                    part
                    for branch in item.branches
                    for part in _rare((*items[:index], *_flat(branch), *items[index + 1 :]), left)
                ]
    return [best]


def _best(items: tuple[Node, ...]) -> _Part:
    """The rarest of what must be there: at the beginning, and behind each repetition."""
    head = _Head()
    found = [head.of(items)]
    for index, item in enumerate(items):
        if head.bounded(item) is None:
            rest = items[index + 1 :]
            found.append(head.of(rest))
            if isinstance(item, Repeat) and item.least and head.bounded(item.item):
                found.append(head.of((item.item, *rest)))
    return max(found, key=lambda part: part.bits)


class _Head:
    """Makes what rows begin with, in a bounded number of steps."""

    def __init__(self) -> None:
        self._steps = 0
        self._bounded: dict[int, tuple[Node, _Part | None]] = {}

    def of(
        self, items: tuple[Node, ...], left: float = ENOUGH_BITS, wide: int = MOST_WIDE
    ) -> _Part:
        """What every match of a row begins with, as far as `left` bits and `wide` characters go."""
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise UnreadError
        if not items:
            return _END
        if left <= 0:
            return _STOP
        first, rest = items[0], items[1:]
        if isinstance(first, Row):
            return self.of((*first.items, *rest), left, wide)
        part = self.bounded(first)
        if part is not None:
            is_wide = isinstance(first, One) and not first.is_place and first.bits < 2
            if is_wide and not wide:
                return _STOP
            return _joined(part, self.of(rest, left - part.bits, wide - is_wide))
        if isinstance(first, Choice):
            short = tuple(each for each in first.branches if self.bounded(each))
            long = [each for each in first.branches if not self.bounded(each)]
            rows = [(Choice(short), *rest)] if short else []
            rows += [(each, *rest) for each in long]
            return _either([self.of(row, left, wide) for row in rows])
        assert isinstance(first, Repeat)  # noqa: S101 # One is bounded
        once = self.of((first.item,), left, wide)._replace(whole=False)
        if first.least:
            return once
        return _either([once, self.of(rest, left, wide)])

    def bounded(self, node: Node) -> _Part | None:
        """The node as a whole; None where it repeats without end, or too often."""
        known = self._bounded.get(id(node))
        if known is None:
            known = self._bounded[id(node)] = (node, self._whole(node))
        return known[1]

    def _whole(self, node: Node) -> _Part | None:
        if isinstance(node, One):
            return _Part(node.source, node.bits, True)
        if isinstance(node, Repeat):
            return self._repeated(node)
        inner = [
            self.bounded(each) for each in (node.items if isinstance(node, Row) else node.branches)
        ]
        parts = [part for part in inner if part is not None]
        if len(parts) < len(inner):
            return None
        if isinstance(node, Choice):
            return _either(parts)
        whole = _END
        for part in reversed(parts):
            whole = _joined(part, whole)
        return whole

    def _repeated(self, node: Repeat) -> _Part | None:
        inner = self.bounded(node.item)
        if inner is None or node.most is None or node.most > MOST_TIMES:
            return None
        source = f"(?:{inner.source}){{{node.least},{node.most}}}"
        return _Part(source, inner.bits * node.least, True)


def _joined(first: _Part, then: _Part) -> _Part:
    """A whole part, and what follows it."""
    return _sized(_Part(first.source + then.source, first.bits + then.bits, then.whole))


def _either(parts: list[_Part]) -> _Part:
    """One of several; nothing where one says nothing."""
    whole = all(part.whole for part in parts)
    if not whole and any(part.bits <= 0 for part in parts):
        return _STOP
    bits = max(0.0, -log2(sum(2**-part.bits for part in parts)))
    source = "|".join(dict.fromkeys(part.source for part in parts))
    return _sized(_Part(f"(?:{source})", bits, whole))


def _sized(part: _Part) -> _Part:
    if len(part.source) > MOST_SOURCE:
        raise UnreadError
    return part

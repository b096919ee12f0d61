"""A change packed by exact numbers of tokens, where the engine that will read it tells them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reviewbot.change.model import FileChange
from reviewbot.review.render import Chunk, chunks, heading
from reviewbot.review.units import Filling, Packed, joined, related

#: Exact tokens of each text; None where nobody can tell.
Count = Callable[[Sequence[str]], Sequence[int] | None]

#: So many characters are counted at a time: of a change without end, only what will be read.
_AT_A_TIME = 250_000


@dataclass
class _Draft:
    """A file on its way into sections."""

    file: FileChange
    head: str
    tail: str
    """What stands after each of its sections."""
    parts: list[Chunk]
    cost: int = 0
    """Tokens of heading and tail."""

    @property
    def size(self) -> int:
        return sum(len(part.text) for part in self.parts)

    def texts(self) -> Iterator[str]:
        """What has to be counted, with the line feeds that part it from its neighbours."""
        yield f"\n\n{self.head}\n{self.tail}\n"
        yield from (f"{part.text}\n" for part in self.parts)

    def take(self, counts: Iterator[int]) -> None:
        """The numbers for `texts`, in their order."""
        self.cost = next(counts)
        self.parts = [replace(part, tokens=next(counts)) for part in self.parts]

    def room(self, budget: int) -> int:
        """Tokens that one part may have."""
        return max(budget - self.cost, 64)


def pack_exactly(
    files: Iterable[FileChange],
    budget: int,
    count: Count,
    *,
    sources: Mapping[str, str],
    notes: Mapping[str, str],
    tails: Mapping[str, str],
) -> Packed | None:
    """As `units.pack`, into units of at most `budget` tokens by `count`, whatever stands after a
    file's sections (`tails`) included. None where `count` can't tell.

    A single line that is longer than a unit is left as it is.
    """
    filling, unread = Filling(budget), list[str]()
    for drafts in _batches(related(files), budget, sources, notes, tails):
        if filling.over:
            unread += [draft.file.path for draft in drafts]
        elif not _count(drafts, budget, count):
            return None
        else:
            for draft in drafts:
                filling.add(joined(draft.file, draft.head, draft.cost, draft.parts, budget))
    return filling.packed(unread)


def _batches(
    files: Iterable[FileChange],
    budget: int,
    sources: Mapping[str, str],
    notes: Mapping[str, str],
    tails: Mapping[str, str],
) -> Iterator[list[_Draft]]:
    batch: list[_Draft] = []
    for file in files:
        path = file.path
        parts = chunks(file, sources.get(path), budget)
        batch.append(_Draft(file, heading(file, notes.get(path, "")), tails.get(path, ""), parts))
        if sum(draft.size for draft in batch) >= _AT_A_TIME:
            yield batch
            batch = []
    if batch:
        yield batch


def _count(drafts: Sequence[_Draft], budget: int, count: Count) -> bool:
    """Count all parts, and cut those that fit no unit; whether that was possible."""
    counts = count([text for draft in drafts for text in draft.texts()])
    if counts is None:
        return False
    numbers = iter(counts)
    for draft in drafts:
        draft.take(numbers)
    long = [
        line
        for draft in drafts
        for part in draft.parts
        if part.tokens > draft.room(budget)
        for line in _lines(part)
    ]
    counts = count(long) if long else ()
    if counts is None:
        return False
    numbers = iter(counts)
    for draft in drafts:
        room = draft.room(budget)
        draft.parts = [
            piece
            for part in draft.parts
            for piece in ([part] if part.tokens <= room else _pieces(part, room, numbers))
        ]
    return True


def _lines(part: Chunk) -> list[str]:
    """The heading of a part that is cut, and its lines, as they are counted."""
    head, *lines = part.text.split("\n")
    return [f"{text}\n" for text in (f"{head.removesuffix(' …')} …", *lines)]


def _pieces(part: Chunk, room: int, counts: Iterator[int]) -> list[Chunk]:
    """A part cut between lines, of which `counts` has the tokens, into as few as can be."""
    head, *lines = _lines(part)
    cost = next(counts)
    groups: list[list[str]] = []
    sizes: list[int] = []
    for line in lines:
        tokens = next(counts)
        if not groups or sizes[-1] + tokens > room:
            groups.append([])
            sizes.append(cost)
        groups[-1].append(line)
        sizes[-1] += tokens
    return [
        Chunk("".join([head, *group])[:-1], size, _numbers(group, part.lines), part.cut)
        for group, size in zip(groups, sizes, strict=True)
    ]


def _numbers(lines: Sequence[str], within: range) -> range:
    """The numbers that these lines show, as far as the part's own range has them."""
    starts = (line[: len(line) - len(line.lstrip("0123456789"))] for line in lines)
    inside = [number for digits in starts if digits and (number := int(digits)) in within]
    return range(inside[0], inside[-1] + 1) if inside else range(0)

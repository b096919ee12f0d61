"""A change packed into units: parts that fit an engine's context, related files together."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reviewbot.change.model import FileChange
from reviewbot.change.tokens import estimate_tokens
from reviewbot.review.render import Chunk, chunks, heading, shown_path

#: More units than this are not asked for in one review: what is left is declared, not hidden.
MAX_UNITS = 64


@dataclass(frozen=True)
class Section:
    """One file's part in a unit."""

    path: str
    text: str
    tokens: int
    lines: tuple[range, ...]
    """Numbers of the new file that it shows from the diff."""
    cut: bool = False
    """Some of its lines are too long and shown in part."""

    def halves(self) -> tuple["Section", ...]:
        """Two sections of half the lines each, both with the file's heading; itself if short."""
        head, *lines = self.text.split("\n")
        if len(lines) < 4:
            return (self,)
        middle = len(lines) // 2
        texts = ["\n".join([head, *part]) for part in (lines[:middle], ["@@ …", *lines[middle:]])]
        return tuple(replace(self, text=t, tokens=estimate_tokens(t)) for t in texts)


@dataclass(frozen=True)
class Unit:
    """One prompt's worth of a change."""

    index: int
    sections: tuple[Section, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(section.path for section in self.sections))

    @property
    def tokens(self) -> int:
        """Tokens of all sections: exact where an engine has counted them, else estimated."""
        return sum(section.tokens for section in self.sections)

    def halves(self) -> tuple["Unit", "Unit"] | None:
        """Two smaller units, for when the estimate was too low; None if it can't be split."""
        sections = self.sections if len(self.sections) > 1 else self.sections[0].halves()
        if len(sections) < 2:
            return None
        middle = len(sections) // 2
        return Unit(self.index, sections[:middle]), Unit(self.index, sections[middle:])

    def fitting(self, budget: int) -> tuple["Unit", ...]:
        """The same in as many units as it takes for `budget` estimated tokens each."""
        halves = self.halves() if self.tokens > budget else None
        if halves is None:
            return (self,)
        return tuple(unit for half in halves for unit in half.fitting(budget))


@dataclass(frozen=True)
class Packed:
    """The units of some files, and the paths that did not get (wholly) into one."""

    units: tuple[Unit, ...]
    left_out: tuple[str, ...] = ()
    """Paths with parts beyond `MAX_UNITS`."""


#: A file, a unit's budget, the file's text and a note on it → its sections.
Render = Callable[[FileChange, int, str | None, str], Sequence[Section]]


def pack(
    files: Iterable[FileChange],
    budget: int,
    *,
    sources: Mapping[str, str] | None = None,
    notes: Mapping[str, str] | None = None,
    render: Render | None = None,
) -> Packed:
    """Pack files into units of at most `budget` estimated tokens.

    A change that fits goes whole; a larger one is cut between files, then between hunks, then
    between lines. `notes` stand in the file's heading (why it was flagged). `render` replaces
    `sections_of`, for who packs the same files several times.
    """
    sources, notes = sources or {}, notes or {}
    filling = Filling(budget)
    for file in related(files):
        filling.add(
            (render or sections_of)(file, budget, sources.get(file.path), notes.get(file.path, ""))
        )
    return filling.packed()


class Filling:
    """Units that are being filled, one after the other."""

    def __init__(self, budget: int) -> None:
        """`budget`: tokens of a unit."""
        self._budget = self._room = budget
        self._units: list[list[Section]] = [[]]

    @property
    def over(self) -> bool:
        """There are more units than are asked for already."""
        return len(self._units) > MAX_UNITS

    def add(self, sections: Iterable[Section]) -> None:
        """Put a file's sections into the last unit as far as it has room, then into new ones."""
        for section in sections:
            if section.tokens > self._room and self._units[-1]:
                self._units.append([])
                self._room = self._budget
            self._units[-1].append(section)
            self._room -= section.tokens

    def packed(self, unread: Iterable[str] = ()) -> Packed:
        """All that was added; `unread` are paths that were left out from the start."""
        kept = [unit for unit in self._units[:MAX_UNITS] if unit]
        extra = [section.path for unit in self._units[MAX_UNITS:] for section in unit]
        return Packed(
            tuple(Unit(index, tuple(sections)) for index, sections in enumerate(kept)),
            tuple(dict.fromkeys([*extra, *unread])),
        )


def sections_of(file: FileChange, budget: int, source: str | None, note: str) -> list[Section]:
    """The file as one section if it fits a unit, else as several."""
    head = heading(file, note)
    cost = estimate_tokens(head + "\n")
    parts = chunks(file, source, max(budget - cost, 64))
    return joined(file, head, cost, parts, budget)


def joined(
    file: FileChange, head: str, cost: int, parts: Sequence[Chunk], budget: int
) -> list[Section]:
    """A file's parts as sections of at most `budget` tokens; its heading costs `cost` in each."""
    cut = any(part.cut for part in parts)
    made: list[Section] = []
    texts: list[str] = []
    lines: list[range] = []
    size = cost
    for part in parts:
        if texts and size + part.tokens > budget:
            made.append(Section(file.path, "\n".join([head, *texts]), size, tuple(lines), cut))
            texts, lines, size = [], [], cost
        texts.append(part.text)
        lines.append(part.lines)
        size += part.tokens
    made.append(Section(file.path, "\n".join([head, *texts]), size, tuple(lines), cut))
    return made


_TEST_WORDS = re.compile(r"^(?:test|spec)[_.-]|[_.-](?:tests?|spec|specs)$|(?:Tests?|Spec)$")
_NO_NAME = {
    "__init__",
    "index",
    "mod",
    "main",
    "lib",
    "types",
    "models",
    "views",
    "utils",
    "page",
    "route",
}


def related(files: Iterable[FileChange]) -> list[FileChange]:
    """The files in their order, but a file and its test (the same stem) side by side."""
    groups: dict[str, list[FileChange]] = {}
    for file in files:
        folder, _, name = file.path.rpartition("/")
        stem = _TEST_WORDS.sub("", name.split(".", 1)[0])
        key = f"{folder}/{stem}" if not stem or stem in _NO_NAME else stem
        groups.setdefault(key, []).append(file)
    return [file for group in groups.values() for file in group]


def outline(files: Sequence[FileChange], *, most: int = 60) -> str:
    """One line a file: what the whole change touches. Cut after `most` files, and says so."""
    lines = [
        f"{file.status.value[0].upper()} {shown_path(file.path)} +{file.added_count} -{file.removed_count}"
        for file in files[:most]
    ]
    if len(files) > most:
        lines.append(f"… and {len(files) - most} more files")
    return "\n".join(lines)

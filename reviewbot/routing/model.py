"""The decision where a change goes, with its reasons."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NamedTuple

from reviewbot.change.model import Kind, Side

Certainty = Literal["sure", "uncertain"]


class Tier(StrEnum):
    """Where a change or file goes."""

    LOCAL = "local"
    CLAUDE = "claude"
    SKIP = "skip"
    """Nothing worth reading: lockfiles, generated files."""


class Match(NamedTuple):
    """A rule that fired, where and why."""

    rule: str
    area: str
    path: str
    line: int | None
    """Number of the line on `side`; None where the path alone matched."""
    side: Side
    why: str
    weight: float
    excerpt: str = ""
    """The matched line, cut to 160 characters."""
    is_place: bool = False
    """Where the file lies: no evidence alone, it adds to evidence of its area in the same file."""
    lines: int = 0
    """Changed lines of the file that are evidence, as far as they were counted; 0 for a path."""
    gone: bool = False
    """Some of them are removed ones, as far as they were counted and as a strong rule looks for."""


class FileRoute(NamedTuple):
    """Where one file goes."""

    path: str
    kind: Kind
    tier: Tier
    areas: tuple[str, ...] = ()
    reasons: tuple[Match, ...] = ()
    why: str = ""
    """In words, where no rule says it: `lockfile`, `generated`, `ignored by policy` …"""


@dataclass(frozen=True)
class Route:
    """Where a whole change goes, and each of its files."""

    tier: Tier
    """The highest tier of any file: claude over local over skip."""
    areas: tuple[str, ...]
    certainty: Certainty
    scores: Mapping[str, float]
    """Sum of weights per area over the change."""
    reasons: tuple[Match, ...]
    files: tuple[FileRoute, ...]
    why: str
    """The decision in one sentence."""
    notes: tuple[str, ...] = field(default=())
    """What else people should know: lockfiles changed, huge lines cut, files without a patch."""
    overridden: bool = False
    """A person's command sends some file elsewhere than the rules do."""

    def file(self, path: str) -> FileRoute:
        """The route of one file. Raises KeyError for a path that the change does not have."""
        for route in self.files:
            if route.path == path:
                return route
        raise KeyError(path)

"""Several passes over one unit: what most of them say is kept.

One pass of a small model says what it happened to see; what it says again and again, asked
independently, is more often there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from typing import NamedTuple

from reviewbot.review.assemble import Read
from reviewbot.review.finding import Finding


@dataclass(frozen=True)
class Part:
    """One unit, with all its readings by one engine: one, or one for each pass."""

    reads: tuple[Read, ...]
    """In the order of the passes."""

    @cached_property
    def answers(self) -> tuple[Read, ...]:
        """The passes of which anything could be read."""
        return tuple(read for read in self.reads if not read.nothing_read)

    @cached_property
    def best(self) -> Read:
        """The reading that stands for the part: the first that is whole, if there is one."""
        return min(self.reads, key=lambda read: (read.nothing_read, bool(read.problem)))

    @property
    def shortfall(self) -> str:
        """Which passes are missing and why, for people; empty where none or all are."""
        read, asked = len(self.answers), len(self.reads)
        if not 0 < read < asked:
            return ""
        unit = self.best.job.unit.index + 1
        why = next(read.problem for read in self.reads if read.nothing_read)
        return f"part {unit} was read in {read} of {asked} passes: {why}"


class Agreement(NamedTuple):
    """What the passes over one unit come to."""

    findings: tuple[Finding, ...]
    alone: int
    """Findings that too few passes made."""


def parts_of(reads: Iterable[Read]) -> list[Part]:
    """The readings by unit and engine, in order."""
    parts: dict[object, list[Read]] = {}
    for read in reads:
        parts.setdefault((read.job.role, read.job.unit), []).append(read)
    return [Part(tuple(same)) for same in parts.values()]


def needed(passes: int) -> int:
    """How many of so many passes must make a finding: half of them, and never one alone."""
    return min(passes, max(2, ceil(passes / 2)))


def agreed(passes: Sequence[Sequence[Finding]]) -> Agreement:
    """The findings that enough passes made, as the first of them put it.

    Two passes made the same finding where it has the same fingerprint, or the same category and
    overlapping lines. Its confidence is the mean of those that made it, times their share of all
    passes. One pass is taken as it is.
    """
    if len(passes) < 2:
        return Agreement(tuple(finding for made in passes for finding in made), 0)
    groups: list[dict[int, Finding]] = []  # which pass made it → how it put it
    for number, made in enumerate(passes):
        met = list(groups)  # of the passes before
        for finding in made:
            same = [group for group in met if same_finding(next(iter(group.values())), finding)]
            for group in same:
                group.setdefault(number, finding)
            if not same:
                groups.append({number: finding})
    enough = [group for group in groups if len(group) >= needed(len(passes))]
    kept = tuple(_joined(tuple(group.values()), len(passes)) for group in enough)
    return Agreement(kept, len(groups) - len(enough))


def same_finding(one: Finding, other: Finding) -> bool:
    """Whether two readings mean the same: by fingerprint, or by category and a common line."""
    if one.fingerprint and one.fingerprint == other.fingerprint:
        return True
    if not (one.anchored and other.anchored) or one.category != other.category:
        return False
    return (one.path, one.side) == (other.path, other.side) and (
        (one.line or 0) <= (other.end_line or 0) and (other.line or 0) <= (one.end_line or 0)
    )


def _joined(made: Sequence[Finding], passes: int) -> Finding:
    share = len(made) / passes
    mean = sum(finding.confidence for finding in made) / len(made)
    return replace(made[0], confidence=round(mean * share, 3), passes=(len(made), passes))

"""What models have read of a pull request before: that is not read again, and is said to be so."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

from reviewbot.change.identity import edits_in, followed, with_edits
from reviewbot.change.model import Change, FileChange
from reviewbot.review.assemble import Read
from reviewbot.review.engine import Role, stands_for
from reviewbot.review.finding import Coverage, CoverageStatus
from reviewbot.review.plan import Plan
from reviewbot.routing.model import Tier

#: How carefully the engine of a role reads.
CARE: Mapping[Role, Tier] = {
    "claude": Tier.CLAUDE,
    "fallback": Tier.CLAUDE,
    "low": Tier.LOCAL,
    "local": Tier.LOCAL,
}


@dataclass(frozen=True)
class FileRead:
    """Edits of one file that a model has read, as of one head."""

    path: str
    tier: Tier
    """How carefully: `claude` or `local`."""
    engine: str
    """The coverage table's word for who has read it."""
    head: str
    edits: Mapping[str, int]
    """Identity → how often it stood in the file."""

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "edits": dict(self.edits)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "FileRead":
        return cls(**{**data, "tier": Tier(data["tier"])})


@dataclass(frozen=True)
class ReadBefore:
    """All that earlier reviews of a pull request have read, oldest first."""

    files: tuple[FileRead, ...] = ()

    @cached_property
    def edits(self) -> dict[str, set[str]]:
        """Path → identities."""
        known: dict[str, set[str]] = {}
        for file in self.files:
            known.setdefault(file.path, set()).update(file.edits)
        return known

    @cached_property
    def _readings(self) -> dict[tuple[str, str], list[FileRead]]:
        known: dict[tuple[str, str], list[FileRead]] = {}
        for file in self.files:
            for edit in file.edits:
                known.setdefault((file.path, edit), []).append(file)
        return known

    def of(self, path: str, edit: str, count: int, tier: Tier) -> FileRead | None:
        """The newest reading of so many such edits, at least as careful; None without one.

        Of more equal edits than were read nobody can tell which are new: none counts as read.
        """
        careful = (
            each
            for each in reversed(self._readings.get((path, edit), ()))
            if each.edits[edit] >= count and (each.tier is Tier.CLAUDE or each.tier is tier)
        )
        return next(careful, None)


class Before(NamedTuple):
    """The part of a file that needs no reading."""

    engines: tuple[str, ...]
    heads: tuple[str, ...]

    @classmethod
    def of(cls, readings: Iterable[FileRead]) -> "Before":
        found = list(readings)
        engines = dict.fromkeys(name for each in found for name in each.engine.split(" + "))
        return cls(tuple(engines), tuple(dict.fromkeys(each.head for each in found)))

    @property
    def words(self) -> str:
        """`read at abc1234`, for the coverage table."""
        shown = ", ".join(short(head) for head in self.heads[:3])
        more = f" and {len(self.heads) - 3} more" if len(self.heads) > 3 else ""
        return f"read at {shown}{more}"


@dataclass(frozen=True)
class Left:
    """What is left to read."""

    plan: Plan
    """Files with the hunks that are new; those without any are in its coverage."""
    before: Mapping[str, Before]
    """Path → what was read of files that are read in part now."""
    names: Mapping[str, str]
    """Path → what the file was called when it was read."""
    whole_files: int = 0
    """Files of which nothing is new."""

    @property
    def nothing(self) -> bool:
        return not self.plan.assignments

    @property
    def some_was_read(self) -> bool:
        """Models are shown less than the plan had at first."""
        return bool(self.before) or self.whole_files > 0


def left_to_read(change: Change, plan: Plan, before: ReadBefore) -> Left:
    """Take from the plan what was read by a tier as careful as the one it goes to."""
    names = followed(change, before.edits)
    known = list(plan.coverage)
    partly: dict[str, Before] = {}
    assignments = []
    for assignment in plan.assignments:
        left = []
        for file in assignment.files:
            tier, name = CARE[stands_for(assignment.role)], names.get(file.path, file.path)
            counts = edits_in(file)
            readings = {edit: before.of(name, edit, n, tier) for edit, n in counts.items()}
            unread = frozenset(edit for edit, reading in readings.items() if not reading)
            new = tuple(part for hunk in file.hunks for part in with_edits(hunk, unread))
            found = Before.of(reading for reading in readings.values() if reading)
            if not new:
                known.append(_read(file, found, plan.caveats.get(file.path, "")))
                continue
            if new != file.hunks:
                partly[file.path] = found
            left.append(replace(file, hunks=new))
        if left:
            assignments.append(replace(assignment, files=tuple(left)))
    left_plan = replace(plan, assignments=tuple(assignments), coverage=tuple(known))
    return Left(left_plan, partly, names, len(known) - len(plan.coverage))


def with_before(coverage: Sequence[Coverage], before: Mapping[str, Before]) -> tuple[Coverage, ...]:
    """The coverage of this review's reading, with what was read of the same files before."""
    return tuple(
        _joined(entry, before[entry.path]) if entry.path in before else entry for entry in coverage
    )


def read_now(
    change: Change,
    left: Left,
    coverage: Sequence[Coverage],
    reads: Sequence[Read],
    known: ReadBefore,
) -> tuple[FileRead, ...]:
    """What later reviews need not read: of files that are read in full by now, the hunks that
    models were shown, whole and unredacted; and what is known of files by their new names."""
    full = {entry.path: entry.engine for entry in coverage if entry.status is CoverageStatus.FULL}
    by_path = _by_path(reads)
    shown = {file.path: file for each in left.plan.assignments for file in each.files}
    made = []
    for path, mine in by_path.items():
        redacted = any(path in read.job.composed.shown for read in mine)
        if path not in full or redacted:
            continue
        tiers = {CARE[stands_for(read.job.role)] for read in mine}
        tier = Tier.CLAUDE if tiers == {Tier.CLAUDE} else Tier.LOCAL
        counts = edits_in(change.by_path[path])
        edits = {edit: counts[edit] for edit in edits_in(shown[path]) if edit in counts}
        made.append(FileRead(path, tier, full[path], change.head or "", edits))
    return (*_renamed(change, left.names, known), *made)


def whole(coverage: Sequence[Coverage], reads: Sequence[Read]) -> frozenset[str]:
    """Files that models have read now, of which nothing is unread any more."""
    full = {entry.path for entry in coverage if entry.status is CoverageStatus.FULL}
    return frozenset(_by_path(reads).keys() & full)


def _by_path(reads: Sequence[Read]) -> dict[str, list[Read]]:
    by_path: dict[str, list[Read]] = {}
    for read in reads:
        for path in read.job.unit.paths:
            by_path.setdefault(path, []).append(read)
    return by_path


def _renamed(change: Change, names: Mapping[str, str], known: ReadBefore) -> Iterable[FileRead]:
    """Readings under the names that files have now: another rename can be followed, too."""
    for path, name in names.items():
        here = edits_in(change.by_path[path])
        for file in known.files:
            edits = {edit: n for edit, n in file.edits.items() if edit in here}
            if file.path == name and edits:
                yield replace(file, path=path, edits=edits)


def _read(file: FileChange, found: Before, caveat: str) -> Coverage:
    reason = "; ".join(part for part in (caveat, found.words) if part)
    return Coverage(file.path, CoverageStatus.FULL, " + ".join(found.engines), reason)


def _joined(entry: Coverage, before: Before) -> Coverage:
    own = [] if entry.engine == "none" else entry.engine.split(" + ")
    engines = " + ".join(dict.fromkeys([*before.engines, *own]))
    reason = "; ".join(part for part in (entry.reason, f"the rest {before.words}") if part)
    status = entry.status if own else CoverageStatus.PARTIAL
    return replace(entry, status=status, engine=engines, reason=reason)


def short(head: str) -> str:
    """A commit's name as people write it."""
    return head[:7]


def edits_read(files: Iterable[FileRead]) -> int:
    """How many edits."""
    return sum(Counter(file.edits).total() for file in files)

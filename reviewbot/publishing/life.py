"""What becomes of a finding over the pushes of its pull request.

A finding is *open* as long as the code that it flags is there, at whatever line; *fixed* once a
push has changed or removed it; *dismissed* when people do not want to see it. What can't be told
is open: no text of a file, or lines that left the diff though they still stand in the file.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple

from reviewbot.change.model import Change, FileChange, Line, Side, Sources, Status
from reviewbot.publishing.fingerprint import with_fingerprint
from reviewbot.publishing.flagged import Text, flagged_lines
from reviewbot.review.answer import Category, Severity
from reviewbot.review.finding import Finding
from reviewbot.review.select import same_remark

#: Letters and digits that make lines telling enough to be looked for in other files.
_TELLING = 12
#: What a finding that is said again has new.
_PLACE = (
    "path",
    "line",
    "end_line",
    "side",
    "quote",
    "fingerprint",
    "anchored",
    "unanchored_reason",
)
_OFF_DIFF = "its lines are not in the diff any more"


class State(StrEnum):
    OPEN = "open"
    FIXED = "fixed"
    DISMISSED = "dismissed"
    LAPSED = "lapsed"
    """It never had a place, and was not said again when its file was read again."""


@dataclass(frozen=True)
class Life:
    """One finding of a pull request, as it stands after a review."""

    id: str
    """Of its row among the published findings."""
    finding: Finding
    """As it was published, at its newest place."""
    mark: str
    """The fingerprint in its comment: it stays when the file gets another name."""
    since: str
    """The head on which it was found."""
    inline: bool
    """It has a comment on its line."""
    state: State = State.OPEN
    fixed_in: str = ""
    """The head that no longer had its code."""
    comment_id: int | None = None
    """GitHub's, where known."""
    count: int | None = None
    """How often its code stood in its file; None: not known."""
    added: bool = True
    """The change added its lines, or some of them."""

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "finding": vars(self.finding)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Life":
        return cls(
            **{
                **data,
                "finding": finding_of_json(data["finding"]),
                "state": State(data["state"]),
            }
        )


class Seen(NamedTuple):
    """The head that findings are looked for on."""

    change: Change
    sources: Sources
    names: Mapping[str, str]
    """Path → what the file was called at earlier heads."""
    dismissed: frozenset[str]
    """Marks of findings that people do not want to see."""
    read: frozenset[str] = frozenset()
    """Paths that models have read in this review."""
    ran: frozenset[str] = frozenset()
    """Analysers that ran …"""
    analyzed: frozenset[str] = frozenset()
    """… and paths that they read: what they do not say of these any more is over."""


@dataclass(frozen=True)
class Lives:
    """All findings of a pull request after a review, but for its own new ones."""

    all: tuple[Life, ...] = ()
    fixed_now: tuple[Life, ...] = ()
    """Those that this push has fixed."""
    new: tuple[Finding, ...] = ()
    """What nobody has said before."""

    @property
    def open(self) -> tuple[Life, ...]:
        """The worst first."""
        still = [life for life in self.all if life.state is State.OPEN]
        return tuple(sorted(still, key=_order))


def lived(earlier: Sequence[Life], said: Iterable[Finding], seen: Seen) -> Lives:
    """Go on with the findings of earlier reviews; what is `said` again is no new finding."""
    moved = {file.old_path: file.path for file in seen.change.files if file.old_path}
    moved |= {before: now for now, before in seen.names.items()}
    renamed = [_renamed(life, moved) for life in earlier]
    found = [_look(life, seen) for life in renamed]
    here = [
        life if isinstance(now, State) else now for life, now in zip(renamed, found, strict=True)
    ]
    new, again = [], dict[int, Finding]()
    for finding in said:
        index = next((i for i, life in enumerate(here) if _means(life, finding)), None)
        if index is None:
            new.append(finding)
        else:
            again.setdefault(index, finding)
    after = tuple(
        _after(life, now, again.get(index), seen)
        for index, (life, now) in enumerate(zip(renamed, found, strict=True))
    )
    fixed = tuple(
        life
        for before, life in zip(earlier, after, strict=True)
        if life.state is State.FIXED and before.state is not State.FIXED
    )
    return Lives(after, fixed, tuple(new))


def born(finding: Finding, name: str, seen: Seen) -> Life:
    """A new finding, before it is posted; `name` is of its row."""
    file = seen.change.by_path.get(finding.path)
    numbers = range(finding.line or 0, (finding.end_line or finding.line or 0) + 1)
    lines = [file.by_number.get((finding.side, n)) for n in numbers] if file else []
    return Life(
        id=name,
        finding=finding,
        mark=finding.fingerprint,
        since=seen.change.head or "",
        inline=False,
        count=_count(finding, seen) if finding.anchored else None,
        added=any(line is not None and line[1].marker == "+" for line in lines),
    )


def _renamed(life: Life, moved: Mapping[str, str]) -> Life:
    path = moved.get(life.finding.path)
    if path is None:
        return life
    return replace(life, finding=with_fingerprint(replace(life.finding, path=path)))


def _means(life: Life, finding: Finding) -> bool:
    """Whether an earlier finding, at its new place, says what this one says."""
    if finding.fingerprint in (life.mark, life.finding.fingerprint):
        return True
    return life.state is not State.FIXED and same_remark(life.finding, finding)


def _after(life: Life, found: "Life | State", again: Finding | None, seen: Seen) -> Life:
    if life.mark in seen.dismissed or life.state is State.DISMISSED:
        return replace(life, state=State.DISMISSED)
    if again is not None:
        count = _count(again, seen) if again.anchored else life.count
        placed = {name: getattr(again, name) for name in _PLACE}
        finding = replace(life.finding, **placed)
        return replace(life, finding=finding, state=State.OPEN, fixed_in="", count=count)
    if life.state is State.LAPSED:
        return life
    if isinstance(found, State):
        fixed_in = (life.fixed_in or seen.change.head or "") if found is State.FIXED else ""
        return replace(life, state=found, fixed_in=fixed_in)
    return replace(found, state=State.OPEN, fixed_in="")


def _look(life: Life, seen: Seen) -> Life | State:
    """Where its code is now; or that it is gone."""
    finding = life.finding
    lines = flagged_lines(finding.quote)
    file = seen.change.by_path.get(finding.path)
    if finding.line is None:
        return State.LAPSED if not file or finding.path in seen.read else life
    if not lines:  # a secret's line is never quoted: its analyser looks at every head
        return State.FIXED if _quiet(finding, seen) else life
    if finding.side == "LEFT":
        return _removed(life, lines, seen)
    text = _text(finding.path, file, seen)
    if text is None:
        return _in_diff(life, lines, file) or life
    places = Text(text).places(lines)
    if places and (life.count is None or len(places) >= life.count or not life.added):
        place = _nearest(places, finding.line)
        if _quiet(finding, seen) and _is_added(file, place):
            return State.FIXED
        return _placed(life, file, place, len(places))
    if places and (found := _in_diff(life, lines, file, added=True)):
        return replace(found, count=len(places))  # a twin of it is gone
    return _in_other_files(life, lines, seen) or State.FIXED


def _quiet(finding: Finding, seen: Seen) -> bool:
    """Whether an analyser that said it has looked at its file, and says it no more."""
    looked = finding.engine in seen.ran and finding.path in seen.analyzed
    return bool(finding.rule) and looked and finding.path in seen.sources.head


def _is_added(file: FileChange | None, place: tuple[int, int]) -> bool:
    found = file.by_number.get(("RIGHT", place[0])) if file else None
    return found is not None and found[1].marker == "+"


def _text(path: str, file: FileChange | None, seen: Seen) -> str | None:
    """The file as it is now: empty where there is none, None where nobody knows."""
    if (file and file.status is Status.DELETED) or path in seen.sources.absent:
        return ""
    return seen.sources.head.get(path)


def _count(finding: Finding, seen: Seen) -> int | None:
    """How often the code stands in its file."""
    file = seen.change.by_path.get(finding.path)
    text, lines = _text(finding.path, file, seen), flagged_lines(finding.quote)
    return None if text is None or not lines else Text(text).count(lines)


def _removed(life: Life, lines: Sequence[str], seen: Seen) -> Life | State:
    """Code that the change removes is as it was flagged until it is put back."""
    file = seen.change.by_path.get(life.finding.path)
    if found := _in_diff(life, lines, file):
        return found
    text = _text(life.finding.path, file, seen)
    if not text or life.count is None or Text(text).count(lines) <= life.count:
        return _off(life)
    return State.FIXED


def _in_diff(
    life: Life, lines: Sequence[str], file: FileChange | None, *, added: bool = False
) -> Life | None:
    """At the nearest place in the diff of its file, on its side."""
    places = _diff_places(lines, file, life.finding.side, added=added) if file else []
    if not places:
        return None
    return _placed(life, file, _nearest(places, life.finding.line), life.count)


def _diff_places(
    lines: Sequence[str], file: FileChange, side: Side, *, added: bool = False
) -> list[tuple[int, int]]:
    """Where `lines` stand in one hunk on that side."""
    places = []
    for hunk in file.hunks:
        mine = [
            line for line in hunk.lines if line.side == side and (line.marker == "+" or not added)
        ]
        text = Text("\n".join(line.text for line in mine))
        places += [(mine[a - 1].number, mine[b - 1].number) for a, b in text.places(lines)]
    return places


def _in_other_files(life: Life, lines: Sequence[str], seen: Seen) -> Life | None:
    """Code that moved to another file is not fixed."""
    if sum(character.isalnum() for line in lines for character in line) < _TELLING:
        return None
    for file in seen.change.files:
        places = _diff_places(lines, file, "RIGHT", added=True)
        if file.path != life.finding.path and places:
            finding = with_fingerprint(replace(life.finding, path=file.path))
            there = replace(life, finding=finding)
            return _placed(there, file, places[0], _count(finding, seen))
    return None


def _placed(life: Life, file: FileChange | None, place: tuple[int, int], count: int | None) -> Life:
    first, last = place
    known = file.by_number if file else dict[tuple[Side, int], tuple[int, Line]]()
    ends = [known.get((life.finding.side, number)) for number in place]
    anchored = all(ends) and len({end[0] for end in ends if end}) == 1
    finding = replace(
        life.finding,
        line=first,
        end_line=last,
        anchored=anchored,
        unanchored_reason="" if anchored else _OFF_DIFF,
        suggestion=life.finding.suggestion if anchored else None,
    )
    return replace(life, finding=finding, count=count)


def _off(life: Life) -> Life:
    finding = replace(life.finding, anchored=False, unanchored_reason=_OFF_DIFF)
    return replace(life, finding=finding)


def _nearest(places: Sequence[tuple[int, int]], line: int | None) -> tuple[int, int]:
    return min(places, key=lambda place: (abs(place[0] - (line or place[0])), place))


def _order(life: Life) -> tuple[int, str, int, str]:
    finding = life.finding
    return finding.severity.rank, finding.path, finding.line or 0, life.id


def finding_of_json(data: Mapping[str, Any]) -> Finding:
    """A finding as `vars` wrote it."""
    return Finding(
        **{
            **data,
            "severity": Severity(data["severity"]),
            "category": Category(data["category"]),
            "agreed": tuple(data["agreed"]),
            "passes": tuple(data["passes"]) if data["passes"] else None,
        }
    )

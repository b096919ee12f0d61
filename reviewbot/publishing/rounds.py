"""The reviews of one pull request one after another: what the next one goes on from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from reviewbot.costs.money import decimal_text
from reviewbot.publishing.life import Life, Lives, Seen, State, born
from reviewbot.review.already import FileRead, ReadBefore
from reviewbot.review.answer import Severity
from reviewbot.review.finding import Finding

#: From this round on only findings of at least this severity get comments on their lines.
QUIET_FROM, LOUD = 3, Severity.HIGH
#: Why others do not, in the counts of what is not shown.
LISTED = "only listed"


@dataclass(frozen=True)
class Round:
    """One review that was posted, in a line of history."""

    head: str
    at: datetime
    hunks: int
    """What models read: runs of changed lines, in so many …"""
    files: int
    """… files."""
    new: int
    fixed: int
    open: int
    """Findings after it."""
    usd: Decimal

    @property
    def read(self) -> bool:
        """A model has read something."""
        return self.files > 0

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "at": self.at.isoformat(), "usd": decimal_text(self.usd)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Round":
        at, usd = datetime.fromisoformat(data["at"]), Decimal(data["usd"])
        return cls(**{**data, "at": at, "usd": usd})


@dataclass(frozen=True)
class Earlier:
    """What earlier reviews of a pull request left behind."""

    read: ReadBefore = field(default_factory=ReadBefore)
    lives: tuple[Life, ...] = ()
    """Its findings, as they stood after the last one."""
    rounds: tuple[Round, ...] = ()
    """Oldest first."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Files with findings that may be there, or may come back."""
        wanted = (life for life in self.lives if life.state in (State.OPEN, State.FIXED))
        return tuple(dict.fromkeys(life.finding.path for life in wanted))

    def to_json(self) -> dict[str, Any]:
        return {
            "read": [file.to_json() for file in self.read.files],
            "lives": [life.to_json() for life in self.lives],
            "rounds": [each.to_json() for each in self.rounds],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Earlier":
        return cls(
            ReadBefore(tuple(map(FileRead.from_json, data["read"]))),
            tuple(map(Life.from_json, data["lives"])),
            tuple(map(Round.from_json, data["rounds"])),
        )


@dataclass(frozen=True)
class Progress:
    """How a pull request stands after a review, seen from the ones before."""

    rounds: tuple[Round, ...] = ()
    """The earlier ones, oldest first."""
    lives: tuple[Life, ...] = ()
    """Findings of earlier rounds, whatever became of them."""
    open: tuple[Life, ...] = ()
    """Those that are still there, the worst first."""
    fixed: tuple[Life, ...] = ()
    """Those that this push has fixed."""
    born: tuple[Life, ...] = ()
    """The review's own findings in their order, as later rounds will know them."""
    read: tuple[FileRead, ...] = ()
    """What models read for this one, and what is known of files by their new names."""

    def read_at(self, head: str | None) -> tuple[FileRead, ...]:
        """What models read for the review of this head."""
        return tuple(file for file in self.read if file.head == head)

    @property
    def number(self) -> int:
        """Of this round, from 1: rounds in which nothing was read don't count."""
        return 1 + sum(each.read for each in self.rounds)

    @property
    def quiet(self) -> bool:
        """Only what is bad gets a comment on its line by now."""
        return self.number >= QUIET_FROM

    def is_loud(self, finding: Finding) -> bool:
        """Whether it gets a comment on its line in this round, if it has one."""
        return not self.quiet or finding.severity.rank <= LOUD.rank


def progressed(
    earlier: Earlier,
    lives: Lives,
    seen: Seen,
    *,
    review_id: str = "",
    findings: Sequence[Finding] = (),
    read: tuple[FileRead, ...] = (),
) -> Progress:
    """The progress that a review makes, by its new `findings` and what models `read` for it."""
    return Progress(
        rounds=earlier.rounds,
        lives=lives.all,
        open=lives.open,
        fixed=lives.fixed_now,
        born=tuple(
            born(finding, f"{review_id}:{position}", seen)
            for position, finding in enumerate(findings)
        ),
        read=read,
    )


def listed_only(findings: Sequence[Finding], progress: Progress) -> dict[str, int]:
    """How many findings stand in the summary alone, though they have a place."""
    count = sum(finding.anchored and not progress.is_loud(finding) for finding in findings)
    return {LISTED: count} if count else {}

"""What pages list: reviews, newest first, and how far the ledger reaches."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, func, or_, select

from reviewbot.store.schema import call_settled, call_started, reviews
from reviewbot.store.sums import Where

#: Calls of a window are settled within this time of its end, or never.
_LATE = timedelta(days=1)
_reviews = reviews.c


class Place(NamedTuple):
    """Where a list goes on: after this review."""

    created_at: datetime
    id: str


@dataclass(frozen=True)
class Wanted:
    """Which reviews are listed."""

    repository: str = ""
    """Empty: all."""
    tier: str = ""
    after: Place | None = None
    """Only those older than this one."""


@dataclass(frozen=True)
class ReviewLine:
    """One review in a list."""

    id: str
    repository: str
    number: int | None
    title: str
    tier: str
    areas: tuple[str, ...]
    findings: int
    complete: bool
    overridden: bool
    scripted: bool
    usd: str
    """Decimal."""
    created_at: datetime

    @property
    def place(self) -> Place:
        return Place(self.created_at, self.id)


def review_lines(connection: Connection, wanted: Wanted, limit: int) -> list[ReviewLine]:
    """The newest reviews that are wanted."""
    result = _reviews.result
    query = select(
        _reviews.id,
        _reviews.repository,
        _reviews.number,
        result["change"]["title"].as_string(),
        _reviews.tier,
        _reviews.areas,
        _reviews.findings,
        _reviews.complete,
        _reviews.overridden,
        result["scripted"].as_boolean(),
        result["cost"]["total_usd"].as_string(),
        _reviews.created_at,
    ).order_by(_reviews.created_at.desc(), _reviews.id.desc())
    rows = connection.execute(query.where(*_conditions(wanted)).limit(limit))
    return [_line(row) for row in rows]


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.repository:
        found.append(_reviews.repository == wanted.repository)
    if wanted.tier:
        found.append(_reviews.tier == wanted.tier)
    if wanted.after:
        at, id_ = wanted.after
        # the first condition alone lets the index be used
        found.append(_reviews.created_at <= at)
        found.append(or_(_reviews.created_at < at, _reviews.id < id_))
    return found


def _line(row: Sequence[Any]) -> ReviewLine:
    id_, repository, number, title, tier, areas, findings, *rest = row
    complete, overridden, scripted, usd, created_at = rest
    return ReviewLine(
        id=id_,
        repository=repository,
        number=number,
        title=title or "",
        tier=tier,
        areas=tuple(areas),
        findings=findings,
        complete=complete,
        overridden=overridden,
        scripted=bool(scripted),
        usd=usd or "0",
        created_at=created_at,
    )


def listed_repositories(connection: Connection) -> list[str]:
    """The repositories that have a review."""
    names = connection.execute(select(_reviews.repository).distinct()).scalars()
    return sorted(name for name in names if name)


def begun(connection: Connection) -> datetime | None:
    """When the first call began or the first review was made; None where there is neither."""
    firsts = (
        connection.execute(select(func.min(column))).scalar()
        for column in (call_started.c.started_at, _reviews.created_at)
    )
    return min((first for first in firsts if first), default=None)


def stamp(connection: Connection, where: Where) -> tuple[object, ...]:
    """Another one as soon as anything of that time is added: the newest call, settlement and
    review. Indexes know it, however large the ledger is."""
    started, settled = call_started.c, call_settled.c
    settling = settled.settled_at >= where.since, settled.settled_at < where.until + _LATE
    queries = (
        select(started.id).where(where.calls()).order_by(started.started_at.desc()),
        select(settled.id, settled.settled_at).where(*settling).order_by(settled.settled_at.desc()),
        select(_reviews.id, _reviews.created_at)
        .where(where.reviews())
        .order_by(_reviews.created_at.desc()),
    )
    firsts = (connection.execute(query.limit(1)).one_or_none() for query in queries)
    return tuple(tuple(first) if first else None for first in firsts)

"""What people made of published findings: written as it happens, read for the report."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    func,
    select,
    update,
)

from reviewbot.change.model import Side
from reviewbot.publishing.feedback import Feedback, FeedbackKind, PostedFinding
from reviewbot.store.engine import connect, insert_new
from reviewbot.store.ledger import Store, open_store
from reviewbot.store.patience import patient
from reviewbot.store.reviews import StoredReview, get_review
from reviewbot.store.schema import feedback, posted_findings, pull_ends, reviews

#: Rows that are looked up with one statement.
_BATCH = 500
#: The columns of a PostedFinding's own fields, in their order.
_FIELDS = (
    *("review_id", "installation", "repository_id", "repository", "number", "fingerprint"),
    *("engine", "model", "tier", "areas", "severity", "category", "path", "line", "inline"),
    "posted_at",
)


class RepositoryPlace(NamedTuple):
    """A repository as its host knows it."""

    installation: int
    repository_id: int
    repository: str


class PullPlace(NamedTuple):
    """A pull request; the ids outlive a rename."""

    installation: int
    repository_id: int
    number: int


@dataclass(frozen=True)
class KnownFinding:
    """A published finding of a pull request, as feedback is matched with it."""

    id: str
    review_id: str
    head: str
    """The commit on which it was flagged."""
    fingerprint: str
    path: str
    line: int | None
    side: Side
    inline: bool
    flagged: tuple[str, ...]
    """The code's lines, see `reviewbot.publishing.flagged`; empty for a secret's."""
    github_review: int | None
    comment_id: int | None
    """None: not on a line, or not yet known."""
    resolved: bool
    """By what was written down so far."""


class Entry(NamedTuple):
    """Something that somebody made of a finding."""

    finding_id: str
    kind: FeedbackKind
    by: str
    at: datetime
    key: str
    """What makes it one: the same key for the same finding is written once."""


class FeedbackStore(Store):
    """A Store that also knows what became of findings. Each method is one transaction.

    What is written waits for a database that is away, a minute at most, and changes nothing a
    second time.
    """

    @patient
    def pull_findings(self, place: PullPlace) -> list[KnownFinding]:
        """All that was published on a pull request, oldest first."""
        here = _of_pull(posted_findings, place)
        query = select(posted_findings).where(*here)
        said = (
            select(feedback.c.finding_id, feedback.c.kind)
            .join(posted_findings)
            .where(*here, feedback.c.kind.in_((FeedbackKind.RESOLVED, FeedbackKind.REOPENED)))
            .order_by(feedback.c.at, feedback.c.id)
        )
        with self._reading() as connection:
            last = {row.finding_id: row.kind for row in connection.execute(said)}
            rows = connection.execute(
                query.order_by(posted_findings.c.posted_at, posted_findings.c.id)
            )
            return [_known(row, last.get(row.id) == FeedbackKind.RESOLVED) for row in rows]

    @patient
    def unposted_reviews(self, place: PullPlace) -> list[StoredReview]:
        """Reviews with findings of which nothing is known to be published, newest first."""
        posted = select(posted_findings.c.review_id).where(*_of_pull(posted_findings, place))
        query = (
            select(reviews.c.id)
            .where(*_of_pull(reviews, place), reviews.c.id.not_in(posted))
            .order_by(reviews.c.created_at.desc())
        )
        with self._reading() as connection:
            names = connection.execute(query).scalars().all()
            stored = [get_review(connection, name) for name in names]
        return [each for each in stored if each and each.result["findings"]]

    @patient
    def learn_comments(self, comments: Mapping[str, int]) -> None:
        """Ids of GitHub's comments by the ids of their findings."""
        if not comments:
            return
        here = update(posted_findings).where(
            posted_findings.c.id == bindparam("finding"), posted_findings.c.comment_id.is_(None)
        )
        rows = [{"finding": finding, "comment": number} for finding, number in comments.items()]
        with self._writing() as connection:
            connection.execute(here.values(comment_id=bindparam("comment")), rows)

    @patient
    def add_feedback(self, entries: Sequence[Entry]) -> int:
        """Append what is not there yet; how much that was."""
        rows = {_id(entry): entry for entry in entries}
        with self._writing() as connection:
            names = list(rows)
            for start in range(0, len(names), _BATCH):
                known = select(feedback.c.id).where(
                    feedback.c.id.in_(names[start : start + _BATCH])
                )
                for name in connection.execute(known).scalars():
                    del rows[name]
            if rows:
                new = [_row(name, entry) for name, entry in rows.items()]
                connection.execute(insert_new(connection, feedback), new)
        return len(rows)

    @patient
    def end_pull(self, place: PullPlace, *, at: datetime, merged: bool) -> None:
        """The pull request was merged or closed."""
        with self._writing() as connection:
            connection.execute(delete(pull_ends).where(*_of_pull(pull_ends, place)))
            row = {**place._asdict(), "ended_at": at, "merged": merged}
            connection.execute(insert_new(connection, pull_ends), [row])

    @patient
    def reopen_pull(self, place: PullPlace) -> None:
        """The pull request is open."""
        with self._writing() as connection:
            connection.execute(delete(pull_ends).where(*_of_pull(pull_ends, place)))

    def posted_findings(
        self,
        *,
        since: datetime,
        until: datetime,
        repository: str | None = None,
        installation: int | None = None,
    ) -> list[PostedFinding]:
        """Findings first published from `since` to before `until`, oldest first, with their
        feedback: one of a pull request is one, for however many heads it was published.

        `repository` is `owner/name` as it was called then.
        """
        chosen = [
            posted_findings.c.posted_at >= since,
            posted_findings.c.posted_at < until,
            posted_findings.c.repeats.is_(None),
        ]
        if repository is not None:
            chosen.append(posted_findings.c.repository == repository)
        if installation is not None:
            chosen.append(posted_findings.c.installation == installation)
        with self._reading() as connection:
            said: dict[str, list[Feedback]] = defaultdict(list)
            for row in connection.execute(_said(chosen)):
                said[row.first].append(Feedback(FeedbackKind(row.kind), row.by, row.at))
            rows = connection.execute(_posted(chosen))
            return [_posted_finding(row, said) for row in rows]

    def reviewed_repositories(self, *, since: datetime, until: datetime) -> list[RepositoryPlace]:
        """Where the service reviewed something from `since` to before `until`; what was only
        routed does not count. Each as its last review named it."""
        c = reviews.c
        query = (
            select(c.installation, c.repository_id, c.repository)
            .where(
                c.created_at >= since,
                c.created_at < until,
                c.installation.is_not(None),
                c.repository_id.is_not(None),
                c.all_claude_usd.is_not(None),
            )
            .group_by(c.installation, c.repository_id, c.repository)
            .order_by(func.max(c.created_at))
        )
        with self._reading() as connection:
            found = {row[:2]: RepositoryPlace(*row) for row in connection.execute(query)}
        return list(found.values())


def open_feedback_store(url: str) -> FeedbackStore:
    """Like `open_store`."""
    open_store(url).close()
    return FeedbackStore(connect(url))


def _of_pull(table: Table, place: PullPlace) -> tuple[ColumnElement[bool], ...]:
    return tuple(table.c[name] == value for name, value in place._asdict().items())


def _id(entry: Entry) -> str:
    return hashlib.sha256(f"{entry.finding_id}\0{entry.key}".encode()).hexdigest()


def _row(name: str, entry: Entry) -> dict[str, Any]:
    return {
        "id": name,
        "finding_id": entry.finding_id,
        "kind": entry.kind.value,
        "by": entry.by,
        "at": entry.at,
    }


def _known(row: Row[Any], resolved: bool) -> KnownFinding:
    return KnownFinding(
        id=row.id,
        review_id=row.review_id,
        head=row.head,
        fingerprint=row.fingerprint,
        path=row.path,
        line=row.line,
        side=cast(Side, row.side),
        inline=row.inline,
        flagged=tuple(row.flagged),
        github_review=row.github_review,
        comment_id=row.comment_id,
        resolved=resolved,
    )


def _posted(chosen: Sequence[ColumnElement[bool]]) -> Select[Any]:
    table, ends = posted_findings, pull_ends
    same = and_(*(ends.c[name] == table.c[name] for name in PullPlace._fields))
    own = (table.c[name] for name in _FIELDS)
    return (
        select(table.c.id, ends.c.ended_at, ends.c.merged, *own)
        .outerjoin(ends, same)
        .where(*chosen)
        .order_by(table.c.posted_at, table.c.id)
    )


def _said(chosen: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """What was made of the chosen rows, and of those that repeat one of them."""
    rows = posted_findings.alias()
    first = func.coalesce(rows.c.repeats, rows.c.id)
    return (
        select(first.label("first"), feedback.c.kind, feedback.c.by, feedback.c.at)
        .join(rows, rows.c.id == feedback.c.finding_id)
        .join(posted_findings, posted_findings.c.id == first)
        .where(*chosen)
        .order_by(feedback.c.at, feedback.c.id)
    )


def _posted_finding(row: Row[Any], said: Mapping[str, Sequence[Feedback]]) -> PostedFinding:
    name, ended_at, merged, *values = tuple(row)
    fields = dict(zip(_FIELDS, values, strict=True))
    fields["areas"] = tuple(fields["areas"])
    return PostedFinding(
        **fields,
        pull_ended_at=ended_at,
        merged=bool(merged),
        feedback=tuple(said.get(name, ())),
    )

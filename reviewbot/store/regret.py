"""Sampled comparisons as rows: what is counted of them without reading reviews."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from reviewbot.publishing.result import Review
from reviewbot.reporting.regret import Counts, Sampled
from reviewbot.review.answer import Severity
from reviewbot.store.schema import regret


def put_regret(connection: Connection, review: Review, repository_id: int | None) -> None:
    """Write the review's comparison, if it has one, in the place of an earlier one."""
    connection.execute(delete(regret).where(regret.c.review_id == review.id))
    if review.regret is None:
        return
    data = review.regret.to_json()
    row = {
        "review_id": review.id,
        "repository": review.change.repository or "",
        "repository_id": repository_id,
        "created_at": review.created_at,
        "usd": review.regret_usd,
        "in_both": data["both"],
        "only_local": data["only_local"],
        "only_claude": data["only_claude"],
        "by_severity": data["by_severity"],
    }
    connection.execute(insert(regret).values(row))


def select_sampled(
    connection: Connection,
    *,
    since: datetime | None,
    until: datetime | None,
    repository: str | None,
) -> list[Sampled]:
    """Sampled comparisons by time; `since` is included, `until` is not."""
    c = regret.c
    query = select(c.review_id, c.repository, c.created_at, c.usd, c.by_severity)
    if since is not None:
        query = query.where(c.created_at >= since)
    if until is not None:
        query = query.where(c.created_at < until)
    if repository is not None:
        query = query.where(c.repository == repository)
    rows = connection.execute(query.order_by(c.created_at, c.review_id))
    return [_sampled(row) for row in rows]


def _sampled(row: Row[Any, Any, Any, Any, Any]) -> Sampled:
    levels = {Severity(level): Counts.of(data) for level, data in row.by_severity.items()}
    return Sampled(row.review_id, row.repository, row.created_at, row.usd, levels)

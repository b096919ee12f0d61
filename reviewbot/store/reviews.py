"""Reviews as rows: what was decided, found and paid, without prompts and answers."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, insert, select, update

from reviewbot.costs.money import exact
from reviewbot.publishing.result import Review, review_json
from reviewbot.store.accounts import book_review
from reviewbot.store.regret import put_regret
from reviewbot.store.schema import reviews


@dataclass(frozen=True)
class StoredReview:
    """A review as the database has it."""

    id: str
    repository: str
    number: int | None
    installation: int | None
    repository_id: int | None
    base: str | None
    head: str | None
    tier: str
    areas: tuple[str, ...]
    certainty: str
    created_at: datetime
    result: Mapping[str, Any]
    """The review as `review --format json` prints it."""
    request: str | None
    """Who asked: `auto`, `draft`, `command`, `check`, `label`, `sweep`, `cli`; None: not known."""


_READ = tuple(each.name for each in fields(StoredReview))


def put_review(
    connection: Connection,
    review: Review,
    *,
    installation: int | None,
    repository_id: int | None,
    request: str | None,
) -> None:
    """Write a review; one of the same id is replaced, as a repeated step writes it again."""
    change, route, all_claude = review.change, review.route, review.cost.all_claude_usd
    row = {
        "repository": change.repository or "",
        "number": change.number,
        "installation": installation,
        "repository_id": repository_id,
        "base": change.base,
        "head": change.head,
        "tier": route.tier.value,
        "areas": list(route.areas),
        "certainty": route.certainty,
        "created_at": review.created_at,
        "result": review_json(review),
        "findings": len(review.findings),
        "all_claude_usd": None if all_claude is None else exact(all_claude),
        "complete": review.complete,
        "overridden": route.overridden,
        "request": request,
        "strategy": review.strategy or None,
    }
    written = connection.execute(update(reviews).where(reviews.c.id == review.id).values(row))
    if not written.rowcount:
        connection.execute(insert(reviews).values(id=review.id, **row))
        if review.spending and not review.scripted:
            all_claude = review.cost.all_claude_usd or Decimal(0)
            book_review(connection, review.spending.accounts, all_claude, review.created_at)
    put_regret(connection, review, repository_id)


def has_review(connection: Connection, review_id: str) -> bool:
    """Whether a review of this id was written."""
    return (
        connection.execute(select(reviews.c.id).where(reviews.c.id == review_id)).first()
        is not None
    )


def get_review(connection: Connection, review_id: str) -> StoredReview | None:
    """The review of this id, or None."""
    columns = [reviews.c[name] for name in _READ]
    found = connection.execute(select(*columns).where(reviews.c.id == review_id)).one_or_none()
    if found is None:
        return None
    values = dict(found._mapping)
    return StoredReview(**{**values, "areas": tuple(values["areas"])})

"""Published findings as rows: one for each, whatever is repeated."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from reviewbot.errors import StoreError
from reviewbot.publishing.flagged import flagged_lines
from reviewbot.store.engine import insert_new
from reviewbot.store.reviews import StoredReview, get_review
from reviewbot.store.schema import posted_findings


class Posting(NamedTuple):
    """How a stored review was published."""

    installation: int
    """0 without an App."""
    repository_id: int
    at: datetime
    inline: tuple[int, ...]
    """Positions of the findings that stand on lines."""
    github_review: int | None = None
    """GitHub's id of the review that they are in."""
    in_texts: bool = True
    """The other findings stand in a text; else nothing is known of them."""


def put_posted(connection: Connection, review_id: str, posting: Posting) -> None:
    """A row for each finding unless it is there. Raises StoreError without the review."""
    review = get_review(connection, review_id)
    if review is None:
        raise StoreError(f"review {review_id} was posted, but is not in the database")
    rows = [
        _row(review, position, finding, posting)
        for position, finding in enumerate(review.result["findings"])
        if posting.in_texts or position in posting.inline
    ]
    first = _first_rows(connection, review, posting)
    rows = [{**row, "repeats": first.get(row["fingerprint"])} for row in rows]
    if rows:
        connection.execute(insert_new(connection, posted_findings), rows)


def _first_rows(connection: Connection, review: StoredReview, posting: Posting) -> dict[str, str]:
    """Fingerprint → the first row of that finding, of what other reviews of the pull request
    published before."""
    table = posted_findings.c
    query = (
        select(table.fingerprint, table.id)
        .where(
            table.installation == posting.installation,
            table.repository_id == posting.repository_id,
            table.number == review.number,
            table.review_id != review.id,
            table.repeats.is_(None),
        )
        .order_by(table.posted_at.desc(), table.id.desc())
    )
    return {row.fingerprint: row.id for row in connection.execute(query)}


def _row(
    review: StoredReview, position: int, finding: Mapping[str, Any], posting: Posting
) -> dict[str, Any]:
    files = review.result["route"]["files"]
    route = next((file for file in files if file["path"] == finding["path"]), None)
    inline = position in posting.inline
    return {
        "id": f"{review.id}:{position}",
        "review_id": review.id,
        "installation": posting.installation,
        "repository_id": posting.repository_id,
        "repository": review.repository,
        "number": review.number,
        "head": review.head,
        "fingerprint": finding["fingerprint"],
        "engine": finding["engine"],
        "model": finding.get("model") or "",
        "tier": route["tier"] if route else review.tier,
        "areas": list(route["areas"]) if route else [],
        "severity": finding["severity"],
        "category": finding["category"],
        "path": finding["path"],
        "line": finding["line"],
        "side": finding["side"],
        "inline": inline,
        "flagged": list(flagged_lines(finding["quote"])),
        "github_review": posting.github_review if inline else None,
        "comment_id": None,
        "posted_at": posting.at,
    }

"""What people asked for on a pull request, and what is known of its reviews."""

from datetime import datetime

from sqlalchemy import ColumnElement, Table, delete, select

from reviewbot.costs.calls import Call, CallStart
from reviewbot.store.calls import select_calls
from reviewbot.store.engine import connect, insert_new
from reviewbot.store.feedback import FeedbackStore
from reviewbot.store.ledger import open_store
from reviewbot.store.reviews import StoredReview, get_review
from reviewbot.store.schema import call_started, dismissed, paused, reviews


class PullStore(FeedbackStore):
    """A store that also remembers pull requests. Each method is one transaction.

    All hangs on the repository's id, which outlives a rename.
    """

    def pause(self, repository_id: int, number: int, *, by: str, at: datetime) -> None:
        """No automatic reviews from now on; a second time changes nothing."""
        row = {"repository_id": repository_id, "number": number, "by": by, "at": at}
        with self._writing() as connection:
            connection.execute(insert_new(connection, paused).values(row))

    def resume(self, repository_id: int, number: int) -> None:
        """Automatic reviews again."""
        with self._writing() as connection:
            connection.execute(delete(paused).where(*_here(paused, repository_id, number)))

    def is_paused(self, repository_id: int, number: int) -> bool:
        """Whether somebody stopped the automatic reviews."""
        query = select(paused.c.by).where(*_here(paused, repository_id, number))
        with self._reading() as connection:
            return connection.execute(query).first() is not None

    def dismiss(
        self, repository_id: int, number: int, fingerprint: str, *, by: str, at: datetime
    ) -> None:
        """A finding is not to be reported again; a second time changes nothing."""
        row = {
            "repository_id": repository_id,
            "number": number,
            "fingerprint": fingerprint,
            "by": by,
            "at": at,
        }
        with self._writing() as connection:
            connection.execute(insert_new(connection, dismissed).values(row))

    def dismissed(self, repository_id: int, number: int) -> frozenset[str]:
        """Fingerprints of findings that are not to be reported again."""
        query = select(dismissed.c.fingerprint).where(*_here(dismissed, repository_id, number))
        with self._reading() as connection:
            return frozenset(connection.execute(query).scalars())

    def newest_review(
        self, installation: int, repository_id: int, number: int
    ) -> StoredReview | None:
        """The review of this pull request that began last, or None."""
        query = (
            select(reviews.c.id)
            .where(*_here(reviews, repository_id, number))
            .where(reviews.c.installation == installation)
            .order_by(reviews.c.created_at.desc(), reviews.c.id.desc())
            .limit(1)
        )
        with self._reading() as connection:
            found = connection.execute(query).scalar()
            return None if found is None else get_review(connection, found)

    def pull_calls(
        self, installation: int, repository_id: int, number: int
    ) -> list[Call | CallStart]:
        """All calls made for this pull request, also those of reviews that failed."""
        query = (
            select(call_started.c.review_id)
            .where(*_here(call_started, repository_id, number))
            .where(call_started.c.installation == installation)
            .group_by(call_started.c.review_id)
            .order_by(call_started.c.review_id)
        )
        with self._reading() as connection:
            return [
                call
                for review_id in connection.execute(query).scalars().all()
                for call in select_calls(
                    connection, review_id=review_id, repository=None, since=None, until=None
                )
            ]


def open_pull_store(url: str) -> PullStore:
    """Like `open_store`."""
    open_store(url).close()
    return PullStore(connect(url))


def _here(table: Table, repository_id: int, number: int) -> tuple[ColumnElement[bool], ...]:
    return table.c.repository_id == repository_id, table.c.number == number

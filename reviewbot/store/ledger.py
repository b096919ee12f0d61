"""The store: reviews, and an append-only ledger of model calls."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine

from reviewbot.costs.budget import NO_CAPS, Budgets, Caps, Payer, Refusal, Spending
from reviewbot.costs.calls import Call, CallStart
from reviewbot.costs.readability import Readability
from reviewbot.publishing.result import Review
from reviewbot.reporting.regret import Sampled
from reviewbot.store import accounts
from reviewbot.store.calls import (
    insert_settlement,
    insert_start,
    select_calls,
    select_readability,
)
from reviewbot.store.engine import connect, errors_in_words
from reviewbot.store.migrate import migrate
from reviewbot.store.posted import Posting, put_posted
from reviewbot.store.regret import select_sampled
from reviewbot.store.reviews import StoredReview, get_review, has_review, put_review


class Store:
    """One database. Safe to use from several threads and processes.

    Each method is one transaction, on disk when it returns. All raise StoreError for what the
    database refuses or can't do.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def start_call(self, start: CallStart, caps: Caps = NO_CAPS) -> Refusal | None:
        """Write down a call before it is made, and book its reserve. Raises StoreError for an id
        that is there.

        Where the reserve does not fit under `caps`, the start reserves nothing: the call must not
        be made, and is to be settled as such.
        """
        with self._writing() as connection:
            return insert_start(connection, start, caps)

    def settle_call(self, call: Call) -> None:
        """Write down what became of a started call, once. Raises StoreError for a second time."""
        with self._writing() as connection:
            insert_settlement(connection, call)

    def calls(
        self,
        *,
        review_id: str | None = None,
        repository: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Call | CallStart]:
        """Calls in the order they were started, from `since` to before `until`.

        A start without settlement is a call of unknown outcome, to count at its reserve.
        """
        with self._reading() as connection:
            return select_calls(
                connection, review_id=review_id, repository=repository, since=since, until=until
            )

    def readability(self, *, since: datetime, until: datetime) -> list[Readability]:
        """How many answers of each model could not be read, of calls that started from `since` to
        before `until`."""
        with self._reading() as connection:
            return select_readability(connection, since=since, until=until)

    def spending(self, payer: Payer, at: datetime, *, review_id: str | None = None) -> Spending:
        """What is spent by now for the payer, with the caps of the last call and review.

        `review_id` is a review that is about to be shown with it.
        """
        with self._reading() as connection:
            counted = review_id is not None and has_review(connection, review_id)
            return Spending(tuple(accounts.read(connection, payer.scopes(at))), counted)

    def budgets(self, at: datetime) -> Budgets:
        """How the budgets of the month stand."""
        with self._reading() as connection:
            return accounts.budgets(connection, at)

    def sampled(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        repository: str | None = None,
    ) -> list[Sampled]:
        """Local reviews that Claude has read as well, from `since` to before `until`."""
        with self._reading() as connection:
            return select_sampled(connection, since=since, until=until, repository=repository)

    def save_review(
        self,
        review: Review,
        *,
        installation: int | None = None,
        repository_id: int | None = None,
        request: str | None = None,
    ) -> None:
        """Write a review; one of the same id is replaced. The rest is as of StoredReview."""
        with self._writing() as connection:
            put_review(
                connection,
                review,
                installation=installation,
                repository_id=repository_id,
                request=request,
            )

    def add_posted(self, review_id: str, posting: Posting) -> None:
        """Write down the findings of a stored review as published; a second time changes nothing.

        Raises StoreError if there is no such review.
        """
        with self._writing() as connection:
            put_posted(connection, review_id, posting)

    def review(self, review_id: str) -> StoredReview | None:
        """The review of this id, or None."""
        with self._reading() as connection:
            return get_review(connection, review_id)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with errors_in_words(self._engine), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with errors_in_words(self._engine), self._engine.connect() as connection:
            yield connection.execution_options(reading=True)


def open_store(url: str) -> Store:
    """Open the database at `url` (`sqlite:///FILE` or `postgresql://…`), made or upgraded if need be.

    Raises StoreError saying what to do: a wrong URL, a folder that can't be written, a file that
    is no database, a server that can't be reached, a missing driver, a database that a newer
    reviewbot wrote. A password is never part of it.
    """
    engine = connect(url)
    try:
        with errors_in_words(engine):
            migrate(engine)
    except BaseException:
        engine.dispose()
        raise
    return Store(engine)

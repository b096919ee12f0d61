"""The store as reports and exports read it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection

from reviewbot.reporting.breakdown import DEAREST
from reviewbot.reporting.ledger_table import Row
from reviewbot.reporting.report import BudgetState
from reviewbot.reporting.sums import CallSum, Sums
from reviewbot.reporting.window import Window
from reviewbot.store import browse
from reviewbot.store import sums as add_up
from reviewbot.store.budget_states import budget_states
from reviewbot.store.engine import connect, errors_in_words
from reviewbot.store.feedback import FeedbackStore
from reviewbot.store.ledger import open_store
from reviewbot.store.ledger_rows import PAGE, ledger_page


class ReportStore(FeedbackStore):
    """A Store that adds up. Each method sees one moment of the database."""

    def sums(self, window: Window, repository: str | None = None) -> Sums:
        """Everything that a report of `window` needs."""
        where = add_up.Where(window.since, window.until, repository)
        with self._snapshot() as connection:
            pulls = add_up.pull_sums(connection, where)
            reviewed = add_up.reviewed_pulls(connection, where)
            dearest = [(p.repository, p.number) for p in pulls if p.number is not None][:DEAREST]
            calls = add_up.call_sums(connection, where)
            return Sums(
                calls=calls,
                reviews=add_up.review_sums(connection, where),
                pulls=pulls,
                read_pulls=reviewed.read,
                held_pulls=reviewed.held,
                routed_pulls=reviewed.routed,
                latencies=add_up.latencies(connection, where),
                refusals=add_up.refusals(connection, where),
                purposes=add_up.purpose_sums(connection, where),
                strategies=add_up.strategies(connection, where),
                titles=add_up.titles(connection, dearest),
                all_busy_seconds=_busy(connection, where, calls),
                of_repository=repository is not None,
                has_hardware=add_up.has_hardware(connection, where),
            )

    def totals(self, window: Window, repository: str | None = None) -> Sums:
        """Only what a month's totals are made of, to set another month beside."""
        where = add_up.Where(window.since, window.until, repository)
        with self._snapshot() as connection:
            reviewed = add_up.reviewed_pulls(connection, where)
            calls = add_up.call_sums(connection, where)
            return Sums(
                calls=calls,
                reviews=add_up.review_sums(connection, where),
                read_pulls=reviewed.read,
                held_pulls=reviewed.held,
                routed_pulls=reviewed.routed,
                all_busy_seconds=_busy(connection, where, calls),
                of_repository=repository is not None,
                has_hardware=add_up.has_hardware(connection, where),
            )

    def ledger(
        self, since: datetime, until: datetime, repository: str | None = None
    ) -> Iterator[Row]:
        """All calls by the time they began, a page at a time: memory stays small, and no
        transaction waits for whoever reads. What is settled meanwhile shows as settled."""
        where, last = add_up.Where(since, until, repository), None
        while True:
            with self._reading() as connection:
                rows = ledger_page(connection, where, last)
            yield from rows
            if len(rows) < PAGE:
                return
            last = rows[-1]

    def budget_states(
        self, month: datetime, *, operator_cap_usd: Decimal | None
    ) -> list[BudgetState]:
        """How the budgets of the calendar month (UTC) around `month` stand."""
        with self._reading() as connection:
            return budget_states(connection, month, operator_cap_usd=operator_cap_usd)

    def repositories(self) -> list[str]:
        """All repositories that the ledger or a review names."""
        with self._reading() as connection:
            return add_up.repositories(connection)

    def newest_call(self) -> datetime | None:
        """When the last call of the ledger began; None for an empty one."""
        with self._reading() as connection:
            return add_up.newest_call(connection)

    def review_lines(self, wanted: browse.Wanted, limit: int) -> list[browse.ReviewLine]:
        """The newest reviews that are wanted."""
        with self._reading() as connection:
            return browse.review_lines(connection, wanted, limit)

    def listed_repositories(self) -> list[str]:
        """The repositories that have a review."""
        with self._reading() as connection:
            return browse.listed_repositories(connection)

    def begun(self) -> datetime | None:
        """When the first call began or the first review was made; None where there is neither."""
        with self._reading() as connection:
            return browse.begun(connection)

    def stamp(self, window: Window) -> tuple[object, ...]:
        """Another one as soon as anything of that time is added."""
        with self._snapshot() as connection:
            return browse.stamp(connection, add_up.Where(window.since, window.until))

    @contextmanager
    def _snapshot(self) -> Iterator[Connection]:
        """All reads of the block see the same moment."""
        with errors_in_words(self._engine), self._engine.connect() as connection:
            connection = connection.execution_options(reading=True)
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection


def _busy(connection: Connection, where: add_up.Where, calls: Sequence[CallSum]) -> float:
    """The hardware's busy seconds for all repositories, of which `calls` may be one's."""
    if where.repository is not None:
        return add_up.busy_seconds(connection, where)
    return sum(each.busy_seconds for each in calls)


def open_report_store(url: str) -> ReportStore:
    """Like `open_store`."""
    open_store(url).close()
    return ReportStore(connect(url))

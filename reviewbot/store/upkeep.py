"""The store as the service's own work uses it: whose turn it is, and what is done already."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select, update

from reviewbot.store.engine import connect, insert_new
from reviewbot.store.ledger import Store, open_store
from reviewbot.store.schema import chores, reviews, taken

#: Values in one question to the database.
_BATCH = 500


@dataclass(frozen=True)
class ChoreState:
    """How a chore stands."""

    name: str
    done_until: datetime | None
    """All that happened before then is dealt with."""
    total: int
    """How much was ever done."""


class UpkeepStore(Store):
    """A Store that also keeps the turns of chores. Each method is one transaction."""

    def claim(
        self,
        name: str,
        holder: str,
        *,
        now: datetime,
        until: datetime,
        latest: datetime | None = None,
        at_once: bool = False,
    ) -> ChoreState | None:
        """The chore, for this holder alone until then; None while it is another's or, unless
        `at_once`, not due. Who dies with a chore loses it then, and has it again before, once
        back under the same name. What is held or put off beyond `latest` was so by a clock that
        was wrong, and is not."""
        free = or_(
            chores.c.held_until.is_(None),
            chores.c.held_until <= now,
            chores.c.held_by == holder,
            *([chores.c.held_until > latest] if latest else []),
        )
        due = or_(
            chores.c.due_at.is_(None),
            chores.c.due_at <= now,
            *([chores.c.due_at > latest] if latest else []),
        )
        here = update(chores).where(chores.c.name == name, free)
        mine = (here if at_once else here.where(due)).values(held_by=holder, held_until=until)
        columns = select(chores.c.name, chores.c.done_until, chores.c.total)
        with self._writing() as connection:
            connection.execute(insert_new(connection, chores).values(name=name))
            if not connection.execute(mine).rowcount:
                return None
            row = connection.execute(columns.where(chores.c.name == name)).one()
            return ChoreState(**row._mapping)

    def hold(self, name: str, holder: str, *, now: datetime, until: datetime) -> bool:
        """Keep a chore that takes longer; whether it still is this holder's."""
        mine = update(chores).where(
            chores.c.name == name, chores.c.held_by == holder, chores.c.held_until > now
        )
        with self._writing() as connection:
            return bool(connection.execute(mine.values(held_until=until)).rowcount)

    def release(
        self, name: str, holder: str, *, due: datetime, done_until: datetime | None, done: int
    ) -> None:
        """The turn is over; `done_until` is None where not all of it was done."""
        news = {"held_by": "", "held_until": None, "due_at": due}
        if done_until:
            news["done_until"] = done_until
        mine = update(chores).where(chores.c.name == name, chores.c.held_by == holder)
        with self._writing() as connection:
            connection.execute(mine.values(**news, total=chores.c.total + done))

    def give_up(self, holder: str) -> None:
        """Whatever this holder has is free, and due as before."""
        mine = update(chores).where(chores.c.held_by == holder)
        with self._writing() as connection:
            connection.execute(mine.values(held_by="", held_until=None))

    def chores(self) -> tuple[ChoreState, ...]:
        """All chores that were ever done, by name."""
        columns = select(chores.c.name, chores.c.done_until, chores.c.total)
        with self._reading() as connection:
            rows = connection.execute(columns.order_by(chores.c.name))
            return tuple(ChoreState(**row._mapping) for row in rows)

    def take(self, guid: str, at: datetime) -> bool:
        """A delivery of the log is dealt with; False if it was before."""
        with self._writing() as connection:
            row = insert_new(connection, taken).values(guid=guid, at=at)
            return bool(connection.execute(row).rowcount)

    def not_taken(self, guids: Collection[str]) -> frozenset[str]:
        """Those that were not dealt with."""
        wanted = sorted(guids)
        known: set[str] = set()
        with self._reading() as connection:
            for start in range(0, len(wanted), _BATCH):
                some = taken.c.guid.in_(wanted[start : start + _BATCH])
                known.update(connection.execute(select(taken.c.guid).where(some)).scalars())
        return frozenset(guids) - known

    def has_review_of(self, installation: int, repository_id: int, number: int, head: str) -> bool:
        """Whether this head of the pull request was ever reviewed."""
        query = select(reviews.c.id).where(
            reviews.c.repository_id == repository_id,
            reviews.c.number == number,
            reviews.c.installation == installation,
            reviews.c.head == head,
        )
        with self._reading() as connection:
            return connection.execute(query.limit(1)).first() is not None


def open_upkeep_store(url: str) -> UpkeepStore:
    """Like `open_store`."""
    open_store(url).close()
    return UpkeepStore(connect(url))

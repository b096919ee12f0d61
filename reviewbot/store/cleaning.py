"""Deleting what nobody needs any more, in small transactions. Ledger, reviews and feedback stay."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, select, union

from reviewbot.store.engine import connect
from reviewbot.store.ledger import open_store
from reviewbot.store.schema import answers, attempts, heartbeats, prompt_uses, prompts, taken
from reviewbot.store.upkeep import UpkeepStore


class CleaningStore(UpkeepStore):
    """An UpkeepStore that also deletes. Each method is one transaction, and says how many rows
    went."""

    def reviews_with_texts(self, before: datetime, most: int) -> list[str]:
        """Ids of reviews with prompts or answers from before then."""
        used = select(prompt_uses.c.review_id).where(prompt_uses.c.at < before)
        answered = select(answers.c.review_id).where(answers.c.answered_at < before)
        with self._reading() as connection:
            return list(connection.execute(union(used, answered).limit(most)).scalars())

    def forget_texts(self, review_ids: Collection[str], before: datetime) -> int:
        """Delete the older prompts and answers of these reviews; prompts that another review has
        asked, too, stay."""
        mine = prompt_uses.c.review_id.in_(review_ids), prompt_uses.c.at < before
        old = answers.c.review_id.in_(review_ids), answers.c.answered_at < before
        with self._writing() as connection:
            asked = select(prompt_uses.c.prompt_hash).where(*mine).distinct()
            hashes = list(connection.execute(asked).scalars())
            gone = connection.execute(delete(answers).where(*old)).rowcount
            connection.execute(delete(prompt_uses).where(*mine))
            some = delete(prompts).where(prompts.c.hash.in_(hashes), *_unused(before))
            return gone + connection.execute(some).rowcount

    def forget_unused(self, before: datetime, most: int) -> int:
        """Delete older prompts that no review is known to have asked."""
        some = select(prompts.c.hash).where(*_unused(before)).limit(most)
        with self._writing() as connection:
            hashes = list(connection.execute(some).scalars())
            gone = delete(prompts).where(prompts.c.hash.in_(hashes), *_unused(before))
            return connection.execute(gone).rowcount

    def forget_taken(self, before: datetime, most: int) -> int:
        """Delete what is known of deliveries that GitHub knows no more."""
        some = select(taken.c.guid).where(taken.c.at < before).limit(most)
        with self._writing() as connection:
            return connection.execute(delete(taken).where(taken.c.guid.in_(some))).rowcount

    def forget_attempts(self, names: Collection[str]) -> int:
        """Delete the counts of jobs that are deleted themselves."""
        with self._writing() as connection:
            return connection.execute(delete(attempts).where(attempts.c.job_id.in_(names))).rowcount

    def forget_beats(self, before: datetime) -> int:
        """Delete the last signs of life of workers that are long gone."""
        with self._writing() as connection:
            old = delete(heartbeats).where(heartbeats.c.seen_at < before)
            return connection.execute(old).rowcount


def open_cleaning_store(url: str) -> CleaningStore:
    """Like `open_store`."""
    open_store(url).close()
    return CleaningStore(connect(url))


def _unused(before: datetime) -> tuple[ColumnElement[bool], ...]:
    # the time is asked as well: who puts a prompt again meanwhile makes it new
    used = exists().where(prompt_uses.c.prompt_hash == prompts.c.hash)
    return prompts.c.created_at < before, ~used

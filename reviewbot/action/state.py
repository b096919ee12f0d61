"""What earlier runs have left: the pull request's own record, and the month's of all others.

A runner forgets everything, so that without a database the summaries of pull requests remember.
Nobody locks them: two runs at once may each overlook what the other spends.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from reviewbot.config.settings import Settings
from reviewbot.costs.budget import Account, Payer
from reviewbot.errors import SourceError
from reviewbot.github.calls import GitHubError
from reviewbot.github.records import Said, comments_on, dismissed_findings, edit, month_records
from reviewbot.past_spending import added
from reviewbot.publishing.marker import Marks, Scope
from reviewbot.publishing.record import Place, claims_record, with_record
from reviewbot.reporting.pull_record import NO_RECORD, PullRecord, read_record, write_record

if TYPE_CHECKING:
    from github import Github

#: Signs marks where there is no key: our comments are then known by their author alone.
PUBLIC_KEY = b"reviewbot without a state key"
MORE = "more comments than are read: what the month has cost may be more"
NO_KEY = (
    "no `state-key`: nothing is kept from run to run, so that caps, costs and reports know of this"
    " run alone"
)


@dataclass(frozen=True)
class Memory:
    """Where the records of one repository stand, and who writes them."""

    repository: str
    repository_id: int
    number: int
    author: str
    """The login that we post as."""
    key: bytes | None
    """None: no record is read or written."""

    @classmethod
    def of(
        cls, settings: Settings, repository: str, repository_id: int, number: int, author: str
    ) -> "Memory":
        """A database remembers better: with one there are no records."""
        key = settings.marker_key
        secret = None if key is None or settings.database_url else key.get_secret_value().encode()
        return cls(repository, repository_id, number, author, secret)

    @property
    def place(self) -> Place:
        return Place(self.repository_id, self.number)

    def wrote(self, comment: Said) -> bool:
        return comment.author.casefold() == self.author.casefold()


@dataclass(frozen=True)
class State:
    """What is known before the review."""

    record: PullRecord = NO_RECORD
    past: tuple[Account, ...] = ()
    """What was spent before, by account."""
    dismissed: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def marks_of(settings: Settings, memory: Memory) -> Marks:
    """Knows our summary of the pull request, and our comments on lines."""
    scope = Scope(0, str(memory.repository_id), memory.number, "", "", "")
    return Marks(mark_key(settings), scope)


def mark_key(settings: Settings) -> bytes:
    """What signs our hidden marks."""
    key = settings.marker_key
    return PUBLIC_KEY if key is None else key.get_secret_value().encode()


def read_state(
    client: "Github", memory: Memory, marks: Marks, *, now: datetime, capped: bool
) -> State:
    """Raises GitHubError, SourceError: where money is `capped`, what was spent must be known."""
    comments = comments_on(client, memory.repository, memory.number)
    summary = own_summary(comments, memory, marks)
    dismissed: frozenset[str] = frozenset()
    if summary:
        dismissed = dismissed_findings(
            client,
            memory.repository,
            memory.number,
            author=memory.author,
            fingerprint_in=marks.fingerprint_in,
        )
    if memory.key is None:
        return State(dismissed=dismissed)
    record, notes = _record(memory, summary.body if summary else "")
    notes += [
        f"a record in a comment of {comment.author or 'a deleted account'} counts for nothing:"
        " it is not ours"
        for comment in comments
        if claims_record(comment.body) and not memory.wrote(comment)
    ]
    dismissed |= frozenset(record.dismissed)
    others, noted = _others(client, memory, memory.key, now, capped=capped)
    return State(
        replace(record, dismissed=tuple(sorted(dismissed))),
        _accounts(memory, {**others, memory.number: record}, now),
        dismissed,
        (*notes, *noted),
    )


def _others(
    client: "Github", memory: Memory, key: bytes, now: datetime, *, capped: bool
) -> tuple[dict[int, PullRecord], list[str]]:
    """The month's records, and what is to be said of them."""
    place = memory.repository, memory.repository_id
    try:
        found = month_records(client, *place, {memory.author}, key, since=now)
    except GitHubError as error:
        if capped:
            raise SourceError(
                f"{error}. What this month has cost is in comments that can't be read, so that no"
                " monthly cap can be held"
            ) from None
        return {}, [f"the month's records can't be read, its costs are unknown: {error}"]
    return found.records, [] if found.whole else [MORE]


def own_summary(comments: list[Said], memory: Memory, marks: Marks) -> Said | None:
    """The summary that is edited with each review."""
    ours = (comment for comment in comments if memory.wrote(comment))
    return next((each for each in ours if marks.is_own(each.body, "summary")), None)


def sealed(memory: Memory, record: PullRecord) -> str:
    """The record's hidden line; empty without a key."""
    return "" if memory.key is None else write_record(memory.key, memory.place, record)


def write_costs(client: "Github", memory: Memory, marks: Marks, spent: PullRecord) -> bool:
    """Add a review that was not posted to the record that is there: what it cost was spent. Whether
    there was one. Raises GitHubError."""
    comments = comments_on(client, memory.repository, memory.number)
    summary = own_summary(comments, memory, marks)
    if summary is None:
        return False
    record, _ = _record(memory, summary.body)
    if record.last == spent.last:  # posted after all, though the answer to it was lost
        return True
    body = with_record(summary.body, sealed(memory, record.with_costs(spent)))
    if body == summary.body:
        return False
    edit(client, memory.repository, summary.id, body)
    return True


def _record(memory: Memory, body: str) -> tuple[PullRecord, list[str]]:
    """The record in our own comment, and a note on one that does not count."""
    if memory.key is None:
        return NO_RECORD, []
    record, ignored = read_record(memory.key, memory.place, body)
    return record, [f"the record in our summary is ignored: {ignored}"] if ignored else []


def _accounts(
    memory: Memory, known: Mapping[int, PullRecord], now: datetime
) -> tuple[Account, ...]:
    payer = Payer(memory.repository, memory.repository_id, memory.number)
    accounts = []
    for scope in payer.scopes(now):
        here = [known[memory.number]] if scope.kind == "pull" else list(known.values())
        total = Account(scope)
        for record in here:
            total = added(total, record.account(scope))
        accounts.append(total)
    return tuple(accounts)

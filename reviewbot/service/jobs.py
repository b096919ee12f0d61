"""What the service keeps in its durable queue: records, their ids and their order.

Ids make work happen once: the queue never runs an id again, so a delivery that comes twice is one
job, and whatever a person asks for has an id of its own. No record holds a secret or free text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol, Self

from reviewbot.errors import ReviewbotError, StoreError

#: A git object id: SHA-1 or SHA-256.
SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", re.ASCII)
#: `owner/name` as GitHub allows it, with room for Enterprise Server's longer owners.
REPOSITORY = re.compile(r"[A-Za-z0-9_-]{1,100}/(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,100}", re.ASCII)
#: A user's or an App's login.
LOGIN = re.compile(r"[A-Za-z0-9_-]{1,100}(?:\[bot\])?", re.ASCII)
#: Largest id: what a signed 64-bit column holds.
MAX_ID = 2**63 - 1
#: Largest pull request number; ten digits.
MAX_NUMBER = 10**10 - 1

#: Requests that nobody made by hand: a change that is ready, and one that is still a draft. A draft
#: needs its own, or the job that left it alone would stand for the review when it becomes ready.
AUTO, DRAFT = "auto", "draft"
#: Stands before these where the service itself found the pull request: the request is the same one.
SWEPT = "sweep:"
#: Begins the request of a head that was reviewed, was followed by another one, and is back.
BACK = "back:"
_REQUEST = re.compile(r"[a-z]{1,20}(?::[0-9A-Za-z-]{1,64}){0,2}", re.ASCII)
_WORDS = re.compile(r"[a-z]{1,20}(?: [a-z]{1,20})?", re.ASCII)

#: What a review came to that was not the pull request's newest, or had nothing to review any more.
SUPERSEDED = "superseded"
#: … one that was posted, or left alone …
REVIEWED = "reviewed"
#: … and one that came to no end; what was `published` of it is what people know.
FAILED = "failed"

CommentKind = Literal["issue_comment", "review_comment"]
FeedbackEvent = Literal["pull", "reply", "resolved", "reopened"]
_EVENTS = ("pull", "reply", "resolved", "reopened")
_MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)
_KEY = re.compile(r"[0-9a-f]{1,32}", re.ASCII)
#: Kinds of requests in the store's words.
_ASKED = {"comment": "command", "back": "auto"}
AskedTier = Literal["claude", "local"]


class QueueUnavailable(ReviewbotError):
    """The queue can't store a job now; the sender should try again."""


@dataclass(frozen=True, kw_only=True)
class _PullJob:
    """Which pull request. Raises ValueError for values that no delivery can hold."""

    installation: int
    repository: str
    """`owner/name` at the time of the delivery; for people and addresses."""
    repository_id: int
    """GitHub's id, which outlives a rename."""
    number: int

    def __post_init__(self) -> None:
        ids = (self.installation, self.repository_id)
        if not all(_whole(value, MAX_ID) for value in ids) or not _whole(self.number, MAX_NUMBER):
            raise ValueError("an id or number of a job is out of range")
        _check(REPOSITORY, self.repository, "repository")

    @property
    def partition(self) -> str:
        """Jobs of one partition run one after another: one per pull request."""
        return partition(self.repository_id, self.number)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON for the queue."""
        return dict(vars(self))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The job that `as_dict` wrote; keys of a later version are left out.

        Raises StoreError for anything else.
        """
        try:
            return cls(**{f.name: data[f.name] for f in fields(cls) if f.name in data})
        except (TypeError, ValueError) as error:
            raise StoreError(f"not a {cls.__name__} in the queue: {error}") from error


@dataclass(frozen=True, kw_only=True)
class ReviewJob(_PullJob):
    """One review of one head against one base, as one request asked for it."""

    head: str
    base: str
    request: str
    """`auto`, `draft`, `check:<id>:<digest>`, `label:<head>`, `comment:<comment>`, `sweep:auto`,
    `sweep:draft`, `back:<digest>`."""
    tier: AskedTier | None = None
    """Where a person wants it to go; None for what the router says."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _check(SHA, self.head, "head")
        _check(SHA, self.base, "base")
        _check(_REQUEST, self.request, "request")
        if self.tier not in (None, "claude", "local"):
            raise ValueError("a job's tier is malformed")

    @property
    def automatic(self) -> bool:
        """Nobody asked for it: a newer automatic one makes it needless."""
        return self.same_request in (AUTO, DRAFT) or self.request.startswith(BACK)

    @property
    def same_request(self) -> str:
        """The request by which the job is known: what was swept is what its delivery would have
        asked for, and happens once, whichever comes first."""
        return self.request.removeprefix(SWEPT)

    @property
    def asked_by(self) -> str:
        """The kind of the request: `auto`, `draft`, `command`, `check`, `label` or `sweep`."""
        kind = self.request.partition(":")[0]
        return _ASKED.get(kind, kind)


@dataclass(frozen=True, kw_only=True)
class CommandJob(_PullJob):
    """One command that somebody wrote in a comment. Whether they may is not yet known."""

    comment_id: int
    kind: CommentKind
    in_reply_to: int | None = None
    """The review comment that this one answers."""
    author: str
    command: str
    """The command's own words, as in `review claude`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        reply = 1 if self.in_reply_to is None else self.in_reply_to
        if not _whole(self.comment_id, MAX_ID) or not _whole(reply, MAX_ID):
            raise ValueError("a comment's id is out of range")
        if self.kind not in ("issue_comment", "review_comment"):
            raise ValueError("a comment's kind is malformed")
        _check(LOGIN, self.author, "author")
        _check(_WORDS, self.command, "command")

    @property
    def request(self) -> str:
        """The request of a review that this command asks for.

        GitHub numbers comments on the page and comments on lines apart from each other.
        """
        return f"comment:{'r' if self.kind == 'review_comment' else ''}{self.comment_id}"


@dataclass(frozen=True, kw_only=True)
class FeedbackJob(_PullJob):
    """Something that may say what people make of our findings on a pull request."""

    event: FeedbackEvent
    """`pull`: it was closed or reopened, look at all of it; the others happened in one thread."""
    key: str
    """What tells it from the pull request's others, of the delivery's content."""
    comment_id: int | None = None
    """The comment that began the thread."""
    by: str = ""
    """Login of the person who did it."""
    at: str = ""
    """When, as ISO 8601 with a zone; empty where the delivery does not say."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.event not in _EVENTS:
            raise ValueError("a job's event is malformed")
        _check(_KEY, self.key, "key")
        if self.event != "pull":
            _check(LOGIN, self.by, "person")
            if not _whole(self.comment_id, MAX_ID):
                raise ValueError("a comment's id is out of range")
        if self.at and datetime.fromisoformat(self.at).tzinfo is None:
            raise ValueError("a job's time is malformed")


@dataclass(frozen=True, kw_only=True)
class ReportJob:
    """The report of one month, to be posted as an issue. Raises ValueError for what can't be."""

    month: str
    """`2026-11`."""
    repository: str
    """Where the issue stands, `owner/name`."""
    installation: int = 0
    repository_id: int = 0
    """Of a report on this repository alone; 0, as `installation`, of one on everything."""

    def __post_init__(self) -> None:
        _check(_MONTH, self.month, "month")
        _check(REPOSITORY, self.repository, "repository")

    @property
    def everything(self) -> bool:
        """Whether it is about all repositories."""
        return not self.repository_id

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON for the queue."""
        return dict(vars(self))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The job that `as_dict` wrote. Raises StoreError for anything else."""
        try:
            return cls(**data)
        except (TypeError, ValueError) as error:
            raise StoreError(f"not a report in the queue: {error}") from error


def report_id(job: ReportJob) -> str:
    """The one id of a month's report: whoever asks for it again asks for the same."""
    place = job.repository if job.everything else f"{job.installation}:{job.repository_id}"
    return f"mr:{job.month}:{place}"


def job_id(job: ReviewJob) -> str:
    """The one id of a review: the same delivery, or the same state again, has the same."""
    place = f"{job.installation}:{partition(job.repository_id, job.number)}"
    return f"rv:{place}:{job.head}:{job.base}:{job.same_request}"


def command_id(job: CommandJob) -> str:
    """The one id of a command."""
    return f"cmd:{job.installation}:{job.request.removeprefix('comment:')}"


def feedback_id(job: FeedbackJob) -> str:
    """The one id of what happened."""
    place = f"{job.installation}:{partition(job.repository_id, job.number)}"
    return f"fb:{place}:{job.event}:{job.key}"


def partition(repository_id: int, number: int) -> str:
    """The partition of a pull request's jobs."""
    return f"{repository_id}#{number}"


class QueueDepth(NamedTuple):
    """Reviews that are not done; both are counted up to a few hundred."""

    waiting: int
    running: int


class JobQueue(Protocol):
    """Where deliveries leave their work. Each method is durable when it returns.

    All raise QueueUnavailable when nothing could be stored.
    """

    def enqueue_review(self, job: ReviewJob) -> str:
        """Keep the job, once, and return its id; take one up again that came to nothing."""
        ...

    def enqueue_command(self, job: CommandJob) -> str:
        """Keep the job, once, and return its id."""
        ...

    def enqueue_feedback(self, job: FeedbackJob) -> str:
        """Keep the job, once, and return its id; after the pull request's reviews so far."""

    def depth(self) -> QueueDepth:
        """How many reviews wait and run."""
        ...


def _whole(value: object, largest: int) -> bool:
    return type(value) is int and 0 < value <= largest


def _check(pattern: re.Pattern[str], value: object, what: str) -> None:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError(f"a job's {what} is malformed")

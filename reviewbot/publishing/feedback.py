"""What people made of posted findings."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FeedbackKind(StrEnum):
    THUMBS_UP = "thumbs up"
    THUMBS_DOWN = "thumbs down"
    REPLY = "reply"
    DISMISSED = "dismissed"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    """The thread was unresolved again."""
    FIXED = "fixed"
    """At merge: the flagged lines had changed since they were flagged."""
    KEPT = "kept"
    """At merge: they had not."""


@dataclass(frozen=True)
class Feedback:
    """One thing that somebody made of a finding."""

    kind: FeedbackKind
    by: str
    """Login; empty where nobody in particular (fixed, kept)."""
    at: datetime
    """UTC."""


@dataclass(frozen=True)
class PostedFinding:
    """A finding as it was published, and what became of it."""

    review_id: str
    installation: int
    repository_id: int
    repository: str
    """`owner/name` as it was called then."""
    number: int
    fingerprint: str
    engine: str
    model: str
    """Empty for analysers."""
    tier: str
    """The route's: `local`, `claude` or `skip`."""
    areas: tuple[str, ...]
    """Of the route of the finding's file."""
    severity: str
    category: str
    path: str
    line: int | None
    inline: bool
    """Posted on a line; else in the summary."""
    posted_at: datetime
    pull_ended_at: datetime | None = None
    """When the pull request was merged or closed, where known."""
    merged: bool = False
    feedback: tuple[Feedback, ...] = ()

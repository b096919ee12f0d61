"""What people and Apps leave on a pull request."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from github_simulator.apps import App


@dataclass
class Reaction:
    """One person's reaction to a comment."""

    id: int
    author: str
    content: str
    when: str


@dataclass
class Comment:
    """A comment under the pull request."""

    id: int
    number: int
    author: str
    body: str
    when: str
    app: "App | None" = None
    updated: str = ""
    reactions: list[Reaction] = field(default_factory=list)


@dataclass
class Issue:
    """An issue that is no pull request."""

    id: int
    number: int
    author: str
    title: str
    body: str
    when: str
    app: "App | None" = None
    updated: str = ""
    state: str = "open"


@dataclass
class Review:
    """A review; its comments are in the pull request's `threads`."""

    id: int
    author: str
    body: str
    state: str
    """COMMENTED, APPROVED, CHANGES_REQUESTED or PENDING."""
    commit: str
    when: str


@dataclass
class LineComment:
    """A comment at a line, or a reply to one."""

    id: int
    review: int
    author: str
    body: str
    when: str
    path: str
    commit: str
    line: int
    """As counted in `commit`; `present_line` in the state knows where it is now."""
    side: str
    start_line: int | None
    start_side: str | None
    position: int
    """Lines below the first hunk's header in the file's patch."""
    hunk: str
    """The hunk down to the line."""
    reply_to: int | None = None
    resolved_by: str = ""
    """Who resolved the thread that it began; empty: nobody."""
    updated: str = ""
    reactions: list[Reaction] = field(default_factory=list)


@dataclass
class CheckRun:
    """A check run of an App on a commit."""

    id: int
    app: "App"
    name: str
    head: str
    external_id: str
    status: str
    conclusion: str | None
    started: str
    completed: str | None
    details_url: str | None
    output: dict[str, Any] = field(default_factory=dict)
    """title, summary, text."""
    annotations: list[dict[str, Any]] = field(default_factory=list)

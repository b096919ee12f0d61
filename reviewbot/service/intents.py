"""What a delivery wants, as records."""

from typing import NamedTuple

from reviewbot.publishing.commands import CALL
from reviewbot.service.jobs import (
    CommandJob,
    CommentKind,
    FeedbackEvent,
    FeedbackJob,
    ReviewJob,
)


class FeedbackIntent(NamedTuple):
    """Something that may say what people make of our findings: see FeedbackJob."""

    installation: int
    repository: str
    repository_id: int
    number: int
    event: FeedbackEvent
    key: str
    comment_id: int | None = None
    by: str = ""
    at: str = ""

    def job(self) -> FeedbackJob:
        """What to keep in the queue."""
        return FeedbackJob(**self._asdict())


class ReviewIntent(NamedTuple):
    """A pull request that may need a review of `head` against `base`."""

    installation: int
    repository: str
    repository_id: int
    number: int
    head: str
    base: str
    request: str
    """See ReviewJob."""
    draft: bool
    """Whether drafts are reviewed is the policy's to say."""
    sender: str
    """Login; empty where GitHub gives none."""
    feedback: FeedbackIntent | None = None
    """It was reopened: what was written down of its end holds no more."""

    def job(self) -> ReviewJob:
        """What to keep in the queue."""
        return ReviewJob(
            installation=self.installation,
            repository=self.repository,
            repository_id=self.repository_id,
            number=self.number,
            head=self.head,
            base=self.base,
            request=self.request,
        )


class CommandIntent(NamedTuple):
    """A command that somebody, who may not be allowed to, wrote on a pull request."""

    installation: int
    repository: str
    repository_id: int
    number: int
    comment_id: int
    kind: CommentKind
    in_reply_to: int | None
    author: str
    text: str
    """The command alone, as in `/reviewbot review claude`; the rest of the comment is left behind."""

    def job(self) -> CommandJob:
        """What to keep in the queue."""
        return CommandJob(
            installation=self.installation,
            repository=self.repository,
            repository_id=self.repository_id,
            number=self.number,
            comment_id=self.comment_id,
            kind=self.kind,
            in_reply_to=self.in_reply_to,
            author=self.author,
            command=self.text.removeprefix(f"{CALL} "),
        )


class InstallationIntent(NamedTuple):
    """The App was installed, removed, or given other repositories or permissions."""

    action: str
    """`created`, `deleted`, `suspend`, `unsuspend`, `new_permissions_accepted`; `added` and
    `removed` for repositories."""
    installation: int
    repositories: tuple[int, ...]
    """Ids of those that the action is about, where GitHub lists them."""


class Ping(NamedTuple):
    """GitHub asks whether anybody listens."""


class Nothing(NamedTuple):
    """Nothing to do, and why."""

    reason: str


Intent = ReviewIntent | CommandIntent | FeedbackIntent | InstallationIntent | Ping | Nothing

"""Talk with people: reactions, answers, and who may give orders."""

from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import quote

from reviewbot.github.calls import Calls, Denied, id_of

if TYPE_CHECKING:
    from github import Github

Reaction = Literal["eyes", "rocket", "confused"]
#: GitHub has eight reactions and no check mark or cross: 👀 for "seen", 🚀 for "done" and 😕 for
#: "failed". 👍 and 👎 are left to people, whose votes on findings are counted.
SEEN: Reaction = "eyes"
DONE: Reaction = "rocket"
FAILED: Reaction = "confused"


class CommentRef(NamedTuple):
    """A comment on a pull request."""

    repository: str
    """`owner/name`."""
    id: int
    kind: Literal["issue_comment", "review_comment"]
    """In the conversation, or on a line."""

    @property
    def path(self) -> str:
        place = "issues" if self.kind == "issue_comment" else "pulls"
        return f"/repos/{self.repository}/{place}/comments/{self.id}"


class Comment(NamedTuple):
    """What a comment says, and who."""

    author: str
    """Empty for a deleted account."""
    body: str
    review_id: int | None = None
    """GitHub's id of the review that a comment on a line is in."""


def react(client: "Github", comment: CommentRef, content: Reaction) -> None:
    """Put a reaction on a comment; a second time changes nothing. Raises GitHubError."""
    Calls(client).post(f"{comment.path}/reactions", "a reaction", {"content": content})


def permission(client: "Github", repository: str, login: str) -> bool:
    """Whether `login` may write to the repository. Raises GitHubError."""
    path = f"/repos/{repository}/collaborators/{quote(login, safe='')}/permission"
    try:
        found = Calls(client).get(path, "a person's permission")
    except Denied as error:
        if error.status == 404:
            return False
        raise
    return found.get("permission") in ("write", "admin")


def read_comment(client: "Github", comment: CommentRef) -> Comment:
    """The comment as it is now. Raises GitHubError."""
    found = Calls(client).get(comment.path, "a comment")
    user = found.get("user")
    login = user.get("login") if isinstance(user, dict) else ""
    review = found.get("pull_request_review_id")
    number = review if isinstance(review, int) else None
    return Comment(str(login or ""), str(found.get("body") or ""), number)


def reply(client: "Github", repository: str, number: int, comment_id: int, body: str) -> int:
    """Answer in the thread of a comment on a line; the id of the answer. Raises GitHubError.

    `comment_id` is the thread's first comment: GitHub knows no answers to answers.
    """
    path = f"/repos/{repository}/pulls/{number}/comments/{comment_id}/replies"
    return id_of(Calls(client).post(path, "an answer to a comment", {"body": body}), path)


def say(client: "Github", repository: str, number: int, body: str) -> int:
    """A new comment in the conversation; its id. Raises GitHubError."""
    path = f"/repos/{repository}/issues/{number}/comments"
    return id_of(Calls(client).post(path, "a comment", {"body": body}), path)

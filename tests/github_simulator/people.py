"""What people do on GitHub's pages: no request, no token."""

from typing import TYPE_CHECKING, Any

from github_simulator import app_shapes
from github_simulator.messages import Call, Caller, Request
from github_simulator.records import Comment, LineComment, Reaction
from github_simulator.review_routes import create_comment, reply
from github_simulator.state import Pull, Repository

if TYPE_CHECKING:
    from github_simulator.server import GitHubSimulator


class Person:
    """One person; made by `simulator.person("ada")`."""

    def __init__(self, simulator: "GitHubSimulator", login: str) -> None:
        self._simulator = simulator
        self.login = login

    def comment(self, pull: Pull, body: str) -> Comment:
        """Under the pull request."""
        number = self._simulator.next_id()
        pull.comments.append(Comment(number, pull.number, self.login, body, self._now()))
        return pull.comments[-1]

    def comment_at(
        self, repository: Repository, pull: Pull, body: str, **place: Any
    ) -> LineComment:
        """At a line of the diff: `path`, `line`, and `side` if it is not the right one."""
        create_comment(self._call(repository, {"body": body, **place}), str(pull.number))
        return pull.threads[-1]

    def reply(
        self, repository: Repository, pull: Pull, comment: LineComment, body: str
    ) -> LineComment:
        """In the comment's thread."""
        first = comment.reply_to or comment.id
        reply(self._call(repository, {"body": body}), str(pull.number), str(first))
        return pull.threads[-1]

    def resolve(self, comment: LineComment) -> None:
        """The thread that the comment began."""
        comment.resolved_by = self.login

    def unresolve(self, comment: LineComment) -> None:
        comment.resolved_by = ""

    def react(self, comment: Comment | LineComment, content: str) -> None:
        made = Reaction(self._simulator.next_id(), self.login, content, self._now())
        comment.reactions.append(made)

    def _now(self) -> str:
        return app_shapes.stamp(self._simulator.now())

    def _call(self, repository: Repository, body: dict[str, Any]) -> Call:
        request = Request("POST", "", {}, {}, body)
        return Call(self._simulator, request, Caller(self.login), repository)

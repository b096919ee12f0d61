"""What goes over the wire, and how GitHub says no."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from github_simulator.apps import App, Installation
    from github_simulator.server import GitHubSimulator
    from github_simulator.state import Pull, Repository

#: Most characters of any body.
LONGEST_BODY = 65_536


class Request(NamedTuple):
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Any
    at: float = 0.0
    """Seconds of a clock that only goes forward."""

    @property
    def token(self) -> str:
        return self.headers.get("authorization", "").partition(" ")[2]


class Answer(NamedTuple):
    """One answer; JSON unless the body is a text."""

    status: int
    body: Any
    headers: Mapping[str, str] = {}
    seconds: float = 0.0
    """Wait so long before it."""
    sent: int | None = None
    """Hang up after so many bytes of the body."""
    hang_up: bool = False
    """Say nothing at all."""


class Refused(Exception):
    """What a handler raises instead of an answer; nothing was changed."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: Sequence[Any] | None = None,
        headers: Mapping[str, str] = {},
    ) -> None:
        super().__init__(message)
        listed = {} if errors is None else {"errors": list(errors)}
        self.answer = Answer(status, {"message": message, **listed}, headers)


@dataclass(frozen=True)
class Caller:
    """Who asks, and what the token lets them do."""

    login: str | None
    """None: nobody."""
    app: "App | None" = None
    installation: "Installation | None" = None
    permissions: Mapping[str, str] | None = None
    """None: all, as a person with a classic token."""
    repositories: frozenset[str] | None = None
    """Full names; None: all."""

    @property
    def account(self) -> str:
        """Whose rate limit it uses."""
        if self.installation:
            return f"installation ID {self.installation.id}"
        if self.app:
            return f"App {self.app.slug}"
        return f"user {self.login}" if self.login else "127.0.0.1"


@dataclass(frozen=True)
class Call:
    """A request that is let through, for a handler."""

    simulator: "GitHubSimulator"
    request: Request
    caller: Caller
    known_repository: "Repository | None" = None

    @property
    def repository(self) -> "Repository":
        if self.known_repository is None:
            raise not_found()
        return self.known_repository

    @property
    def author(self) -> str:
        if self.caller.login is None:
            raise Refused(401, "Requires authentication")
        return self.caller.login

    @property
    def api(self) -> str:
        return self.simulator.url

    def pull(self, number: str) -> "Pull":
        found = self.repository.pulls.get(int(number))
        if found is None:
            raise not_found()
        return found

    def field(self, name: str) -> Any:
        """A field of the body, or None."""
        return self.request.body.get(name) if isinstance(self.request.body, dict) else None

    def text(self, name: str = "body", *, required: bool = True) -> str:
        """A text of the body, of a length that GitHub stores."""
        found = self.field(name)
        if found is None and not required:
            return ""
        if not isinstance(found, str) or (required and not found.strip()):
            raise invalid(f"{name} can't be blank")
        if len(found) > LONGEST_BODY:
            raise invalid(f"{name} is too long (maximum is {LONGEST_BODY} characters)")
        return found

    def page(self, items: Sequence[Any]) -> tuple[list[Any], dict[str, str]]:
        """One page of a list, and the headers that lead to the next."""
        query = self.request.query
        size = min(int(query.get("per_page", 30)), 100)
        page = int(query.get("page", 1))
        chosen = list(items[(page - 1) * size : page * size])
        if len(items) <= page * size:
            return chosen, {}
        following = f"{self.api}{self.request.path}?per_page={size}&page={page + 1}"
        return chosen, {"Link": f'<{following}>; rel="next"'}


def not_found() -> Refused:
    return Refused(404, "Not Found")


def forbidden() -> Refused:
    return Refused(403, "Resource not accessible by integration")


def invalid(*errors: str) -> Refused:
    return Refused(422, "Validation Failed", errors=errors)

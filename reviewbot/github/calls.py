"""Single requests to GitHub's REST API, counted, each failure with its own type.

    GitHubError
    ├── Denied         401, 403, 404, 410: the token or the App may not, or it is not there
    ├── Refused        422 and other 4xx: GitHub will not have it as it is
    ├── RateLimited    wait `seconds`, then ask again; nothing was changed
    └── Unclear        5xx, silence, a cut-off answer: a change may have been made or not

Messages are ours alone: nothing that GitHub or a token says gets into them.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import parse_qs, urlsplit

from reviewbot.errors import ReviewbotError
from reviewbot.github.client import DEFAULT_WAIT, PER_PAGE, asked_wait

if TYPE_CHECKING:
    from github import Github
    from github.Requester import Requester

#: Pages of a list that are read: 3 000 comments.
MAX_PAGES = 30

_NEXT = re.compile(r'<([^>]*)>;\s*rel="next"')

Verb = Literal["GET", "POST", "PATCH"]


class GitHubError(ReviewbotError):
    """A request that failed; `status` is None where there was no answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Denied(GitHubError):
    """The token or the App may not do this, or there is no such thing."""


class Refused(GitHubError):
    """GitHub will not have the request as it is."""


class RateLimited(GitHubError):
    """Asked too often; `seconds` to wait."""

    def __init__(self, message: str, status: int, seconds: float) -> None:
        super().__init__(message, status)
        self.seconds = seconds


class Unclear(GitHubError):
    """Failed, silent or cut off: what was asked for may have been done."""


class _Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    text: str


class Calls:
    """Makes requests with a client that never repeats any."""

    def __init__(self, client: "Github", requester: "Requester | None" = None) -> None:
        """With the client's own token, or with what `requester` holds."""
        self._requester = requester or client.requester
        self.count = 0
        """Requests made so far."""
        self.remaining: int | None = None
        """What GitHub said last of the requests that are left of this hour."""
        self.said_at: datetime | None = None
        """The time by GitHub's clock, as it said last."""

    def get(self, path: str, what: str, **parameters: str | int) -> dict[str, Any]:
        """One object. Raises GitHubError."""
        return _object(self._asked("GET", path, what, parameters=parameters), what)

    def post(self, path: str, what: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The object that was made. Raises GitHubError."""
        return _object(self._asked("POST", path, what, body=body), what)

    def patch(self, path: str, what: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The object that was changed. Raises GitHubError."""
        return _object(self._asked("PATCH", path, what, body=body), what)

    def query(self, text: str, what: str, **variables: str | int | None) -> dict[str, Any]:
        """The data of a GraphQL query, as much as was answered. Raises GitHubError."""
        body = {"query": text, "variables": variables}
        answer = _object(self._asked("POST", self._requester.graphql_url, what, body=body), what)
        if isinstance(data := answer.get("data"), dict) and any(data.values()):
            return data
        raise _query_failure(answer.get("errors"), what)

    def each(
        self, path: str, what: str, *, under: str = "", **parameters: str | int
    ) -> Iterator[dict[str, Any]]:
        """Items of a list (of the key `under`, if GitHub wraps it), a page when it is needed.

        Raises GitHubError.
        """
        for page in range(1, MAX_PAGES + 1):
            paging = {"per_page": PER_PAGE, **({"page": page} if page > 1 else {})}
            answer = self._asked("GET", path, what, parameters={**parameters, **paging})
            data = _data(answer, what)
            items = data.get(under) if under and isinstance(data, dict) else data
            if not isinstance(items, list):
                raise Unclear(f"GitHub's answer makes no sense: {what}", answer.status)
            yield from (item for item in items if isinstance(item, dict))
            if 'rel="next"' not in answer.headers.get("link", ""):
                return

    def following(
        self, path: str, what: str, *, most: int, **parameters: str | int
    ) -> Iterator[dict[str, Any]]:
        """Items of a list that goes on from cursor to cursor, `most` pages of it.

        Raises GitHubError.
        """
        cursor: dict[str, str | int] = {}
        for _ in range(most):
            asked = {**parameters, "per_page": PER_PAGE, **cursor}
            answer = self._asked("GET", path, what, parameters=asked)
            data = _data(answer, what)
            if not isinstance(data, list):
                raise Unclear(f"GitHub's answer makes no sense: {what}", answer.status)
            yield from (item for item in data if isinstance(item, dict))
            found = _NEXT.search(answer.headers.get("link", ""))
            # the cursor alone is taken from the link: where to ask is not GitHub's to say
            named = parse_qs(urlsplit(found[1]).query).get("cursor") if found else None
            if not named:
                return
            cursor = {"cursor": named[0]}

    def _asked(
        self,
        verb: Verb,
        path: str,
        what: str,
        *,
        parameters: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> _Answer:
        self.count += 1
        with _network(what):
            answer = _Answer(
                *self._requester.requestJson(verb, path, dict(parameters or {}), None, body)
            )
        left = answer.headers.get("x-ratelimit-remaining", "")
        self.remaining = int(left) if left.isdecimal() and len(left) < 10 else None
        self.said_at = _moment(answer.headers.get("date", ""))
        if not 200 <= answer.status < 300:
            raise _failure(answer, what)
        return answer


@contextmanager
def _network(what: str) -> Iterator[None]:
    import requests  # loaded with PyGithub, 0.1 s

    try:
        yield
    except requests.RequestException:
        raise Unclear(f"no answer from GitHub: {what}") from None
    except RuntimeError:  # what PyGithub raises for a redirect to another host or scheme
        raise Refused(f"GitHub redirects elsewhere: {what}") from None


def _moment(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None


def _failure(answer: _Answer, what: str) -> GitHubError:
    status = answer.status
    if (seconds := _wait(answer)) is not None:
        return RateLimited(f"GitHub's rate limit ({status}): {what}", status, seconds)
    if status >= 500:
        return Unclear(f"GitHub failed ({status}): {what}", status)
    if status in (401, 403, 404, 410):
        return Denied(f"GitHub does not let us, or it is not there ({status}): {what}", status)
    return Refused(f"GitHub refused ({status}): {what}", status)


def _query_failure(errors: Any, what: str) -> GitHubError:
    """GraphQL tells most failures with status 200."""
    told = [error for error in errors if isinstance(error, dict)] if errors else []
    kinds = {error.get("type") for error in told}
    if "RATE_LIMITED" in kinds:
        return RateLimited(f"GitHub's rate limit: {what}", 200, DEFAULT_WAIT)
    if kinds & {"NOT_FOUND", "FORBIDDEN", "INSUFFICIENT_SCOPES"}:
        return Denied(f"GitHub does not let us, or it is not there: {what}", 404)
    if any("extensions" in error for error in told):  # the query itself is wrong for this server
        return Refused(f"GitHub refused the query: {what}", 200)
    return Unclear(f"GitHub's answer makes no sense: {what}", 200)


def _wait(answer: _Answer) -> float | None:
    """Seconds to wait for a limit; None if this is none."""
    status, headers = answer.status, answer.headers
    said = answer.text.lower()
    used_up = headers.get("x-ratelimit-remaining") == "0"
    limited = status == 429 or (
        status == 403 and (used_up or "retry-after" in headers or "rate limit" in said)
    )
    # 422 is GitHub's older way to say that content comes too fast
    if not limited and not (status == 422 and "submitted too quickly" in said):
        return None
    return asked_wait(headers)


def id_of(made: Mapping[str, Any], what: str) -> int:
    """The id of something that was made. Raises Unclear."""
    found = made.get("id")
    if not isinstance(found, int):
        raise Unclear(f"GitHub's answer makes no sense: {what}")
    return found


def wrote(item: Mapping[str, Any], author: str) -> bool:
    """Whether `author` (a login) wrote the review or comment."""
    user = item.get("user")
    return isinstance(user, dict) and str(user.get("login")).casefold() == author.casefold()


def _data(answer: _Answer, what: str) -> Any:
    try:
        return json.loads(answer.text)
    except (ValueError, RecursionError):
        raise Unclear(f"GitHub's answer makes no sense: {what}", answer.status) from None


def _object(answer: _Answer, what: str) -> dict[str, Any]:
    data = _data(answer, what)
    if not isinstance(data, dict):
        raise Unclear(f"GitHub's answer makes no sense: {what}", answer.status)
    return data

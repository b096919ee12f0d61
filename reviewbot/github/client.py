"""A client for GitHub, and GitHub's failures as one clear line each."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reviewbot.errors import SourceError

if TYPE_CHECKING:
    from github import Github, GithubException

#: The version of the REST API that is asked for; github.com and every Enterprise Server know it.
API_VERSION = "2022-11-28"
#: Longest wait for GitHub to go on, seconds; it gives up on a request of its own after 10.
TIMEOUT_SECONDS = 20
#: Most items of one page of any list.
PER_PAGE = 100
#: What GitHub asks for where it does not say how long, seconds (docs: "Exceeding the rate limit").
DEFAULT_WAIT = 60.0
#: Longest wait believed, seconds: the hourly limit starts anew within an hour.
MAX_WAIT = 3_700.0


def connect(api_url: str, token: str | None, *, timeout: int = TIMEOUT_SECONDS) -> "Github":
    """A client that never repeats, delays or hides a request; close it after use.

    `api_url` is the operator's; without a `token` only public repositories can be read. Objects
    are lazy: one that was not asked for costs no request.
    """
    # PyGithub costs 0.3 s to import; most commands don't need it
    from github import Auth, Github

    return Github(
        base_url=api_url,
        auth=Auth.Token(token) if token else None,
        timeout=timeout,
        per_page=PER_PAGE,
        retry=None,
        seconds_between_requests=None,
        seconds_between_writes=None,
        lazy=True,
        api_version=API_VERSION,
        user_agent="reviewbot",
    )


def asked_wait(headers: Mapping[str, str]) -> float:
    """Seconds that GitHub asks to wait, by the headers of an answer that met a limit."""
    wait, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    used_up = headers.get("x-ratelimit-remaining") == "0"
    if wait.isdecimal() and len(wait) < 8:
        return min(max(float(wait), 1.0), MAX_WAIT)
    if used_up and reset.isdecimal() and len(reset) < 12:
        return min(max(int(reset) - time.time(), 1.0), MAX_WAIT)
    return DEFAULT_WAIT


class SourceBusy(SourceError):
    """GitHub can't be read now; the same may work after `seconds`."""

    def __init__(self, message: str, seconds: float = 5.0) -> None:
        super().__init__(message)
        self.seconds = seconds


@contextmanager
def plain_errors(client: "Github", what: str) -> Iterator[None]:
    """Turns whatever happens to a request about `what` into a SourceError that says what to do."""
    import requests
    from github import BadAttributeException, GithubException

    host = urlsplit(client.requester.base_url).hostname or "GitHub"
    try:
        yield
    except GithubException as error:
        said = _said(error, what, has_token=client.requester.auth is not None)
        if error.status >= 500:
            raise SourceBusy(said) from None
        if error.status == 429 or (error.status == 403 and _is_rate_limit(error)):
            raise SourceBusy(said, asked_wait(error.headers or {})) from None
        raise SourceError(said) from None
    except requests.exceptions.SSLError:
        raise SourceError(f"the certificate of {host} can't be trusted") from None
    except requests.Timeout:
        raise SourceBusy(f"{host} did not answer in time; try again") from None
    except requests.RequestException:
        raise SourceBusy(f"can't reach {host}: check the network and the address") from None
    except (BadAttributeException, RecursionError, ValueError):  # or JSON that is cut off
        raise SourceBusy(not_github(host)) from None
    except RuntimeError:  # what PyGithub raises for a redirect to another host or scheme
        raise SourceError(f"{host} redirects elsewhere: check REVIEWBOT_GITHUB_API_URL") from None


def failure(client: "Github", status: int, headers: dict[str, str], text: str) -> "GithubException":
    """The error of an answer in another media type, which PyGithub does not look at."""
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    said = data if isinstance(data, dict) else {"message": ""}
    return client.requester.createException(status, headers, said)


def not_github(host: str) -> str:
    """What to say of an answer that makes no sense."""
    return f"{host} does not answer as GitHub's API does: check REVIEWBOT_GITHUB_API_URL"


def _said(error: "GithubException", what: str, *, has_token: bool) -> str:
    status, headers = error.status, error.headers or {}
    if status == 401:
        return "GitHub refuses the token (401): is GITHUB_TOKEN still valid?"
    if status == 429 or (status == 403 and _is_rate_limit(error)):
        return f"GitHub's rate limit is used up (while reading {what}): {_when(headers, has_token)}"
    if status == 403:
        if "x-github-sso" in headers:
            return f"GITHUB_TOKEN must be authorised for single sign-on to read {what}"
        return (
            f"GitHub does not let this token read {what} (403): it needs read access to "
            "contents and pull requests"
        )
    if status == 404:
        access = "the token's access to it" if has_token else "GITHUB_TOKEN, if it is private"
        return f"{what} not found on GitHub: check the address, and {access}"
    if status >= 500:
        return f"GitHub failed ({status}) while reading {what}; try again later"
    return f"GitHub refused to give {what} ({status})"


def _is_rate_limit(error: "GithubException") -> bool:
    from github import RateLimitExceededException

    headers = error.headers or {}
    used_up = headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers
    return used_up or isinstance(error, RateLimitExceededException)


def _when(headers: dict[str, str], has_token: bool) -> str:
    wait, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    if wait.isdecimal():
        advice = f"try again in {wait} s"
    elif reset.isdecimal() and len(reset) < 12:
        advice = f"try again after {datetime.fromtimestamp(int(reset), UTC):%H:%M} UTC"
    else:
        advice = "try again in some minutes"
    return advice if has_token else f"{advice}, or set GITHUB_TOKEN"

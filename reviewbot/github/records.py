"""Comments in which a pull request's record may stand, and what people said to our findings."""

import re
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from reviewbot.github.calls import MAX_PAGES, Calls, id_of, wrote
from reviewbot.github.client import PER_PAGE
from reviewbot.github.threads import permission
from reviewbot.publishing.commands import Command, read_command
from reviewbot.publishing.record import Place
from reviewbot.reporting.pull_record import NO_RECORD, PullRecord, read_record

if TYPE_CHECKING:
    from github import Github

#: Who posts with the token of a job.
ACTIONS_LOGIN = "github-actions[bot]"
_ISSUE = re.compile(r"/issues/(\d{1,10})\Z", re.ASCII)


class Said(NamedTuple):
    """A comment in a pull request's conversation."""

    id: int
    author: str
    """Login; empty for a deleted account."""
    body: str


class Records(NamedTuple):
    """What pull requests of a repository remember."""

    records: dict[int, PullRecord]
    """By number."""
    whole: bool
    """False where there are more comments than are read."""


def comments_on(client: "Github", repository: str, number: int) -> list[Said]:
    """The conversation of a pull request, the oldest first. Raises GitHubError."""
    path = f"/repos/{repository}/issues/{number}/comments"
    return [_said(comment) for comment in Calls(client).each(path, "listing comments")]


def month_records(
    client: "Github",
    repository: str,
    repository_id: int,
    authors: Collection[str],
    key: bytes,
    *,
    since: datetime,
) -> Records:
    """The records that were written since the month of `since` began, in comments of `authors`
    (logins), the newest of each pull request: one request for each 100 comments of the repository,
    3 000 at most. Raises GitHubError."""
    start = since.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    listed = list(
        Calls(client).each(
            f"/repos/{repository}/issues/comments",
            "listing comments of the repository",
            since=f"{start:%Y-%m-%dT%H:%M:%SZ}",
            sort="updated",
            direction="desc",
        )
    )
    records: dict[int, PullRecord] = {}
    for comment in listed:
        found = _ISSUE.search(str(comment.get("issue_url") or ""))
        number = int(found[1]) if found else 0
        if number in records or not any(wrote(comment, author) for author in authors):
            continue
        place = Place(repository_id, number)
        record, _ = read_record(key, place, str(comment.get("body") or ""))
        if record != NO_RECORD:
            records[number] = record
    return Records(records, len(listed) < MAX_PAGES * PER_PAGE)


def edit(client: "Github", repository: str, comment_id: int, body: str) -> None:
    """Give a comment of our own another text. Raises GitHubError."""
    path = f"/repos/{repository}/issues/comments/{comment_id}"
    Calls(client).patch(path, "the summary", {"body": body})


def dismissed_findings(
    client: "Github",
    repository: str,
    number: int,
    *,
    author: str,
    fingerprint_in: Callable[[str], str | None],
) -> frozenset[str]:
    """Fingerprints of findings to which somebody who may write to the repository has answered
    `/reviewbot dismiss`. `author` is our own login. Raises GitHubError."""
    path = f"/repos/{repository}/pulls/{number}/comments"
    listed = list(Calls(client).each(path, "listing comments on lines"))
    ours = {
        comment.get("id"): fingerprint
        for comment in listed
        if wrote(comment, author) and (fingerprint := fingerprint_in(str(comment.get("body"))))
    }
    asked = list(_dismissals(listed, ours))
    may = {login: permission(client, repository, login) for login in {by for by, _ in asked}}
    return frozenset(fingerprint for by, fingerprint in asked if may[by])


def _dismissals(listed: list[dict[str, Any]], ours: dict[Any, str]) -> Iterator[tuple[str, str]]:
    """Who, and which finding."""
    for comment in listed:
        fingerprint = ours.get(comment.get("in_reply_to_id"))
        login = _login(comment)
        if fingerprint and login and read_command(str(comment.get("body"))) is Command.DISMISS:
            yield login, fingerprint


def _said(comment: dict[str, Any]) -> Said:
    return Said(id_of(comment, "a comment"), _login(comment), str(comment.get("body") or ""))


def _login(comment: dict[str, Any]) -> str:
    user = comment.get("user")
    return str(user.get("login") or "") if isinstance(user, dict) else ""

"""Which pull requests an installation has open, those that were touched last first."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from reviewbot.github.calls import Calls


class Place(NamedTuple):
    """A repository of an installation."""

    repository: str
    """`owner/name`."""
    id: int


class OpenPull(NamedTuple):
    """An open pull request."""

    number: int
    head: str
    base: str
    draft: bool
    updated_at: datetime


def installations(app_calls: Calls) -> Iterator[int]:
    """Ids of the App's installations that are not suspended. Raises GitHubError."""
    for item in app_calls.each("/app/installations", "listing our installations"):
        if item.get("suspended_at") is None and type(item.get("id")) is int:
            yield item["id"]


def repositories(calls: Calls) -> list[Place]:
    """What the token's installation covers and is not archived, pushed to last first. Raises
    GitHubError."""
    path, what = "/installation/repositories", "listing an installation's repositories"
    found = [
        (str(item.get("pushed_at") or ""), Place(str(item["full_name"]), item["id"]))
        for item in calls.each(path, what, under="repositories")
        if not item.get("archived") and "full_name" in item and type(item.get("id")) is int
    ]
    return [place for _, place in sorted(found, reverse=True)]


def open_pulls(calls: Calls, place: Place, since: datetime) -> Iterator[OpenPull]:
    """Those touched since then, the newest first. Raises GitHubError."""
    listed = calls.each(
        f"/repos/{place.repository}/pulls",
        "listing open pull requests",
        state="open",
        sort="updated",
        direction="desc",
    )
    for item in listed:
        pull = _pull(item)
        if pull is None:
            continue
        if pull.updated_at < since:
            return
        yield pull


def _pull(item: dict[str, Any]) -> OpenPull | None:
    """None for what makes no sense."""
    try:
        at = datetime.fromisoformat(str(item["updated_at"]))
        return OpenPull(
            number=int(item["number"]),
            head=str(item["head"]["sha"]),
            base=str(item["base"]["sha"]),
            draft=bool(item.get("draft")),
            updated_at=at if at.tzinfo else at.replace(tzinfo=UTC),
        )
    except (KeyError, TypeError, ValueError):
        return None

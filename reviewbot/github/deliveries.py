"""The App's log of deliveries: what GitHub sent us, or tried to, in the last three days."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from reviewbot.github.calls import Calls

#: How long GitHub remembers a delivery.
KEPT = timedelta(days=3)
#: Pages of the log that are read at a time: 30 000 deliveries.
MAX_PAGES = 300

_PATH = "/app/hook/deliveries"


class Logged(NamedTuple):
    """One attempt to deliver."""

    id: int
    guid: str
    """Of the delivery: all its attempts share it."""
    event: str
    at: datetime
    failed: bool
    installation: int | None
    repository_id: int | None


def logged_since(calls: Calls, oldest: datetime, *, failed_only: bool) -> Iterator[Logged]:
    """What the log holds from `oldest` on, the newest first. `calls` are the App's own.

    Raises GitHubError.
    """
    # an Enterprise Server that does not know the parameter gives all of them: looked at below, too
    only: dict[str, str | int] = {"status": "failure"} if failed_only else {}
    for item in calls.following(_PATH, "reading the log of deliveries", most=MAX_PAGES, **only):
        one = _logged(item)
        if one is None:
            continue
        if one.at < oldest:
            return
        if one.failed or not failed_only:
            yield one


def body_of(calls: Calls, delivery: int) -> bytes:
    """The delivery's body with the same content, if not the same bytes. Raises GitHubError."""
    whole = calls.get(f"{_PATH}/{delivery}", "reading a delivery")
    request = whole.get("request")
    return json.dumps(request.get("payload") if isinstance(request, dict) else None).encode()


def _logged(item: dict[str, Any]) -> Logged | None:
    """None for a line that makes no sense."""
    try:
        at = datetime.fromisoformat(str(item["delivered_at"]))
        return Logged(
            id=int(item["id"]),
            guid=str(item["guid"])[:64],
            event=str(item["event"]),
            at=at if at.tzinfo else at.replace(tzinfo=UTC),
            failed=not 200 <= int(item["status_code"]) < 400,
            installation=_number(item.get("installation_id")),
            repository_id=_number(item.get("repository_id")),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _number(value: object) -> int | None:
    return value if type(value) is int else None

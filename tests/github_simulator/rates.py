"""How much is asked: GitHub's limits, and counts for tests."""

import re
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from github_simulator.faults import SECONDARY
from github_simulator.messages import Caller, Refused, Request
from github_simulator.state import Limits

_VARIABLE = (
    (re.compile(r"/repos/[^/]+/[^/]+"), "/repos/{repository}"),
    (re.compile(r"/contents/.+"), "/contents/{path}"),
    (re.compile(r"/commits/[^/]+"), "/commits/{ref}"),
    (re.compile(r"/collaborators/[^/]+"), "/collaborators/{login}"),
    (re.compile(r"/\d+(?=/|$)"), "/{n}"),
)


def kind_of(request: Request) -> str:
    """`GET /repos/{repository}/pulls/{n}`."""
    path = request.path
    for pattern, name in _VARIABLE:
        path = pattern.sub(name, path)
    return f"{request.method} {path}"


def is_content_write(request: Request) -> bool:
    """Whether it makes something that people see: what GitHub limits to 80 a minute."""
    return request.method in ("POST", "PATCH", "PUT") and request.path.startswith("/repos/")


def writes_by_second(requests: Iterable[Request]) -> Counter[int]:
    """Content writes in each second since the first request."""
    listed = list(requests)
    first = listed[0].at if listed else 0.0
    return Counter(int(one.at - first) for one in listed if is_content_write(one))


@dataclass
class _Use:
    window: datetime
    used: int = 0
    writes: deque[datetime] = field(default_factory=deque)


@dataclass
class Rates:
    """What each account has used."""

    accounts: dict[str, _Use] = field(default_factory=dict)

    def count(
        self, caller: Caller, request: Request, limits: Limits, now: datetime
    ) -> dict[str, str]:
        """The headers of every answer; refuses what is too much."""
        use = self.accounts.setdefault(caller.account, _Use(now))
        if now - use.window >= timedelta(hours=1):
            use.window, use.used = now, 0
        use.used += 1
        left = limits.requests_an_hour - use.used
        headers = {
            "x-ratelimit-limit": str(limits.requests_an_hour),
            "x-ratelimit-remaining": str(max(0, left)),
            "x-ratelimit-used": str(use.used),
            "x-ratelimit-reset": str(int((use.window + timedelta(hours=1)).timestamp())),
            "x-ratelimit-resource": "core",
        }
        if left < 0:
            message = f"API rate limit exceeded for {caller.account}."
            raise Refused(403, message, headers=headers)
        if limits.writes_a_minute is not None and is_content_write(request):
            _count_write(use, limits.writes_a_minute, now)
        return headers


def _count_write(use: _Use, most: int, now: datetime) -> None:
    while use.writes and now - use.writes[0] >= timedelta(minutes=1):
        use.writes.popleft()
    if len(use.writes) >= most:
        raise Refused(403, SECONDARY, headers={"Retry-After": "60"})
    use.writes.append(now)

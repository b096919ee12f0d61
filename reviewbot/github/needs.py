"""What our App must be allowed to do, and what it must be told of.

The one list: `reviewbot setup` asks for it, `reviewbot doctor` compares an App with it, and the
table in docs/operating.md is written from it.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

_RANK = {"none": 0, "read": 1, "write": 2, "admin": 3}


class Need(NamedTuple):
    """A permission of the App."""

    name: str
    level: str
    why: str


#: What every installation needs.
NEEDS = (
    Need("metadata", "read", "GitHub gives it to every App"),
    Need("contents", "read", "diffs, policies and guidelines"),
    Need("pull_requests", "write", "reviews, summaries, answers"),
    Need("checks", "write", "the check run of each review"),
    Need("issues", "read", "GitHub sends comments on pull requests only with it"),
)
#: What some want, by the option of `reviewbot setup` that asks for it.
EXTRAS: Mapping[str, Need] = MappingProxyType(
    {
        "--monthly-issue": Need("issues", "write", "the month's report as an issue"),
        "--resolve-threads": Need("contents", "write", "GitHub resolves threads only with it"),
    }
)
#: Events that an App subscribes to, and what for.
EVENTS: Mapping[str, str] = MappingProxyType(
    {
        "pull_request": "what is to be reviewed, and how it ended",
        "issue_comment": "commands below a pull request",
        "pull_request_review_comment": "commands and answers in a thread",
        "pull_request_review_thread": "threads resolved and reopened",
        "check_run": '"Re-run" at the check',
    }
)
#: Read as well, but sent to every App: GitHub refuses a subscription to them.
UNASKED = ("installation", "installation_repositories", "ping")


def permissions(extras: Iterable[str] = ()) -> dict[str, str]:
    """Levels by permission, with those of some EXTRAS."""
    needed = {need.name: need.level for need in NEEDS}
    for option in extras:
        extra = EXTRAS[option]
        needed[extra.name] = extra.level
    return needed


class Difference(NamedTuple):
    """How an App differs from what it needs to be, each thing as `name: level` or a name."""

    missing: tuple[str, ...] = ()
    """Permissions without which something fails."""
    superfluous: tuple[str, ...] = ()
    """Permissions that nothing of ours uses."""
    deaf: tuple[str, ...] = ()
    """Events that it is not told of."""
    unused: tuple[str, ...] = ()
    """Events that nobody reads: they cost a delivery each, and nothing else."""


def compare(
    granted: Mapping[str, str], told: Iterable[str], extras: Iterable[str] = ()
) -> Difference:
    """An App's permissions and events against what is needed with these EXTRAS. What another
    extra would ask for is not superfluous: it may be wanted later."""
    needed, most = permissions(extras), permissions(EXTRAS)
    events = set(told)
    return Difference(
        missing=tuple(
            f"{name}: {level}"
            for name, level in needed.items()
            if _rank(granted.get(name, "none")) < _RANK[level]
        ),
        superfluous=tuple(
            f"{name}: {level}"
            for name, level in sorted(granted.items())
            if _rank(level) > _rank(most.get(name, "none"))
        ),
        deaf=tuple(event for event in EVENTS if event not in events),
        unused=tuple(sorted(events - set(EVENTS) - set(UNASKED))),
    )


def _rank(level: str) -> int:
    return _RANK.get(level, 3)

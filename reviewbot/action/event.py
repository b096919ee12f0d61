"""What the runner says has happened, and whether that is something to review. No I/O."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reviewbot.errors import SourceError, UsageError

#: Largest event file, bytes: GitHub's webhooks have 25 MB at most.
MAX_EVENT = 32 * 1024 * 1024
_NUMBER_DIGITS = 10
_DEPENDABOT = "dependabot[bot]"

_REFUSED = (
    "pull_request_target runs with this repository's secrets and a token that may write, for anybody's"
    " fork: one step that checks out the pull request hands them over. Use `on: pull_request`; a"
    " fork's pull request is reviewed when somebody starts the workflow by hand (workflow_dispatch"
    " with its number)"
)


@dataclass(frozen=True)
class Target:
    """The pull request to review."""

    number: int
    request: str
    """Who asks: `auto`, or `run:ID:ATTEMPT` of a run that somebody started by hand."""
    fork: bool = False
    """Its head is in another repository: the job has no secrets, and its token may only read."""
    dependabot: bool = False
    """Likewise."""

    @property
    def automatic(self) -> bool:
        return self.request == "auto"

    @property
    def without_secrets(self) -> str:
        """Why GitHub gives this job no secrets; empty where it does."""
        if self.dependabot:
            return "Dependabot's runs"
        return "runs for a fork's pull request" if self.fork else ""


@dataclass(frozen=True)
class Nothing:
    """There is nothing to review; the step ends well."""

    why: str


def read_event(
    name: str, text: bytes, environment: Mapping[str, str], number: str
) -> Target | Nothing:
    """What to do about the event `name` with this body; `number` is the input `pull-request`.

    Raises UsageError for what must not run, SourceError for an event that makes no sense.
    """
    if name == "pull_request_target":
        raise UsageError(_REFUSED)
    if name == "workflow_dispatch":
        run = environment.get("GITHUB_RUN_ID", "0"), environment.get("GITHUB_RUN_ATTEMPT", "1")
        return Target(_asked_for(number), f"run:{run[0]}:{run[1]}")
    if name != "pull_request":
        return Nothing(f"nothing to review: the event is {_shown(name)}, not pull_request")
    pull = _object(_parsed(text), "pull_request")
    if pull.get("state") != "open":
        return Nothing("nothing to review: the pull request is closed")
    found = pull.get("number")
    if type(found) is not int or found < 1:
        raise SourceError("GITHUB_EVENT_PATH: the event names no pull request")
    return Target(
        found,
        "auto",
        fork=_is_fork(pull),
        dependabot=environment.get("GITHUB_ACTOR") == _DEPENDABOT,
    )


def _asked_for(number: str) -> int:
    if not number.isascii() or not number.isdecimal() or not 0 < len(number) <= _NUMBER_DIGITS:
        raise UsageError(
            "workflow_dispatch needs the input `pull-request`: the number of a pull request, for"
            f" example 7 (not {_shown(number)})"
        )
    return int(number)


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        event = json.loads(text)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise SourceError("GITHUB_EVENT_PATH: the file holds no event (JSON object)")
    return event


def _is_fork(pull: Mapping[str, Any]) -> bool:
    """A head whose repository is gone was a fork's."""
    ids = []
    for side in ("head", "base"):
        repository = _object(pull, side).get("repo")
        ids.append(repository.get("id") if isinstance(repository, dict) else None)
    return ids[0] is None or ids[0] != ids[1]


def _object(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key)
    if not isinstance(found, dict):
        raise SourceError(f"GITHUB_EVENT_PATH: the event has no `{key}`")
    return found


def _shown(text: str) -> str:
    return ascii(text[:60])[1:-1] if text else "empty"

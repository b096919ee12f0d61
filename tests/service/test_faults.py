"""Every fault has an end that people see: on the pull request, or as the answer to a delivery.

One row is one fault. All happen at once, to one service, each to a pull request of its own.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from forked import start_worker, worker_context
from github_simulator.records import CheckRun
from github_simulator.server import GitHubSimulator
from github_simulator.state import Pull, Repository
from model_servers.behaviours import Answer, Behaviour, Fail, Hang, HangUp, Refusal
from model_servers.server import Asked
from serving import WEB, Service, answer, surroundings

from reviewbot.service.dbos_setup import migrate_jobs

#: A whole finding, and one that breaks off.
CUT = """{"walkthrough": "Simplifies.", "findings": [{"path": "shop/auth/login_1.py", "line": 5,
"end_line": null, "quote": "    return user.digest == password", "severity": "critical",
"category": "security", "title": "Timing leaks the digest", "body": "Compare in constant time.",
"confidence": 0.9, "suggestion": null}, {"path": "shop/auth/lo"""
SOON = {"retry-after": "1"}


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and what is seen of it in the end."""

    name: str
    model: Sequence[Behaviour] = ()
    """What the model does with the first questions."""
    lasting: bool = False
    """The last of it goes on for ever; else good answers follow."""
    at_github: Callable[[GitHubSimulator, str], None] = lambda *_: None
    """Prepare GitHub for the repository of this name."""
    conclusion: str = "success"
    check: str = ""
    """Its check says so: in the title, or in its text."""
    summary: str = "Timing leaks the digest"
    """Its summary says so."""
    threads: int = 1
    """Comments on lines."""
    calls: Sequence[str] = ("answered",)
    """The ledger's outcomes, in order."""


def expire(github: GitHubSimulator, name: str) -> None:
    """The repository's tokens end while the model thinks."""
    for grant in tuple(github.apps.grants.values()):
        if name in (grant.repositories or ()):
            grant.expires_at = github.now()


def github(pattern: str, status: int, times: int = 1, **more: Any) -> Callable[..., None]:
    """GitHub answers so; the pattern's NAME is the repository."""

    def prepare(simulator: GitHubSimulator, name: str) -> None:
        simulator.fail(pattern.replace("NAME", name), status, times=times, **more)

    return prepare


def limited(pattern: str, **more: Any) -> Callable[..., None]:
    def prepare(simulator: GitHubSimulator, name: str) -> None:
        simulator.secondary_limit(pattern.replace("NAME", name), **more)

    return prepare


def lost(pattern: str, how: Any) -> Callable[..., None]:
    def prepare(simulator: GitHubSimulator, name: str) -> None:
        simulator.ambiguous(pattern.replace("NAME", name), how)

    return prepare


REVIEWS, COMMENTS = "POST /repos/NAME/pulls/1/reviews", "POST /repos/NAME/issues/1/comments"
CHECKS, PULL = "POST /repos/NAME/check-runs", "GET /repos/NAME/pulls/1$"
UNREAD = "NOT REVIEWED (1 risky)"
FAULTS = (
    # Claude
    Fault(
        "401: a wrong key", [Fail(401)], lasting=True, conclusion="neutral",
        check="The review failed", summary="Id for whoever runs reviewbot", threads=0,
        calls=["denied"],
    ),
    Fault(
        "403: a key without rights", [Fail(403)], lasting=True, conclusion="neutral",
        check="The review failed", summary="Id for whoever runs reviewbot", threads=0,
        calls=["denied"],
    ),
    Fault(
        "413: too large for Claude", [Fail(413)], lasting=True, conclusion="neutral",
        check=UNREAD, summary=UNREAD, threads=0, calls=["too_long"] * 5,  # the whole, then ever smaller parts
    ),
    Fault(
        "400: rejected", [Fail(400)], lasting=True, conclusion="neutral",
        check=UNREAD, summary=UNREAD, threads=0, calls=["rejected"],
    ),
    Fault("429 with retry-after", [Fail(429, headers=SOON)], calls=["rate_limited", "answered"]),
    Fault(
        "429 without: spending limit", [Fail(429)], lasting=True, conclusion="neutral",
        check=UNREAD, summary=UNREAD, threads=0, calls=["rate_limited"],
    ),
    Fault("500, then well", [Fail(500, headers=SOON)], calls=["overloaded", "answered"]),
    Fault(
        "503 for good", [Fail(503, headers=SOON)], lasting=True, conclusion="neutral",
        check=UNREAD, summary=UNREAD, threads=0, calls=["overloaded"] * 4,
    ),
    Fault("529, then well", [Fail(529, headers=SOON)], calls=["overloaded", "answered"]),
    Fault(
        "529 for good", [Fail(529, headers=SOON)], lasting=True, conclusion="neutral",
        check=UNREAD, summary=UNREAD, threads=0, calls=["overloaded"] * 4,
    ),
    Fault(
        "refusal", [Refusal(category="cyber")], conclusion="neutral",
        check=UNREAD, summary="refus", threads=0, calls=["refused"],
    ),
    Fault(
        "max_tokens", [Answer(CUT, ending="limit")], conclusion="neutral",
        check="REVIEWED IN PART", calls=["truncated"],
    ),
    Fault(
        "truncated JSON", [Answer(CUT)], conclusion="neutral", check="REVIEWED IN PART",
        calls=["truncated"],
    ),
    Fault("no JSON, then well", [Answer("I think it is fine.")], calls=["malformed", "answered"]),
    Fault(
        "no JSON for good", [Answer("I think it is fine.")], lasting=True, conclusion="neutral",
        check=UNREAD, summary=UNREAD, threads=0, calls=["malformed"] * 2,
    ),
    Fault("hang, then well", [Hang(60)], calls=["timed_out", "answered"]),
    Fault("cut off in its answer", [HangUp(40)], calls=["unreachable", "answered"]),
    # GitHub
    Fault("401: a revoked token", at_github=github(PULL, 401)),
    Fault("403: secondary limit", at_github=limited(REVIEWS, retry_after=1)),
    Fault(
        "403: no permission to review", at_github=github(REVIEWS, 403, times=9), threads=0,
    ),
    Fault("403: no permission for checks", at_github=github(CHECKS, 403, times=9), conclusion=""),
    Fault("406: the diff is too large", at_github=github("GET /repos/NAME/pulls/1", 406, accept="diff")),
    Fault("422: comments off the diff", at_github=github(REVIEWS, 422), threads=0),
    Fault("429 at GitHub", at_github=limited(PULL, status=429, retry_after=1)),
    Fault("5xx for the pull request", at_github=github(PULL, 502, times=3)),
    Fault("5xx for the review", at_github=github(REVIEWS, 500, times=3)),
    Fault("the review is posted, then 502", at_github=lost(REVIEWS, "502")),
    Fault("the review is posted, then silence", at_github=lost(REVIEWS, "hang-up")),
    Fault("the summary is posted, then 502", at_github=lost(COMMENTS, "502")),
    Fault("the check is made, then 502", at_github=lost(CHECKS, "502")),
    Fault("GitHub is away for an hour", at_github=github("/repos/NAME/", 503, times=40)),
    Fault("the token expires in mid-review"),
)  # fmt: skip


@dataclass
class Storm:
    """All faults at once."""

    service: Service
    places: dict[str, tuple[Repository, Pull]] = field(default_factory=dict)
    _asked: dict[str, int] = field(default_factory=dict)

    def answering(self, asked: Asked) -> str | Behaviour:
        [name] = re.findall(r"^Title: (.*)$", asked.user, re.MULTILINE)
        [fault] = [fault for fault in FAULTS if fault.name == name]
        number = self._asked[name] = self._asked.get(name, -1) + 1
        if name == "the token expires in mid-review":
            expire(self.service.github, self.places[name][0].full_name)
        if number < len(fault.model):
            return fault.model[number]
        return fault.model[-1] if fault.lasting else answer(asked)

    def begin(self, fault: Fault) -> None:
        repository = self.service.repository()
        pull = repository.open_pull("work1", title=fault.name)
        self.places[fault.name] = repository, pull
        fault.at_github(self.service.github, repository.full_name)
        payload = self.service.github.payloads.pull_request(repository, pull)
        assert self.service.deliver("pull_request", payload).status == 202

    def check(self, fault: Fault) -> CheckRun | None:
        repository, _ = self.places[fault.name]
        return next(iter(repository.checks), None)


@pytest.fixture(scope="module")
def storm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storm]:
    with surroundings(tmp_path_factory.mktemp("storm")) as service:
        service.more = {"REVIEWBOT_CLAUDE_TIMEOUT_SECONDS": "8"}
        made = Storm(service)
        service.claude.answering = made.answering
        migrate_jobs(service.settings)
        service.start(*WEB)
        service.listening()
        worker = start_worker(worker_context(), service.environment, service.folder / "worker.log")
        for fault in FAULTS:
            made.begin(fault)
        pulls = [pull for _, pull in made.places.values()]
        service.reviewed(*pulls)
        yield made
        worker.terminate()
        worker.join(30)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_it_ends_and_people_see_why(storm: Storm, fault: Fault) -> None:
    repository, pull = storm.places[fault.name]
    settled, unknown = storm.service.calls(repository, pull)
    [summary] = pull.comments
    shown = storm.check(fault)

    assert [call.outcome.value for call in settled] == list(fault.calls)
    assert unknown == []
    assert len(pull.threads) == fault.threads
    assert len(pull.reviews) <= 1
    assert fault.summary in summary.body
    if shown:
        assert (shown.status, shown.conclusion) == ("completed", fault.conclusion)
        assert fault.check in json.dumps(shown.output, ensure_ascii=False)
    else:
        assert fault.conclusion == "", "a check that may not be made"

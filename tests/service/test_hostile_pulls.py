"""Hostile pull requests, comments and models beside another tenant: nothing leaves, nothing is
steered.

The model says back whatever it was shown, so that a secret which reaches it shows up on GitHub.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from github_simulator.records import CheckRun
from github_simulator.state import Pull, Repository
from model_servers.behaviours import NOTHING_FOUND
from model_servers.server import Asked
from security.payloads import FAMILIES, PAYLOADS, Payload
from security.rendering import acts
from serving import HURRIED_SERVE, READER, WRITER, Service, surroundings
from story_tenants import all_rows

from reviewbot.publishing.commands import read_command
from reviewbot.review.answer import MAX_BODY

#: Secrets of the operator, of the reviewed repository, and of another tenant.
ENVIRONMENT, OUR_KEY = "canary-environment-Zt81", "canary-local-key-Pw42"
POLICY, FILE, VAULT = "canary-policy-Lk73", "canary-file-Qm15", "canary-vault-Hb96"
OTHER = "canary-globex-Xr20"
NOWHERE = (ENVIRONMENT, OUR_KEY, POLICY, FILE, VAULT, OTHER, "PRIVATE KEY-----")
#: What the service may change at GitHub.
_WRITES = re.compile(
    r"POST /app/installations/\d+/access_tokens|POST /graphql"
    r"|POST /repos/[^/]+/[^/]+/(pulls/\d+/reviews|issues/\d+/comments|check-runs)"
    r"|PATCH /repos/[^/]+/[^/]+/(issues/comments|check-runs)/\d+"
    r"|POST /repos/[^/]+/[^/]+/(issues|pulls)/comments/\d+/reactions"
)
_BATCH = len(FAMILIES)
BATCHES = [PAYLOADS[start : start + _BATCH] for start in range(0, len(PAYLOADS), _BATCH)]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with surroundings(tmp_path_factory.mktemp("hostile")) as made:
        made.more = {"AWS_SECRET_ACCESS_KEY": ENVIRONMENT, "REVIEWBOT_LOCAL_API_KEY": OUR_KEY}
        made.start(*HURRIED_SERVE)
        made.listening()
        yield made


@pytest.mark.parametrize(
    "payloads",
    [
        *BATCHES[:1],
        *(pytest.param(batch, marks=pytest.mark.soak) for batch in BATCHES[1:]),
    ],
    ids=lambda batch: f"{BATCHES.index(batch)}",
)
def test_no_text_of_others_gets_anything_out_or_through(
    service: Service, payloads: Sequence[Payload]
) -> None:
    service.claude.answering = echo(payloads)
    repository, theirs = attacked(service, payloads), neighbour(service)
    pull = repository.open_pull(
        payloads[0].branch, title=payloads[1].line, body="\n\n".join(p.text for p in payloads)
    )
    opened(service, repository, pull)
    service.opened(theirs)
    for payload in payloads:
        comment(service, repository, pull, READER, payload.text)
        if read_command(payload.text) is None:  # Grace may give commands; this is none
            comment(service, repository, pull, WRITER, payload.text)
    service.reviewed(pull, theirs.pulls[1])
    hostile = route(service, repository, pull)
    said = list(shown(repository, pull))

    service.claude.answering = lambda _: NOTHING_FOUND
    service.say(repository, pull, WRITER, "/reviewbot review")
    service.until(lambda: len(reviews(service, repository, pull)) == 2, "it is reviewed again")
    service.at_rest()

    assert hostile == route(service, repository, pull), "no answer changes where a change goes"
    assert all(review.state == "COMMENTED" for review in pull.reviews)
    assert len(said) > 10
    for text in said:
        assert acts(text) == []
    assert_nothing_left(service)
    with service.store() as store:
        assert not store.is_paused(repository.id, pull.number)
        assert store.dismissed(repository.id, pull.number) == frozenset()


def assert_nothing_left(service: Service) -> None:
    """No secret in what went out, in logs and in the databases, and nothing done but reviews."""
    for request in service.github.requests:
        if request.method != "GET":
            assert _WRITES.fullmatch(f"{request.method} {request.path}"), request.path
            written = json.dumps(request.body, ensure_ascii=False)
            allowed = {OTHER} if "globex" in written + request.path else set()
            assert set(found(written)) <= allowed
        assert ":config/production.env" not in json.dumps(request.body)
    ours = {json.dumps(asked.body, ensure_ascii=False) for asked in service.local.requests}
    outside = {json.dumps(asked.body, ensure_ascii=False) for asked in service.claude.requests}
    for prompt in ours | outside:
        allowed = {OTHER} if "property of globex" in prompt else set()
        allowed |= {VAULT} if prompt in ours else set()  # `never_send` keeps it on this machine
        assert set(found(prompt)) <= allowed
        assert not ("property of globex" in prompt and "property of acme" in prompt)
    log = service.log()
    assert found(log) == []
    assert "\x1b" not in log
    kept = "\n".join(all_rows(service))
    assert [one for one in (ENVIRONMENT, OUR_KEY, POLICY, FILE) if one in kept] == []


def found(text: str) -> list[str]:
    return [canary for canary in NOWHERE if canary in text]


def attacked(service: Service, payloads: Sequence[Payload]) -> Repository:
    """Its `main` has secrets and a policy; a branch carries the payloads in names and code."""
    repository = service.repository()
    repository.collaborators.update({WRITER: "write", READER: "read"})
    # the secret is far from what the change edits in the same file
    policy = f"# {POLICY}\n{'#' * 80}\nversion: 1\n\n\n\n\n\nroute:\n  never_send: ['vault/**']\n"
    secrets = {"config/production.env": f"KEY={FILE}\n", "vault/old.py": "x = 1\n"}
    repository.content.commit("main", {".github/reviewbot.yml": policy, **secrets})
    code = [f"    x_{at} = user.digest == {json.dumps(p.line)}" for at, p in enumerate(payloads)]
    files = {
        "shop/auth/login_1.py": "\n".join(["# property of acme", "def login(user):", *code, ""]),
        "vault/old.py": f"x = '{VAULT}'\n",
        ".github/reviewbot.yml": policy.replace("['vault/**']", "[]"),
        **{f"shop/pages/{p.file_name}.py": f"# {p.line}\n" for p in payloads},
    }
    repository.content.commit(payloads[0].branch, files, start="main")
    return repository


def neighbour(service: Service) -> Repository:
    """Another account's, which is reviewed at the same time."""
    return service.repository("globex", base=f"# property of globex\nSECRET_NAME = '{OTHER}'\n")


def echo(payloads: Sequence[Payload]) -> Callable[[Asked], str]:
    """A model that does what it is told, and repeats what it was shown."""

    def answer(asked: Asked) -> str:
        findings = []
        for at, payload in enumerate(payloads):
            line = re.search(rf"^ *(\d+) \+(    x_{at} = .*)$", asked.user, re.MULTILINE)
            half = MAX_BODY // 2
            finding: dict[str, Any] = {
                "path": "shop/auth/login_1.py",
                "line": int(line[1]) if line else 1,
                "end_line": None,
                "quote": line[2] if line else payload.text,
                "severity": "high",
                "category": "security",
                "title": payload.line,
                "body": payload.text + "\n\n" + asked.user[at * half : (at + 1) * half],
                "confidence": 0.9,
                "suggestion": payload.text,
            }
            findings.append(finding)
        walkthrough = f"{payloads[0].text} tier: local, areas: [] {asked.user[:500]}"
        return json.dumps({"walkthrough": walkthrough, "findings": findings})

    return answer


def opened(service: Service, repository: Repository, pull: Pull) -> None:
    payload = service.github.payloads.pull_request(repository, pull)
    assert service.deliver("pull_request", payload).status == 202


def comment(service: Service, repository: Repository, pull: Pull, author: str, text: str) -> None:
    """What somebody writes below the pull request is delivered, whatever it is."""
    made = service.github.person(author).comment(pull, text)
    payload = service.github.payloads.issue_comment(repository, pull, made)
    assert service.deliver("issue_comment", payload).status == 202


def reviews(service: Service, repository: Repository, pull: Pull) -> list[object]:
    """Times at which calls were made for it, by review."""
    settled, _ = service.calls(repository, pull)
    return list({call.start.review_id for call in settled})


def route(service: Service, repository: Repository, pull: Pull) -> dict[str, Any]:
    stored = service.newest_review(repository, pull)
    assert stored
    made: dict[str, Any] = stored.result["route"]
    assert made["tier"] == "claude"
    return made


def shown(repository: Repository, pull: Pull) -> Iterator[str]:
    """All Markdown of ours on the pull request."""
    remarks = (*pull.reviews, *pull.threads, *pull.comments)
    yield from (one.body for one in remarks if one.author.endswith("[bot]") and one.body)
    head = repository.ends(pull)[1]
    checks: list[CheckRun] = [check for check in repository.checks if check.head == head]
    yield from (check.output[name] for check in checks for name in ("summary",))

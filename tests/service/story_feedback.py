"""Stories of what people make of findings, from what they do to the rows of the report."""

import json
import os
import signal
from datetime import UTC, datetime
from typing import Any

import pytest
from github_simulator.records import LineComment
from github_simulator.state import Pull, Repository
from model_servers.server import Asked
from serving import EVER, Service, child
from story_tenants import all_rows

from reviewbot.publishing.feedback import PostedFinding

KEYS = ("first", "second", "third", "fourth")
PATH = "shop/auth/logins.py"
BASE = "import hmac\n\n\ndef logins(user, password):\n" + "".join(
    f"    yield hmac.compare_digest(user.{key}, password)\n" for key in ("digest", *KEYS)
)


def head(**changed: str) -> str:
    """The file with weak comparisons of all keys, but for those that are `changed`."""
    text = BASE
    for key in KEYS:
        line = changed.get(key, f"user.{key} == password")
        text = text.replace(f"hmac.compare_digest(user.{key}, password)", line)
    return text


def four_findings(asked: Asked) -> str:
    """One about each line that the prompt shows as changed."""
    findings = [
        {
            "path": PATH, "line": number, "end_line": None,
            "quote": f"    yield user.{key} == password",
            "severity": "high", "category": "security", "title": f"The {key} key leaks",
            "body": "Check it otherwise.", "confidence": 0.9, "suggestion": None,
        }
        for number, key in enumerate(KEYS, 6)
        if f"user.{key} == password" in asked.user
    ]  # fmt: skip
    return json.dumps({"walkthrough": "Changes the rules.", "findings": findings})


@pytest.fixture
def shop(service: Service) -> Repository:
    """Claude has something to say of each of four lines."""
    made = service.repository()
    made.content.commit("main", {PATH: BASE})
    made.content.commit("work9", {PATH: head()}, start="main")
    made.collaborators["grace"] = "write"
    service.claude.answering = four_findings
    return made


def opened(service: Service, shop: Repository) -> Pull:
    """A reviewed pull request with four findings on lines."""
    pull = service.opened(shop, 9)
    service.reviewed(pull)
    assert len(pull.threads) == 4
    return pull


def told(service: Service, event: str, payload: dict[str, Any]) -> None:
    """A delivery, three times: as it is, again, and with another id."""
    guid = f"{len(service.github.deliveries):08}-0000"
    for name in (guid, guid, f"{guid}-1"):
        assert service.deliver(event, payload, guid=name).status == 202


def resolved(service: Service, shop: Repository, pull: Pull, comment: LineComment) -> None:
    service.github.person("ada").resolve(comment)
    payload = service.github.payloads.review_thread(shop, pull, comment, sender="ada")
    told(service, "pull_request_review_thread", payload)


def merged(service: Service, shop: Repository, pull: Pull) -> None:
    shop.merge(pull, when="2030-02-03T04:05:06Z")
    told(service, "pull_request", service.github.payloads.pull_request(shop, pull, "closed"))
    service.at_rest()


def rows(service: Service, shop: Repository) -> list[PostedFinding]:
    with service.store() as store:
        return store.posted_findings(**EVER, repository=shop.full_name)


def asked_since(service: Service, before: int) -> int:
    """Requests to GitHub, but for tokens and who we are."""
    paths = [one.path for one in service.github.requests[before:] if "/app" not in one.path]
    assert set(paths) <= {"/graphql"}
    return len(paths)


def said(found: list[PostedFinding]) -> list[list[tuple[str, str]]]:
    return [sorted((each.kind.value, each.by) for each in row.feedback) for row in found]


def test_what_people_made_of_each_finding_is_known_after_the_merge(
    service: Service, shop: Repository
) -> None:
    pull = opened(service, shop)
    unwelcome, accepted, _, _ = pull.threads
    before = len(service.github.requests)
    service.github.person("ada").react(unwelcome, "-1")
    resolved(service, shop, pull, accepted)
    reply = service.github.person("bob").reply(shop, pull, unwelcome, "That is how we want it.")
    told(
        service,
        "pull_request_review_comment",
        service.github.payloads.review_comment(shop, pull, reply),
    )
    service.at_rest()
    shop.push(pull, {PATH: "import os\n" + head(third="True")})
    merged(service, shop, pull)

    found = rows(service, shop)

    assert [(row.path, row.line, row.inline) for row in found] == [
        (PATH, number, True) for number in range(6, 10)
    ]
    assert {(row.engine, row.model, row.tier, row.areas) for row in found} == {
        ("claude", "claude-opus-5-5", "claude", ("auth",))
    }
    assert said(found) == [
        [("kept", ""), ("reply", "bob"), ("thumbs down", "ada")],
        [("kept", ""), ("resolved", "ada")],
        [("fixed", "")],
        [("kept", "")],
    ]
    ended = datetime(2030, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert {(row.pull_ended_at, row.merged) for row in found} == {(ended, True)}
    assert asked_since(service, before) == 3, "1 at the first event, 2 at the merge"


def asked_about(service: Service, shop: Repository) -> int:
    """How often GitHub was asked about the repository: chores ask about other things."""
    return sum(one.path.startswith(f"/repos/{shop.full_name}/") for one in service.github.requests)


def test_deliveries_that_come_again_change_nothing(service: Service, shop: Repository) -> None:
    pull = opened(service, shop)
    resolved(service, shop, pull, pull.threads[0])
    merged(service, shop, pull)
    once, requests = rows(service, shop), asked_about(service, shop)

    for delivery in [
        one for one in service.github.deliveries if shop.full_name in one.body.decode()
    ]:
        assert service.github.attempt(delivery).status == 202
    service.at_rest()

    assert rows(service, shop) == once
    assert len(once) == 4
    assert asked_about(service, shop) == requests


def test_a_dismissal_is_counted_and_who_asked_is_known(service: Service, shop: Repository) -> None:
    pull = opened(service, shop)
    reply = service.github.person("grace").reply(shop, pull, pull.threads[2], "/reviewbot dismiss")
    payload = service.github.payloads.review_comment(shop, pull, reply)
    told(service, "pull_request_review_comment", payload)
    service.at_rest()
    service.say(shop, pull, "grace", "/reviewbot review claude")
    service.until(lambda: len(service.claude.asked) == 2, "it is read again")
    service.at_rest()

    found, newest = rows(service, shop), service.newest_review(shop, pull)

    assert said(found) == [[], [], [("dismissed", "grace")], []]
    assert [row.line for row in found] == [6, 7, 8, 9], "each counts once"
    assert newest
    assert newest.request == "command"
    assert [one["line"] for one in newest.result["still_open"]] == [6, 7, 9]


def test_a_worker_killed_while_it_reads_loses_nothing(service: Service, shop: Repository) -> None:
    pull = opened(service, shop)
    service.github.person("ada").react(pull.threads[1], "+1")
    resolved(service, shop, pull, pull.threads[3])
    service.at_rest()
    shop.push(pull, {PATH: head(first="True")})
    worker = child(service.process.pid, "worker")
    assert worker
    before = len(service.github.requests)
    service.github.latency = 0.7
    shop.merge(pull)
    told(service, "pull_request", service.github.payloads.pull_request(shop, pull, "closed"))
    service.until(lambda: len(service.github.requests) == before + 2, "the texts are asked for")
    os.kill(worker, signal.SIGKILL)
    service.github.latency = 0.0
    service.at_rest()

    assert asked_since(service, before) == 4, "it asked both again"
    assert said(rows(service, shop)) == [
        [("fixed", "")],
        [("kept", ""), ("thumbs up", "ada")],
        [("kept", "")],
        [("kept", ""), ("resolved", "ada")],
    ]


def test_a_finding_says_no_more_of_people_than_who_and_when(
    service: Service, shop: Repository
) -> None:
    pull = opened(service, shop)
    words = "nobody should keep these words"
    reply = service.github.person("ada").reply(shop, pull, pull.threads[0], words)
    payload = service.github.payloads.review_comment(shop, pull, reply)
    told(service, "pull_request_review_comment", payload)
    service.at_rest()

    assert said(rows(service, shop))[0] == [("reply", "ada")]
    assert not [row for row in all_rows(service) if words in row]
    assert words not in service.log()

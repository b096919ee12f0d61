"""Deliveries: genuine or not, and what they want."""

import gzip
import hashlib
import hmac
import json
import random
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewbot.service.jobs import feedback_id, job_id
from reviewbot.service.webhook import (
    BadDelivery,
    CommandIntent,
    FeedbackIntent,
    InstallationIntent,
    Nothing,
    Ping,
    ReviewIntent,
    read_delivery,
    verify,
)

HEAD, BASE = "a" * 40, "b" * 40
_EXAMPLES = Path(__file__).parents[3] / "shared" / "github" / "webhook_examples.json.gz"
_COMMON: dict[str, Any] = {
    "installation": {"id": 7},
    "repository": {"id": 42, "full_name": "octo/pay"},
    "sender": {"login": "alice", "type": "User"},
}
_PULL: dict[str, Any] = {
    "number": 3,
    "state": "open",
    "draft": False,
    "merged": False,
    "head": {"sha": HEAD},
    "base": {"sha": BASE},
}
_COMMENT: dict[str, Any] = {
    "id": 99,
    "body": "/reviewbot review claude\r\nthe login changed",
    "user": {"login": "alice", "type": "User"},
    "performed_via_github_app": None,
}
DELIVERIES: dict[str, dict[str, Any]] = {
    "pull_request": {**_COMMON, "action": "opened", "pull_request": _PULL},
    "issue_comment": {
        **_COMMON,
        "action": "created",
        "issue": {"number": 3, "pull_request": {}},
        "comment": _COMMENT,
    },
    "pull_request_review_comment": {
        **_COMMON,
        "action": "created",
        "pull_request": _PULL,
        "comment": {**_COMMENT, "in_reply_to_id": 98},
    },
    "pull_request_review_thread": {
        **_COMMON,
        "action": "resolved",
        "pull_request": _PULL,
        "thread": {"comments": [{"id": 98, "user": {"login": "reviewbot[bot]", "type": "Bot"}}]},
        "updated_at": "2026-11-21T13:14:15Z",
    },
    "check_run": {
        **_COMMON,
        "action": "rerequested",
        "check_run": {
            "id": 5,
            "head_sha": HEAD,
            "external_id": "",
            "pull_requests": [{"number": 3, "head": {"sha": HEAD}, "base": {"sha": BASE}}],
        },
    },
    "installation": {**_COMMON, "action": "created", "repositories": [{"id": 42}]},
    "installation_repositories": {
        **_COMMON,
        "action": "removed",
        "repositories_added": [],
        "repositories_removed": [{"id": 42}, {"id": 43}],
    },
    "ping": {"zen": "Keep it logically awesome."},
}
_REVIEW = ReviewIntent(7, "octo/pay", 42, 3, HEAD, BASE, "auto", False, "alice")


def body_of(event: str, changes: dict[str, Any] | None = None) -> bytes:
    """A delivery's body; `changes` are values by dotted path, `...` takes the key away."""
    payload = deepcopy(DELIVERIES[event])
    for path, value in (changes or {}).items():
        *way, last = path.split(".")
        node = payload
        for key in way:
            node = node[key]
        if value is ...:
            node.pop(last)
        else:
            node[last] = value
    return json.dumps(payload).encode()


def canonical(body: bytes) -> str:
    """What tells a body from others, however it is spelt."""
    text = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@pytest.mark.parametrize("event", ["check_run", "pull_request_review_thread"])
def test_the_same_content_in_other_bytes_is_the_same_delivery(event: str) -> None:
    """GitHub's log of deliveries gives the payload anew."""
    sent = body_of(event)
    payload = json.loads(sent)
    again = json.dumps(dict(reversed(payload.items())), indent=1).encode()

    assert again != sent
    assert read_delivery(event, again) == read_delivery(event, sent)


# ---- signatures

SECRET = b"correct horse battery staple"


def sign(body: bytes, secret: bytes = SECRET) -> str:
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def test_githubs_own_test_value_is_accepted():
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert verify(b"It's a Secret to Everybody", b"Hello, World!", signature)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        sign(b"{}").removeprefix("sha256="),
        sign(b"{}").replace("sha256", "sha1"),
        sign(b"{}").replace("sha256", "SHA256"),
        sign(b"{}") + "\n",
        " " + sign(b"{}"),
        sign(b"{}")[:-1],
        sign(b"{}") + "0",
        "sha256=" + "٠" * 64,
        "sha256=" + "é" * 64,
        sign(b"{} "),
        sign(b"{}", b"another"),
        sign(b"{}", b" "),
        "sha256=" + hashlib.sha256(b"{}").hexdigest(),
    ],
)
def test_any_other_header_is_refused(header: str | None):
    assert not verify(SECRET, b"{}", header)


def test_no_secret_signs_nothing():
    empty = hmac.new(b"", b"{}", hashlib.sha256).hexdigest()
    assert not verify(b"", b"{}", f"sha256={empty}")
    assert not verify(SECRET, b"{}", f"sha256={empty}", older=[b""])


def test_an_older_secret_is_good_while_it_is_named():
    old = sign(b"{}", b"old")
    assert verify(SECRET, b"{}", old, older=[b"older", b"old"])
    assert verify(SECRET, b"{}", sign(b"{}"), older=[b"old"])
    assert not verify(SECRET, b"{}", old)


def test_no_forged_signature_is_accepted():
    body, right = b'{"action":"opened"}', sign(b'{"action":"opened"}')
    dice = random.Random(20)
    forged = ["sha256=" + dice.randbytes(32).hex() for _ in range(20_000)]
    for at in range(len("sha256="), len(right)):
        forged += [right[:at] + digit + right[at + 1 :] for digit in "0123456789abcdef"]
    accepted = {header for header in forged if verify(SECRET, body, header)}
    assert accepted == {right}


# ---- reviews


@pytest.mark.parametrize("action", ["opened", "synchronize", "ready_for_review"])
def test_a_pull_request_that_is_ready_asks_for_a_review(action: str):
    assert read_delivery("pull_request", body_of("pull_request", {"action": action})) == _REVIEW


def test_a_draft_is_told_apart_so_that_it_can_be_reviewed_when_it_is_ready():
    draft = read_delivery("pull_request", body_of("pull_request", {"pull_request.draft": True}))
    ready = read_delivery("pull_request", body_of("pull_request", {"action": "ready_for_review"}))
    assert isinstance(draft, ReviewIntent)
    assert isinstance(ready, ReviewIntent)
    assert (draft.draft, draft.request) == (True, "draft")
    assert job_id(draft.job()) != job_id(ready.job())


@pytest.mark.parametrize(
    ("changes", "request_"),
    [
        ({"base": {"ref": {"from": "main"}, "sha": {"from": BASE}}}, "auto"),
        ({"title": {"from": "Pay"}}, None),
        ({}, None),
        (None, None),
    ],
)
def test_only_another_base_makes_an_edited_one_new(changes: object, request_: str | None):
    given_body = body_of("pull_request", {"action": "edited", "changes": changes})
    assert _request(read_delivery("pull_request", given_body)) == request_


@pytest.mark.parametrize(
    ("label", "request_"),
    [("reviewbot", f"label:{HEAD}"), ("ReviewBot", f"label:{HEAD}"), ("bug", None)],
)
def test_only_our_label_asks_for_a_review(label: str, request_: str | None):
    changes = {"action": "labeled", "label": {"name": label}}
    assert _request(read_delivery("pull_request", body_of("pull_request", changes))) == request_


def test_a_label_on_a_closed_one_asks_for_nothing():
    changes = {
        "action": "labeled",
        "label": {"name": "reviewbot"},
        "pull_request.state": "closed",
    }
    found = read_delivery("pull_request", body_of("pull_request", changes))
    assert found == Nothing("the pull request is closed")


@pytest.mark.parametrize("merged", [True, False])
def test_closing_is_told_once_by_what_the_body_says(merged: bool):
    changes = {"action": "closed", "pull_request.merged": merged, "pull_request.state": "closed"}
    body = body_of("pull_request", changes)
    found = read_delivery("pull_request", body)
    digest = canonical(body)
    assert found == FeedbackIntent(7, "octo/pay", 42, 3, "pull", digest)
    assert isinstance(found, FeedbackIntent)
    assert feedback_id(found.job()) == f"fb:7:42#3:pull:{digest}"


def test_a_reopened_one_is_reviewed_and_its_end_is_taken_back():
    found = read_delivery("pull_request", body_of("pull_request", {"action": "reopened"}))
    assert isinstance(found, ReviewIntent)
    assert found._replace(feedback=None) == _REVIEW
    assert found.feedback
    assert (found.feedback.event, found.feedback.number) == ("pull", 3)


def _request(intent: object) -> str | None:
    return intent.request if isinstance(intent, ReviewIntent) else None


def test_a_check_is_asked_for_again():
    found = read_delivery("check_run", body_of("check_run"))
    digest = canonical(body_of("check_run"))
    assert found == _REVIEW._replace(request=f"check:5:{digest}")


@pytest.mark.parametrize("more", ["", f".{'0' * 32}.{'1' * 64}"])
def test_a_check_of_a_fork_names_its_pull_request_itself(more: str):
    changes = {
        "check_run.pull_requests": [],
        "check_run.external_id": f"reviewbot:12:{'c' * 40}{more}",
    }
    found = read_delivery("check_run", body_of("check_run", changes))
    assert isinstance(found, ReviewIntent)
    assert (found.number, found.base, found.head) == (12, "c" * 40, HEAD)


@pytest.mark.parametrize(
    "pulls", [[], None, [{"number": 3, "head": {"sha": BASE}, "base": {"sha": BASE}}]]
)
def test_a_check_of_no_pull_request_asks_for_nothing(pulls: object):
    found = read_delivery("check_run", body_of("check_run", {"check_run.pull_requests": pulls}))
    assert found == Nothing("the check run belongs to no pull request")


# ---- commands


def test_commands_on_the_page_and_on_lines():
    page = CommandIntent(
        7, "octo/pay", 42, 3, 99, "issue_comment", None, "alice", "/reviewbot review claude"
    )
    line = page._replace(kind="review_comment", in_reply_to=98)
    assert read_delivery("issue_comment", body_of("issue_comment")) == page
    event = "pull_request_review_comment"
    assert read_delivery(event, body_of(event)) == line
    assert page.job().command == "review claude"


@pytest.mark.parametrize("event", ["issue_comment", "pull_request_review_comment"])
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"action": "edited"}, "only new comments are read"),
        ({"action": "deleted"}, "only new comments are read"),
        ({"comment.body": "> /reviewbot review"}, "not a command"),
        ({"comment.body": None}, "not a command"),
        ({"comment.body": "\ud800"}, "not a command"),
        ({"comment.user": None}, "not written by a person"),
        ({"comment.user.type": "Bot"}, "not written by a person"),
        ({"comment.user.type": ...}, "not written by a person"),
        ({"comment.user.login": "reviewbot[bot]"}, "not written by a person"),
        ({"comment.performed_via_github_app": {"id": 1}}, "not written by a person"),
    ],
)
def test_other_comments_are_left_alone(event: str, changes: dict[str, Any], reason: str):
    beginning = {"comment.in_reply_to_id": None, **changes}
    assert read_delivery(event, body_of(event, beginning)) == Nothing(reason)


def test_issues_that_are_no_pull_requests_are_left_alone():
    found = read_delivery("issue_comment", body_of("issue_comment", {"issue.pull_request": ...}))
    assert found == Nothing("not on a pull request")


# ---- the rest


def test_installations_name_their_repositories():
    event = "installation_repositories"
    assert read_delivery(event, body_of(event)) == InstallationIntent("removed", 7, (42, 43))
    found = read_delivery("installation", body_of("installation"))
    assert found == InstallationIntent("created", 7, (42,))
    gone = body_of("installation", {"action": "deleted", "repositories": ...})
    assert read_delivery("installation", gone) == InstallationIntent("deleted", 7, ())


def test_a_ping_is_a_ping():
    assert read_delivery("ping", body_of("ping")) == Ping()


@pytest.mark.parametrize("event", ["push", "", "pull_request\n", "installation_target", "x" * 9999])
def test_other_events_are_left_alone_unread(event: str):
    assert read_delivery(event, b"\xff not read") == Nothing("this event is not used")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe{}",
        b"payload=%7B%7D",
        b"[]",
        b"null",
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'{"action": ' + b"9" * 5000 + b"}",
        '{"action": "opened"}'.encode("utf-16"),
    ],
)
@pytest.mark.parametrize("event", DELIVERIES)
def test_a_body_that_is_no_json_object_is_bad(event: str, body: bytes):
    with pytest.raises(BadDelivery, match="the body is"):
        read_delivery(event, body)


@pytest.mark.parametrize(
    ("event", "path"),
    [
        ("pull_request", "installation.id"),
        ("pull_request", "repository.id"),
        ("pull_request", "repository.full_name"),
        ("pull_request", "pull_request.number"),
        ("pull_request", "pull_request.head.sha"),
        ("pull_request", "pull_request.base.sha"),
        ("issue_comment", "issue.number"),
        ("issue_comment", "comment.id"),
        ("issue_comment", "comment.user.login"),
        ("pull_request_review_comment", "pull_request.number"),
        ("pull_request_review_comment", "comment.in_reply_to_id"),
        ("check_run", "check_run.id"),
        ("check_run", "check_run.head_sha"),
        ("installation", "installation.id"),
    ],
)
@pytest.mark.parametrize(
    "value",
    [True, 0, -1, 2**63, 1.5, [], {}, "a b", "octo/..", HEAD + "\n", "a" * 100_000, "\ud800"],
)
def test_a_malformed_value_is_named_but_not_repeated(event: str, path: str, value: object):
    with pytest.raises(BadDelivery) as caught:
        read_delivery(event, body_of(event, {path: value}))
    assert str(caught.value) == f"{path} is missing or malformed"


@pytest.mark.parametrize(
    ("event", "path"),
    [
        (event, key)
        for event, payload in DELIVERIES.items()
        for key in payload
        if isinstance(payload[key], dict | list)
        # who sent it and where it was no matter to all; nor what was added where some were removed
        and key not in ("sender", "repository", "repositories_added")
    ],
)
@pytest.mark.parametrize("value", [True, 5, "x", [1], [[]]])
def test_objects_of_another_type_are_bad(event: str, path: str, value: object):
    with pytest.raises(BadDelivery, match=f"^{path} is missing or malformed$"):
        read_delivery(event, body_of(event, {path: value}))


def test_keys_that_nobody_needs_may_be_anything():
    odd = {"sender": {"login": ["x"]}, "pull_request.title": 5, "pull_request.user": None}
    found = read_delivery("pull_request", body_of("pull_request", odd))
    assert found == _REVIEW._replace(sender="")


# ---- anything at all

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
_LEAVES = _JSON | st.sampled_from([HEAD, 1, 2**63, "opened", "/reviewbot why", "octo/pay", "User"])


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    """A real event with some of its values, at any depth, replaced or taken away."""
    event = draw(st.sampled_from(sorted(DELIVERIES)))
    payload = deepcopy(DELIVERIES[event])
    for _ in range(draw(st.integers(1, 3))):
        node: dict[str, Any] = payload
        while node:
            key = draw(st.sampled_from(sorted(node)))
            below = node[key]
            if isinstance(below, dict) and below and draw(st.booleans()):
                node = below
                continue
            if draw(st.booleans()):
                node[key] = draw(_LEAVES)
            else:
                del node[key]
            break
    return event, json.dumps(payload).encode()


@settings(max_examples=600, deadline=None)
@given(
    mutated()
    | st.tuples(st.sampled_from(sorted(DELIVERIES)), st.binary(max_size=60))
    | st.tuples(st.sampled_from(sorted(DELIVERIES)), _JSON.map(lambda x: json.dumps(x).encode()))
)
def test_anything_gives_an_intent_that_can_be_queued_or_is_bad(delivery: tuple[str, bytes]):
    try:
        found = read_delivery(*delivery)
    except BadDelivery:
        return
    if isinstance(found, ReviewIntent | CommandIntent | FeedbackIntent):
        job = found.job()
        assert type(job).from_dict(json.loads(json.dumps(job.as_dict()))) == job
    else:
        assert isinstance(found, InstallationIntent | Ping | Nothing)


# ---- what people make of findings


def test_a_reply_is_told_without_what_it_says():
    changes = {"comment.body": "No, see above.", "comment.created_at": "2026-11-21T14:15:16+01:00"}
    event = "pull_request_review_comment"
    found = read_delivery(event, body_of(event, changes))
    at = "2026-11-21T13:15:16+00:00"
    assert found == FeedbackIntent(7, "octo/pay", 42, 3, "reply", "99", 98, "alice", at)
    assert isinstance(found, FeedbackIntent)
    assert "above" not in str(found.job().as_dict())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"comment.in_reply_to_id": ...}, "not a command"),
        ({"comment.in_reply_to_id": None}, "not a command"),
        ({"comment.user": {"login": "helper[bot]", "type": "Bot"}}, "not written by a person"),
        ({"comment.user": None}, "not written by a person"),
        ({"comment.performed_via_github_app": {"id": 1}}, "not written by a person"),
        ({"action": "edited"}, "only new comments are read"),
    ],
)
def test_other_comments_on_lines_say_nothing_of_a_finding(changes: dict[str, Any], reason: str):
    event = "pull_request_review_comment"
    found = read_delivery(event, body_of(event, {"comment.body": "No.", **changes}))
    assert found == Nothing(reason)


@pytest.mark.parametrize(
    ("action", "event"), [("resolved", "resolved"), ("unresolved", "reopened")]
)
def test_a_thread_that_a_person_resolved_is_told(action: str, event: str):
    body = body_of("pull_request_review_thread", {"action": action})
    found = read_delivery("pull_request_review_thread", body)
    digest, at = canonical(body), "2026-11-21T13:14:15+00:00"
    assert found == FeedbackIntent(7, "octo/pay", 42, 3, event, digest, 98, "alice", at)


@pytest.mark.parametrize(
    "changes",
    [
        {"sender": {"login": "reviewbot[bot]", "type": "Bot"}},
        {"sender": None},
        {"sender": {"login": "acme", "type": "Organization"}},
        {"thread.comments": []},
        {"thread.comments": [{"id": 98, "user": {"login": "bob", "type": "User"}}]},
        {"thread.comments": [{"id": 98, "user": None}]},
        {"action": "deleted"},
    ],
)
def test_threads_of_others_and_what_bots_do_count_for_nothing(changes: dict[str, Any]):
    body = body_of("pull_request_review_thread", changes)
    assert isinstance(read_delivery("pull_request_review_thread", body), Nothing)


@pytest.mark.parametrize(
    "when",
    [
        ...,
        None,
        5,
        "",
        "yesterday",
        "2026-13-01T00:00:00Z",
        "2026-11-21T13:14:15",
        "0001-01-01T00:00:00+23:00",
    ],
)
def test_without_a_time_it_is_when_it_arrives(when: object):
    body = body_of("pull_request_review_thread", {"updated_at": when})
    found = read_delivery("pull_request_review_thread", body)
    assert isinstance(found, FeedbackIntent)
    assert (found.at, found.job().at) == ("", "")


# ---- GitHub's published examples


@pytest.fixture(scope="module")
def published() -> list[tuple[str, dict[str, Any]]]:
    if not _EXAMPLES.is_file():
        pytest.skip("GitHub's example payloads are not at hand")
    with gzip.open(_EXAMPLES) as file:
        return [(kind["event"], item) for kind in json.load(file) for item in kind["examples"]]


def test_githubs_own_examples_are_read(published: list[tuple[str, dict[str, Any]]]):
    seen: set[tuple[str, str, str]] = set()
    for event, example in published:
        payload = {"installation": {"id": 7}, **example}
        found = read_delivery(event, json.dumps(payload).encode())
        seen.add((event, str(example.get("action")), type(found).__name__))
    wanted = {
        *(("pull_request", action, "ReviewIntent") for action in ("opened", "ready_for_review")),
        *(("pull_request", action, "ReviewIntent") for action in ("reopened", "synchronize")),
        ("pull_request", "closed", "FeedbackIntent"),
        ("pull_request", "labeled", "Nothing"),
        ("issue_comment", "created", "Nothing"),
        ("pull_request_review_comment", "created", "Nothing"),
        ("installation", "created", "InstallationIntent"),
        ("installation", "deleted", "InstallationIntent"),
        ("installation_repositories", "added", "InstallationIntent"),
        ("installation_repositories", "removed", "InstallationIntent"),
        ("check_suite", "rerequested", "Nothing"),
        ("ping", "None", "Ping"),
    }
    assert wanted <= seen


def test_githubs_own_threads_are_read_where_an_app_began_them(
    published: list[tuple[str, dict[str, Any]]],
):
    found = []
    for event, example in published:
        if event == "pull_request_review_thread":
            payload = deepcopy({"installation": {"id": 7}, **example})
            payload["thread"]["comments"][0]["user"]["type"] = "Bot"
            found.append(read_delivery(event, json.dumps(payload).encode()))
    events = [each.event for each in found if isinstance(each, FeedbackIntent)]
    assert events == ["resolved", "resolved", "reopened"]


def test_githubs_own_comments_become_commands(published: list[tuple[str, dict[str, Any]]]):
    found = []
    for event, example in published:
        if event.endswith("_comment") and example["action"] == "created":
            comment = {**example["comment"], "body": "/reviewbot why"}
            payload = {"installation": {"id": 7}, **example, "comment": comment}
            if "issue" in example:
                payload["issue"] = {**example["issue"], "pull_request": {"url": "https://x"}}
            found.append(read_delivery(event, json.dumps(payload).encode()))
    assert {type(intent) for intent in found} == {CommandIntent}
    assert {intent.kind for intent in found if isinstance(intent, CommandIntent)} == {
        "issue_comment",
        "review_comment",
    }

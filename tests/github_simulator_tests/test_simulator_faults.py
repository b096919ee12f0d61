"""Faults leave the state as GitHub's would, and everything is counted."""

import time

import pytest
import requests
from github_simulator.state import Limits

COMMENTS = "/repos/acme/shop/issues/1/comments"
PULL = "/repos/acme/shop/pulls/1"


def test_applied_then_a_bad_gateway(simulator, pull, ask, token) -> None:
    simulator.ambiguous("POST .*/comments$", "502")

    assert ask(token, "POST", COMMENTS, {"body": "x"}).status_code == 502
    assert [one["body"] for one in ask(token, "GET", COMMENTS).json()] == ["x"]


def test_applied_then_a_hang_up(simulator, pull, ask, token) -> None:
    simulator.ambiguous("POST .*/comments$", "hang-up")

    with pytest.raises(requests.ConnectionError):
        ask(token, "POST", COMMENTS, {"body": "x"})
    assert len(pull.comments) == 1


def test_applied_then_silence(simulator, pull, ask, token) -> None:
    simulator.ambiguous("POST .*/comments$", "silence")

    with pytest.raises(requests.ReadTimeout):
        ask(token, "POST", COMMENTS, {"body": "x"}, timeout=0.3)
    assert len(pull.comments) == 1


def test_a_refused_write_is_not_done(simulator, pull, ask, token) -> None:
    simulator.secondary_limit("POST .*/comments$", retry_after=7)

    refused = ask(token, "POST", COMMENTS, {"body": "x"})

    assert (refused.status_code, refused.headers["Retry-After"]) == (403, "7")
    assert pull.comments == []


def test_an_outage_ends(simulator, pull, ask, token) -> None:
    with simulator.outage():
        assert ask(token, "GET", PULL).status_code == 503
    with simulator.outage(None), pytest.raises(requests.ConnectionError):
        ask(token, "GET", PULL)
    assert ask(token, "GET", PULL).status_code == 200


def test_the_primary_limit_is_each_installations_own(simulator, pull, ask, token) -> None:
    simulator.limits = Limits(requests_an_hour=2)

    left = [ask(token, "GET", PULL).headers["x-ratelimit-remaining"] for _ in range(2)]
    refused = ask(token, "GET", PULL)

    assert left == ["1", "0"]
    assert (refused.status_code, refused.headers["x-ratelimit-remaining"]) == (403, "0")
    assert int(refused.headers["x-ratelimit-reset"]) > time.time()


def test_too_many_writes_a_minute(simulator, pull, ask, token) -> None:
    simulator.limits = Limits(writes_a_minute=2)

    answers = [ask(token, "POST", COMMENTS, {"body": "x"}).status_code for _ in range(3)]

    assert answers == [201, 201, 403]


def test_requests_are_counted_by_kind(simulator, pull, ask, token) -> None:
    ask(token, "GET", PULL)
    ask(token, "POST", COMMENTS, {"body": "x"})

    counts = simulator.counts()
    assert counts["GET /repos/{repository}/pulls/{n}"] == 1
    assert counts["POST /repos/{repository}/issues/{n}/comments"] == 1
    assert simulator.writes_by_second().total() == 1


def test_a_person_sees_remarks_at_their_lines(simulator, shop, pull, ask, token) -> None:
    comment = {"path": "a.py", "line": 5, "body": "Spell it **5**."}
    review = {"event": "COMMENT", "body": "One remark.", "comments": [comment]}
    ask(token, "POST", f"{PULL}/reviews", review)
    simulator.person("ada").reply(shop, pull, pull.threads[0], "Right.")
    run = {"name": "reviewbot", "head_sha": shop.ends(pull)[1], "conclusion": "success"}
    ask(token, "POST", "/repos/acme/shop/check-runs", run)

    seen = simulator.render(shop, pull)

    order = ["reviewed", "One remark.", "`a.py:5`", "+line five", "Spell it", "Right.", "✅"]
    places = [seen.index(text) for text in order]
    assert places == sorted(places)

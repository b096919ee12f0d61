"""Reviews go where GitHub would let them, all or nothing."""

from typing import Any

import pytest
from github_simulator.server import TOKEN

REVIEWS = "/repos/acme/shop/pulls/1/reviews"
COMMENTS = "/repos/acme/shop/pulls/1/comments"


def at(**place: Any) -> dict[str, Any]:
    return {"path": "a.py", "body": "Hm.", "line": 5, **place}


def review(*comments: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"event": "COMMENT", "body": "Read.", "comments": list(comments), **more}


@pytest.mark.parametrize(
    "place",
    [
        {"line": 2},
        {"line": 8},
        {"line": 33},
        {"line": 5, "side": "LEFT"},
        {"start_line": 3},
        {"start_line": 5, "start_side": "LEFT", "side": "RIGHT"},
    ],
)
def test_lines_of_the_hunks_take_comments(pull, ask, token, place) -> None:
    answer = ask(token, "POST", REVIEWS, review(at(**place)))

    assert answer.status_code == 200, answer.text
    assert ask(token, "GET", COMMENTS).json()[0]["line"] == place.get("line", 5)


@pytest.mark.parametrize(
    "place",
    [
        {"line": 1},
        {"line": 9},
        {"line": 99},
        {"line": 6, "side": "LEFT"},
        {"path": "b.py"},
        {"start_line": 5},
        {"start_line": 6},
        {"start_line": 5, "line": 30},
        {"body": "x" * 65_537},
        {"body": " "},
    ],
)
def test_one_comment_elsewhere_and_nothing_is_applied(pull, ask, token, place) -> None:
    answer = ask(token, "POST", REVIEWS, review(at(), at(**place)))

    assert answer.status_code == 422
    assert answer.json()["message"] == "Unprocessable Entity"
    assert "a.py" not in answer.text
    assert ask(token, "GET", REVIEWS).json() == []
    assert ask(token, "GET", COMMENTS).json() == []


@pytest.mark.parametrize(
    "body",
    [
        {"event": "PRAISE", "body": "x"},
        {"event": "COMMENT", "body": ""},
        {"event": "COMMENT", "body": "x" * 65_537},
        {"event": "COMMENT", "body": "x", "commit_id": "0" * 40},
    ],
)
def test_reviews_that_github_refuses(pull, ask, token, body) -> None:
    assert ask(token, "POST", REVIEWS, body).status_code == 422
    assert pull.reviews == []


def test_nobody_approves_their_own(pull, ask) -> None:
    pull.author = "operator"

    assert ask(TOKEN, "POST", REVIEWS, {"event": "APPROVE"}).status_code == 422
    pull.author = "ada"
    assert ask(TOKEN, "POST", REVIEWS, {"event": "APPROVE"}).json()["state"] == "APPROVED"


def test_a_push_moves_a_comment_or_makes_it_outdated(shop, pull, ask, token) -> None:
    ask(token, "POST", REVIEWS, review(at(), at(line=30)))
    text = shop.content.blob("feature:a.py").decode()

    shop.push(pull, {"a.py": "new\n" + text.replace("line five", "line 5!")})

    outdated, moved = ask(token, "GET", COMMENTS).json()
    assert (outdated["line"], outdated["original_line"]) == (None, 5)
    assert (moved["line"], moved["original_line"]) == (31, 30)


def test_a_forced_push_takes_the_old_commit_away(shop, pull, ask, token) -> None:
    before = shop.ends(pull)[1]

    after = shop.force_push(pull, {"a.py": "all new\n"})

    assert ask(token, "GET", "/repos/acme/shop/pulls/1").json()["head"]["sha"] == after
    assert ask(token, "POST", REVIEWS, review(commit_id=before)).status_code == 422
    assert ask(token, "POST", REVIEWS, review(commit_id=after)).status_code == 200


def test_a_reply_stays_in_its_thread(simulator, pull, shop, ask, token) -> None:
    ask(token, "POST", REVIEWS, review(at()))
    first = pull.threads[0]
    simulator.person("ada").reply(shop, pull, first, "No.")

    answer = ask(token, "POST", f"{COMMENTS}/{first.id}/replies", {"body": "Yes."})

    assert answer.json()["in_reply_to_id"] == first.id
    to_a_reply = ask(token, "POST", f"{COMMENTS}/{pull.threads[1].id}/replies", {"body": "?"})
    assert to_a_reply.status_code == 404


def test_reactions_count_once(simulator, pull, ask, token) -> None:
    comment = simulator.person("ada").comment(pull, "/reviewbot review")
    path = f"/repos/acme/shop/issues/comments/{comment.id}/reactions"

    assert ask(token, "POST", path, {"content": "eyes"}).status_code == 201
    assert ask(token, "POST", path, {"content": "eyes"}).status_code == 200
    assert ask(token, "POST", path, {"content": "party"}).status_code == 422
    assert [one["content"] for one in ask(token, "GET", path).json()] == ["eyes"]


@pytest.mark.parametrize(
    ("login", "permission"),
    [("acme", "admin"), ("ada", "write"), ("eve", "none"), ("x[bot]", None)],
)
def test_who_may_write(shop, ask, token, login, permission) -> None:
    shop.collaborators["ada"] = "maintain"

    answer = ask(token, "GET", f"/repos/acme/shop/collaborators/{login}/permission")

    assert answer.json().get("permission") == permission

"""Tokens open only what they are for, as long as they live."""

from datetime import timedelta

import pytest
from github_simulator.server import TOKEN

PULL = "/repos/acme/shop/pulls/1"


def test_the_app_says_who_it_is(ask, sign, app, installation) -> None:
    assert ask(sign(), "GET", "/app").json()["slug"] == "reviewbot"
    assert [one["id"] for one in ask(sign(), "GET", "/app/installations").json()] == [
        installation.id
    ]


@pytest.mark.parametrize("seconds", [-1, 700])
def test_a_json_web_token_lives_ten_minutes_at_most(ask, sign, seconds) -> None:
    answer = ask(sign(seconds=seconds), "GET", "/app")

    assert answer.status_code == 401
    assert "Expiration time" in answer.json()["message"]


def test_a_key_of_another_app_is_refused(simulator, ask, sign) -> None:
    other = simulator.app("other")

    assert ask(sign(key=other.private_key), "GET", "/app").status_code == 401
    assert ask(sign(issuer="7"), "GET", "/app").status_code == 404
    assert ask("", "GET", "/app").status_code == 401


def test_a_token_for_one_repository_does_not_see_another(
    simulator, content, shop, pull, ask, make_token
) -> None:
    vault = simulator.repository("acme/vault", start=content)
    vault.private = True
    vault.open_pull("feature")

    token = make_token(repository_ids=[shop.id])

    assert ask(token, "GET", PULL).status_code == 200
    assert ask(token, "GET", "/repos/acme/vault/pulls/1").status_code == 404


def test_a_public_repository_elsewhere_can_be_read_but_not_written(
    simulator, content, shop, ask, token
) -> None:
    simulator.repository("evil/shop", start=content).open_pull("feature")

    assert ask(token, "GET", "/repos/evil/shop/pulls/1").status_code == 200
    written = ask(token, "POST", "/repos/evil/shop/issues/1/comments", {"body": "x"})
    assert written.status_code == 403


def test_a_token_does_only_what_its_permissions_say(pull, ask, make_token) -> None:
    token = make_token(permissions={"pull_requests": "read"})

    assert ask(token, "GET", PULL).status_code == 200
    refused = ask(token, "POST", f"{PULL}/reviews", {"event": "COMMENT", "body": "x"})
    assert (refused.status_code, refused.json()["message"]) == (
        403,
        "Resource not accessible by integration",
    )
    assert ask(token, "GET", "/repos/acme/shop/contents/a.py").status_code == 403
    assert pull.reviews == []


@pytest.mark.parametrize(
    "limits", [{"repository_ids": [1]}, {"permissions": {"contents": "write"}}]
)
def test_no_token_for_more_than_the_installation_has(ask, sign, installation, limits) -> None:
    path = f"/app/installations/{installation.id}/access_tokens"

    assert ask(sign(), "POST", path, limits).status_code == 422


def test_a_token_ends_after_an_hour(simulator, pull, ask, token) -> None:
    simulator.ahead = timedelta(hours=1, seconds=1)

    assert ask(token, "GET", PULL).status_code == 401


def test_a_suspended_or_removed_installation_opens_nothing(pull, ask, token, installation) -> None:
    installation.suspended = True
    assert ask(token, "GET", PULL).status_code == 403

    installation.deleted = True
    assert ask(token, "GET", PULL).status_code == 401


def test_what_an_app_writes_is_its_bots(pull, ask, token) -> None:
    path = "/repos/acme/shop/issues/1/comments"

    ours = ask(token, "POST", path, {"body": "x"}).json()
    theirs = ask(TOKEN, "POST", path, {"body": "x"}).json()

    assert (ours["user"]["login"], ours["user"]["type"]) == ("reviewbot[bot]", "Bot")
    assert ours["performed_via_github_app"]["slug"] == "reviewbot"
    assert theirs["performed_via_github_app"] is None

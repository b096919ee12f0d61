"""Whatever GitHub does, one clear line that says what to do, and never the token."""

import socket
from collections.abc import Callable
from typing import Any

import pytest
from github import Github
from github_simulator.server import TOKEN, GitHubSimulator
from github_simulator.state import Repository

from reviewbot.errors import SourceError
from reviewbot.github.client import connect
from reviewbot.github.pulls import read_pull


@pytest.fixture(autouse=True)
def pull(shop: Repository) -> None:
    """One small pull request."""
    shop.open_pull("ready")


def message_of(client: Github, number: int = 1) -> str:
    with pytest.raises(SourceError) as caught:
        read_pull(client, "acme", "shop", number)
    message = str(caught.value)
    assert "\n" not in message
    assert "ghs_" not in message
    return message


USED_UP = {
    "x-ratelimit-limit": "60",
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": "1893456000",
}
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes."


@pytest.mark.parametrize(
    ("status", "said", "headers", "message"),
    [
        (
            401,
            "Bad credentials",
            {},
            "GitHub refuses the token (401): is GITHUB_TOKEN still valid?",
        ),
        (403, "Resource not accessible", {}, "it needs read access to contents and pull requests"),
        (403, "SAML", {"X-GitHub-SSO": "required; url=x"}, "authorised for single sign-on"),
        (403, "API rate limit exceeded for x.", USED_UP, "try again after 00:00 UTC"),
        (403, SECONDARY, {"Retry-After": "60"}, "try again in 60 s"),
        (403, SECONDARY, {}, "try again in some minutes"),
        (429, "Too many requests", {"retry-after": "7"}, "try again in 7 s"),
        (404, "Not Found", {}, "acme/shop#1 not found on GitHub: check the address"),
        (410, "Gone", {}, "GitHub refused to give acme/shop#1 (410)"),
        (500, "Server Error", {}, "GitHub failed (500) while reading acme/shop#1; try again later"),
        (502, "<html>Bad gateway</html>", {}, "GitHub failed (502)"),
        (200, {"nothing": "here"}, {}, "does not answer as GitHub's API does"),
        (200, [], {}, "does not answer as GitHub's API does"),
        (200, {"number": 1, "base": 7}, {}, "does not answer as GitHub's API does"),
        (200, {"number": "one"}, {}, "does not answer as GitHub's API does"),
    ],
)
def test_answers_to_the_first_request(
    simulator: GitHubSimulator,
    client: Github,
    status: int,
    said: Any,
    headers: dict[str, str],
    message: str,
) -> None:
    body = None if isinstance(said, str) else said
    simulator.fail("GET .*/pulls/1$", status, str(said), body=body, headers=headers)

    assert message in message_of(client)
    assert len(simulator.requests) == 1


def test_a_wrong_token_is_refused(make_client: Callable[..., Github]) -> None:
    assert "GitHub refuses the token" in message_of(make_client("ghs_wrong"))


def test_an_unknown_number_is_not_found(client: Github) -> None:
    assert message_of(client, 99).startswith("acme/shop#99 not found on GitHub")


def test_a_private_repository_without_a_token_names_the_variable(
    shop: Repository, make_client: Callable[..., Github]
) -> None:
    shop.private = True

    assert "check the address, and GITHUB_TOKEN, if it is private" in message_of(make_client(None))


def test_used_up_without_a_token_names_the_variable(simulator, make_client) -> None:
    simulator.fail("/pulls/1$", 403, "API rate limit exceeded", headers=USED_UP)

    assert message_of(make_client(None)).endswith("or set GITHUB_TOKEN")


@pytest.mark.parametrize("accept", ["", ".diff"])
def test_silence_is_a_timeout(simulator, make_client, accept: str) -> None:
    simulator.fail("/pulls/1$", 200, seconds=30, accept=accept)

    assert message_of(make_client(timeout=1)) == "127.0.0.1 did not answer in time; try again"


@pytest.mark.parametrize("body", [{"number": 1, "title": "cut off"}, "{" * 100_000, "[" * 100_000])
def test_an_answer_that_breaks_off(simulator, client, body: Any) -> None:
    simulator.fail("/pulls/1$", 200, body=body, sent=12 if isinstance(body, dict) else None)

    assert "127.0.0.1" in message_of(client)


def test_an_unreachable_host() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    with connect(f"http://127.0.0.1:{port}", TOKEN) as client:
        assert message_of(client) == "can't reach 127.0.0.1: check the network and the address"


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest", "https://127.0.0.1/x", "http://evil.example/x"]
)
def test_redirects_lead_nowhere_else(simulator, client, target: str) -> None:
    simulator.fail("/pulls/1$", 301, headers={"Location": target})

    assert "redirects elsewhere" in message_of(client)
    assert len(simulator.requests) == 1


@pytest.mark.parametrize(
    ("status", "said", "headers", "message"),
    [
        (403, "Resource not accessible", {}, "it needs read access"),
        (403, "API rate limit exceeded", USED_UP, "try again after"),
        (404, "Not Found", {}, "not found"),
    ],
)
def test_a_diff_that_is_refused(simulator, client, status, said, headers, message) -> None:
    simulator.fail("/pulls/1$", status, said, headers=headers, accept=".diff")

    assert message in message_of(client)


@pytest.mark.parametrize(
    "page", [{"message": "no list"}, [1], [{"filename": "a"}], [{"filename": "a", "changes": "x"}]]
)
def test_a_list_of_files_that_makes_no_sense(simulator, client, page: Any) -> None:
    simulator.fail("/pulls/1$", 406, "too large", accept=".diff")
    simulator.fail("/files$", 200, body=page)

    assert "does not answer as GitHub's API does" in message_of(client)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (502, "Bad gateway"),
        (403, SECONDARY),
        (200, {"message": "Something went wrong"}),
        (200, {"data": None, "errors": [{"message": "timeout"}]}),
        (200, {"data": {"repository": None}, "errors": [{"path": ["repository"], "type": "X"}]}),
        (200, [7]),
    ],
)
def test_context_that_can_not_be_read_is_a_note(simulator, client, status: int, said: Any) -> None:
    body = None if isinstance(said, str) else said
    simulator.fail("POST /graphql", status, str(said), body=body)

    fetched = read_pull(client, "acme", "shop", 1)

    assert fetched.policy is not None
    assert fetched.change.files[0].path == "pay.py"
    assert fetched.sources.head == {}
    first, second = fetched.notes
    assert first.startswith("guidelines and .gitattributes could not be read: ")
    assert second.startswith("1 file is reviewed from the diff alone: ")


def test_one_object_that_fails_does_not_cost_the_others(simulator, shop, client) -> None:
    answer = {
        "data": {
            "repository": {
                "e0": {"text": "version: 1\n", "byteSize": 11, "isBinary": False},
                "e1": None,
                "e2": {"text": "Be kind.\n", "byteSize": 9, "isBinary": False},
                "e3": None,
                "e4": None,
            }
        },
        "errors": [{"path": ["repository", "e3"], "message": "timeout"}],
    }
    simulator.fail("POST /graphql", 200, body=answer, times=1)

    fetched = read_pull(client, "acme", "shop", 1)

    assert [guideline.text for guideline in fetched.guidelines] == ["Be kind.\n"]
    assert fetched.notes == (
        "guidelines and .gitattributes could not be read: GitHub left out 1 of them",
    )


def test_a_policy_that_can_not_be_read_stops_the_review(simulator, client) -> None:
    simulator.fail("POST /graphql", 502)
    simulator.fail("GET .*/contents/", 503)

    assert message_of(client).startswith("GitHub failed (503) while reading the policy")


def test_a_policy_that_is_no_text_stops_the_review(shop, client, make_client) -> None:
    shop.content.commit("main", {".github/reviewbot.yml": b"\xff\xfe\0"})

    for one in (client, make_client(None)):
        assert "reviewbot.yml of acme/shop is not UTF-8 text" in message_of(one)


def test_no_policy_is_no_problem(shop, client, make_client) -> None:
    shop.content.commit("main", {".github/reviewbot.yml": None})

    for one in (client, make_client(None)):
        assert read_pull(one, "acme", "shop", 1).policy is None

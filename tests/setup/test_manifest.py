"""What is asked of GitHub, and what is refused before it is asked."""

import pytest

from reviewbot.errors import UsageError
from reviewbot.setup.manifest import (
    NOBODY,
    Host,
    creation_url,
    host_of,
    manifest,
    read_created,
    wish,
)

GITHUB = Host("https://github.com", "https://api.github.com")


@pytest.mark.parametrize(
    ("github_url", "api_url", "host"),
    [
        ("", "https://api.github.com", GITHUB),
        ("https://github.com/", "https://api.github.com", GITHUB),
        (
            "",
            "https://git.acme.example/api/v3",
            Host("https://git.acme.example", "https://git.acme.example/api/v3"),
        ),
        (
            "https://git.acme.example:8443",
            "https://api.github.com",
            Host("https://git.acme.example:8443", "https://git.acme.example:8443/api/v3"),
        ),
        (
            "https://acme.ghe.com",
            "https://api.github.com",
            Host("https://acme.ghe.com", "https://api.acme.ghe.com"),
        ),
        (
            "",
            "https://api.acme.ghe.com",
            Host("https://acme.ghe.com", "https://api.acme.ghe.com"),
        ),
    ],
)
def test_each_github_is_found_by_either_of_its_addresses(
    github_url: str, api_url: str, host: Host
) -> None:
    assert host_of(github_url, api_url) == host


def test_the_manifest_asks_for_what_reviews_need_and_nothing_else() -> None:
    wanted = wish(name="reviews", public_url="https://bot.example.com/reviewbot/")

    assert manifest(wanted, GITHUB, "http://127.0.0.1:1/setup/created") == {
        "name": "reviews",
        "url": "https://bot.example.com/reviewbot",
        "description": "Reviews pull requests, and says what each review cost.",
        "public": False,
        "redirect_url": "http://127.0.0.1:1/setup/created",
        "hook_attributes": {"url": "https://bot.example.com/reviewbot/webhook", "active": True},
        "default_permissions": {
            "metadata": "read",
            "contents": "read",
            "pull_requests": "write",
            "checks": "write",
            "issues": "read",
        },
        "default_events": [
            "pull_request",
            "issue_comment",
            "pull_request_review_comment",
            "pull_request_review_thread",
            "check_run",
        ],
    }


def test_what_some_want_is_added_only_then() -> None:
    extras = ("--monthly-issue", "--resolve-threads")
    wanted = wish(poll=True, extras=extras)

    asked = manifest(wanted, GITHUB, "http://127.0.0.1:1/setup/created")

    assert asked["default_permissions"]["issues"] == "write"
    assert asked["default_permissions"]["contents"] == "write"
    assert asked["hook_attributes"] == {"url": NOBODY, "active": True}


def test_it_is_posted_to_the_account_that_is_meant() -> None:
    assert (
        creation_url(wish(organization="acme", poll=True), GITHUB, "s")
        == "https://github.com/organizations/acme/settings/apps/new?state=s"
    )
    assert creation_url(wish(poll=True), GITHUB, "s/&") == (
        "https://github.com/settings/apps/new?state=s/%26"
    )


def test_a_name_is_made_of_the_organisation_and_never_too_long() -> None:
    assert wish(poll=True).name == "reviewbot"
    assert wish(organization="acme", poll=True).name == "reviewbot-acme"
    assert wish(organization="a" * 39, poll=True).name == "reviewbot-" + "a" * 24


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "--public-url"),
        ({"poll": True, "public_url": "https://x.example"}, "--poll"),
        ({"poll": True, "organization": "acme/shop"}, "no name of an organisation"),
        ({"poll": True, "organization": "../settings"}, "no name of an organisation"),
        ({"poll": True, "name": "x" * 35}, "34 characters"),
        ({"public_url": "http://localhost:8080"}, "can't reach localhost"),
        ({"public_url": "http://127.0.0.1:8080"}, "can't reach 127.0.0.1"),
        ({"public_url": "http://[::1]"}, "can't reach ::1"),
        ({"public_url": "ftp://x.example"}, "no address"),
        ({"public_url": "https://me:pass@x.example"}, "no address"),
        ({"public_url": "https://x.example:notaport"}, "no address"),
    ],
)
def test_what_github_would_refuse_is_refused_in_words(given: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        wish(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("missing", ["id", "slug", "pem", "html_url"])
def test_half_an_answer_is_none(missing: str) -> None:
    whole = {"id": 7, "slug": "r", "html_url": "https://github.com/apps/r", "pem": "KEY"}

    assert read_created({**whole, "webhook_secret": None})
    assert read_created({name: value for name, value in whole.items() if name != missing}) is None


def test_secrets_are_not_in_what_is_printed_of_it() -> None:
    found = read_created(
        {"id": 7, "slug": "r", "html_url": "h", "pem": "KEY", "webhook_secret": "HOOK"}
    )

    assert found
    assert "KEY" not in repr(found)
    assert "HOOK" not in repr(found)

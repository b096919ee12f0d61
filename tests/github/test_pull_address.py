"""Addresses of pull requests as people paste them."""

import pytest

from reviewbot.errors import SourceError
from reviewbot.github.pulls import parse_pr_url

PUBLIC = "https://api.github.com"
SERVER = "https://git.acme.example/api/v3"
RESIDENT = "https://api.acme.ghe.com"


@pytest.mark.parametrize(
    ("url", "api_url"),
    [
        ("https://github.com/acme/shop/pull/12", PUBLIC),
        ("https://GitHub.com/acme/shop/pull/12/", PUBLIC),
        ("http://github.com/acme/shop/pull/12/files?w=1#diff-1", PUBLIC),
        ("  https://github.com/acme/shop/pull/12/commits/0a1b\n", PUBLIC),
        ("https://git.acme.example/acme/shop/pull/12", SERVER),
        ("https://acme.ghe.com/acme/shop/pull/12", RESIDENT),
        ("http://127.0.0.1:8080/acme/shop/pull/12", "http://127.0.0.1:8080"),
    ],
)
def test_the_usual_forms(url: str, api_url: str) -> None:
    assert parse_pr_url(url, api_url) == ("acme", "shop", 12)


def test_odd_but_real_names() -> None:
    found = parse_pr_url("https://github.com/ada_acme/.github/pull/1", PUBLIC)

    assert found == ("ada_acme", ".github", 1)


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com.evil.example/acme/shop/pull/1",
        "https://github.com@evil.example/acme/shop/pull/1",
        "https://user:secret@github.com/acme/shop/pull/1",
        "https://github.com:8443/acme/shop/pull/1",
        "https://evil.example/github.com/acme/shop/pull/1",
        "https://api.github.com/acme/shop/pull/1",
        "https://169.254.169.254/acme/shop/pull/1",
        "https://gіthub.com/acme/shop/pull/1",
        "https://[::1/acme/shop/pull/1",
        "ftp://github.com/acme/shop/pull/1",
        "file:///acme/shop/pull/1",
        "github.com/acme/shop/pull/1",
        "https://github.com/acme/shop/issues/1",
        "https://github.com/acme/shop/pull/0",
        "https://github.com/acme/shop/pull/12345678901",
        "https://github.com/acme/shop/pull/1٣",
        "https://github.com/acme/../pull/1",
        "https://github.com/acme/shop%2f..%2fother/pull/1",
        "https://github.com/acme/sh op/pull/1",
        "https://github.com//shop/pull/1",
        "https://github.com/acme/shop/pull/1\n/x/../../..",
        "",
        "\x1b[31m",
    ],
)
def test_no_other_host_and_no_trick_gets_through(url: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse_pr_url(url, PUBLIC)

    message = str(caught.value)
    assert "\n" not in message
    assert message.isprintable()
    assert "secret" not in message


def test_another_server_says_which_setting() -> None:
    with pytest.raises(SourceError, match=r"is not github\.com: set REVIEWBOT_GITHUB_API_URL"):
        parse_pr_url("https://git.acme.example/acme/shop/pull/1", PUBLIC)

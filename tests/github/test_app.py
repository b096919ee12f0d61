"""Our App's tokens: one repository, few permissions, kept until they are old."""

from datetime import UTC, datetime, timedelta

import pytest
from github_simulator.apps import App, Installation
from github_simulator.server import GitHubSimulator
from github_simulator.state import Repository

from reviewbot.errors import SettingsError
from reviewbot.github.app import GitHubApp
from reviewbot.github.calls import Calls, Denied, RateLimited, Unclear


@pytest.fixture
def registered(simulator: GitHubSimulator, shop: Repository) -> App:
    """`reviewbot`, not installed anywhere yet."""
    return simulator.app("reviewbot")


@pytest.fixture
def installation(simulator: GitHubSimulator, registered: App) -> Installation:
    """On all of `acme`."""
    return simulator.install(registered, "acme")


@pytest.fixture
def clock() -> list[timedelta]:
    """How far our clock is ahead."""
    return [timedelta()]


@pytest.fixture
def app(simulator: GitHubSimulator, registered: App, clock: list[timedelta]) -> GitHubApp:
    """Ours, with the right key."""
    return GitHubApp(
        registered.id,
        registered.private_key,
        simulator.url,
        timeout=2,
        now=lambda: datetime.now(UTC) + clock[0],
    )


def test_a_token_reaches_one_repository_with_little(
    simulator: GitHubSimulator, shop: Repository, installation: Installation, app: GitHubApp
) -> None:
    other = simulator.repository("acme/other", start=shop.content)
    other.private = True
    other.open_pull("ready")
    shop.open_pull("ready")

    token = app.token(installation.id, shop.id)

    grant = simulator.apps.grants[token.value]
    assert grant.repositories == {"acme/shop"}
    assert grant.permissions == {
        "metadata": "read",
        "contents": "read",
        "pull_requests": "write",
        "checks": "write",
    }
    with app.client(installation.id, shop.id) as client:
        assert Calls(client).get("/repos/acme/shop/pulls/1", "it")["number"] == 1
        with pytest.raises(Denied):
            Calls(client).get("/repos/acme/other/pulls/1", "it")


def test_a_token_is_kept_until_it_is_old(
    simulator: GitHubSimulator,
    shop: Repository,
    installation: Installation,
    app: GitHubApp,
    clock: list[timedelta],
) -> None:
    first = app.token(installation.id, shop.id)
    clock[0] = timedelta(minutes=54)
    again = app.token(installation.id, shop.id)
    clock[0] = timedelta(minutes=56)
    later = app.token(installation.id, shop.id)
    reading = app.token(installation.id, shop.id, {"contents": "read"})

    assert again is first
    assert len({first.value, later.value, reading.value}) == 3
    assert len(simulator.requests) == 3


def test_a_token_is_never_shown(
    shop: Repository, installation: Installation, app: GitHubApp
) -> None:
    token = app.token(installation.id, shop.id)

    assert token.value not in repr(token)
    assert token.value not in str(token)


def test_our_login_is_asked_for_once(simulator: GitHubSimulator, app: GitHubApp) -> None:
    assert app.login == app.login == "reviewbot[bot]"
    assert len(simulator.requests) == 1


def test_an_installation_of_others_is_refused(
    simulator: GitHubSimulator, shop: Repository, app: GitHubApp
) -> None:
    theirs = simulator.install(simulator.app("theirs"), "acme")

    with pytest.raises(Denied, match=rf"installation {theirs.id} .*repository {shop.id}"):
        app.token(theirs.id, shop.id)


def test_failures_have_their_types(
    simulator: GitHubSimulator, shop: Repository, installation: Installation, app: GitHubApp
) -> None:
    simulator.secondary_limit("access_tokens", retry_after=7)
    with pytest.raises(RateLimited) as limited:
        app.token(installation.id, shop.id)
    simulator.fail("access_tokens", 502, times=1)
    with pytest.raises(Unclear):
        app.token(installation.id, shop.id)
    installation.suspended = True
    with pytest.raises(Denied):
        app.token(installation.id, shop.id)

    assert limited.value.seconds == 7


@pytest.mark.parametrize("key", ["no key", "-----BEGIN RSA PRIVATE KEY-----\nx\n"])
def test_a_key_that_can_not_sign_is_refused_at_once(key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        GitHubApp(1, key, "http://127.0.0.1:1")

    assert key not in str(caught.value)

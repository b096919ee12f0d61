"""One shop with a pull request, one App on it, and plain HTTP to both."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from github_simulator.apps import App, Installation
from github_simulator.content import Content
from github_simulator.server import GitHubSimulator
from github_simulator.state import Pull, Repository

LINES = [f"line {number}" for number in range(1, 41)]
CHANGED = [*LINES[:4], "line five", *LINES[5:29], "line thirty", *LINES[30:]]

#: Method, path below the API, body: the answer.
Ask = Callable[..., requests.Response]


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[GitHubSimulator]:
    """The test fails if anything was answered that GitHub's description does not have."""
    with GitHubSimulator(tmp_path) as running:
        yield running
    assert running.problems == []


@pytest.fixture(scope="session")
def content(tmp_path_factory: pytest.TempPathFactory) -> Content:
    """A file of 40 lines, of which the 5th and the 30th are changed on `feature`."""
    made = Content(tmp_path_factory.mktemp("content") / "shop")
    made.commit("main", {"a.py": "\n".join(LINES) + "\n"})
    made.commit("feature", {"a.py": "\n".join(CHANGED) + "\n"}, start="main")
    return made


@pytest.fixture
def shop(simulator: GitHubSimulator, content: Content) -> Repository:
    """Private."""
    made = simulator.repository("acme/shop", start=content)
    made.private = True
    return made


@pytest.fixture
def pull(shop: Repository) -> Pull:
    return shop.open_pull("feature")


@pytest.fixture
def app(simulator: GitHubSimulator) -> App:
    return simulator.app()


@pytest.fixture
def installation(simulator: GitHubSimulator, app: App) -> Installation:
    """On all that acme has."""
    return simulator.install(app, "acme")


@pytest.fixture
def ask(simulator: GitHubSimulator) -> Iterator[Ask]:
    """A request with a token."""
    with requests.Session() as session:
        session.trust_env = False

        def send(
            token: str,
            method: str,
            path: str,
            body: Any = None,
            timeout: float = 20,
            **query: str,
        ) -> requests.Response:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            url = f"{simulator.url}{path}"
            return session.request(
                method, url, json=body, params=query, headers=headers, timeout=timeout
            )

        yield send


@pytest.fixture
def sign(simulator: GitHubSimulator, app: App) -> Callable[..., str]:
    """A JSON web token of the App."""

    def make(*, seconds: int = 540, issuer: str | None = None, key: str | None = None) -> str:
        now = simulator.now()
        claims = {
            "iat": now - timedelta(minutes=1),
            "exp": now + timedelta(seconds=seconds),
            "iss": issuer or str(app.id),
        }
        return jwt.encode(claims, key or app.private_key, algorithm="RS256")

    return make


@pytest.fixture
def make_token(
    ask: Ask, sign: Callable[..., str], installation: Installation
) -> Callable[..., str]:
    """An installation token for what `limits` say."""

    def make(**limits: Any) -> str:
        path = f"/app/installations/{installation.id}/access_tokens"
        answer = ask(sign(), "POST", path, limits)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    return make


@pytest.fixture
def token(simulator: GitHubSimulator, installation: Installation) -> str:
    """For everything that the App may, without the cost of a signature."""
    permissions = installation.permissions
    return simulator.apps.grant(installation, None, permissions, simulator.now()).token

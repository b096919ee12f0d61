"""A GitHub on loopback with one shop, and a client for it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from github import Github
from github_simulator.content import Content
from github_simulator.server import TOKEN, GitHubSimulator
from github_simulator.state import Repository

from reviewbot.github.client import connect


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[GitHubSimulator]:
    """The test fails if any request or answer is not as GitHub describes its API."""
    with GitHubSimulator(tmp_path) as running:
        yield running
    assert running.problems == []


@pytest.fixture(scope="session")
def shop_content(tmp_path_factory: pytest.TempPathFactory) -> Content:
    """A shop with a policy, guidelines, attributes and some code; a small change on `ready`."""
    content = Content(tmp_path_factory.mktemp("content") / "shop")
    content.commit(
        "main",
        {
            ".github/reviewbot.yml": "version: 1\n",
            ".gitattributes": "made/* linguist-generated\n",
            "AGENTS.md": "Be kind.\n",
            "CONTRIBUTING.md": "Ask first.\n",
            "pay.py": "def pay(amount):\n    return amount\n",
            "made/api.py": "x = 1\n",
            "logo.png": b"\x89PNG\0\1",
            "old.py": "".join(f"line {number}\n" for number in range(20)),
            "gone.py": "g = 1\n",
        },
    )
    content.commit("ready", {"pay.py": "x\n"}, start="main")
    return content


@pytest.fixture
def shop(simulator: GitHubSimulator, shop_content: Content) -> Repository:
    """`acme/shop`, a fresh copy for each test."""
    return simulator.repository("acme/shop", start=shop_content)


@pytest.fixture
def make_client(simulator: GitHubSimulator) -> Iterator[Callable[..., Github]]:
    """Makes clients, closed afterwards."""
    made: list[Github] = []

    def make(token: str | None = TOKEN, **options: int) -> Github:
        made.append(connect(simulator.url, token, **options))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(make_client: Callable[..., Github]) -> Github:
    """With a good token."""
    return make_client()

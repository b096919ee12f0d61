"""A GitHub on loopback, a browser, and the command in a process of its own."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser import Browser, browsing
from github_simulator.server import GitHubSimulator
from setting_up import SetUp, clean_environment


@pytest.fixture(params=["", "/api/v3"], ids=["github.com", "enterprise"])
def simulator(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GitHubSimulator]:
    """github.com and an Enterprise Server in turn; the test fails if anything was asked or answered
    that GitHub's description does not have."""
    with GitHubSimulator(tmp_path / "github", prefix=request.param) as running:
        yield running
    assert running.problems == []


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHubSimulator]:
    """github.com alone, checked likewise."""
    with GitHubSimulator(tmp_path / "github") as running:
        yield running
    assert running.problems == []


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browsing(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture
def set_up(tmp_path: Path) -> Iterator[Callable[..., SetUp]]:
    """Start the command with options, for a GitHub; ended with the test."""
    started: list[subprocess.Popen[str]] = []
    data = tmp_path / "data"

    def start(github: GitHubSimulator, *options: str, **settings: str) -> SetUp:
        given = {"DATA_DIR": str(data), "GITHUB_API_URL": github.url, **settings}
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "reviewbot", "setup", "--no-browser", *options],
                env=clean_environment(**given),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
        return SetUp(started[-1], data)

    yield start
    for process in started:
        process.kill()
        process.communicate()

"""The service in all its processes, one for each test file that runs it."""

import multiprocessing
from collections.abc import Iterator
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
from databases import new_database
from github_simulator.state import Repository
from model_servers.behaviours import NOTHING_FOUND
from serving import HURRIED_SERVE, READER, WRITER, Service, answer, surroundings

pytest.register_assert_rewrite(
    "story_reviews",
    "story_commands",
    "story_feedback",
    "story_pushes",
    "story_tenants",
    "story_crashes",
    "story_budget",
    "story_strategies",
    "story_upkeep",
)


@pytest.fixture(scope="module")
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """On the kind of database that the test file names as DATABASE."""
    url = ""
    if request.module.DATABASE == "postgresql":
        url = new_database(request.getfixturevalue("postgresql_server"))
    with surroundings(tmp_path_factory.mktemp("service"), url) as made:
        made.start(*HURRIED_SERVE)
        yield made


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Worker processes begin with all modules loaded: that takes longer than their work."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["durable_jobs", "frozen"])
    with pytest.MonkeyPatch.context() as patch:
        here = Path(__file__).parent  # the server does not take over our own path
        patch.setenv("PYTHONPATH", f"{here}:{here.parent}")
        forkserver.ensure_running()
    return context


@pytest.fixture
def service(running: Service) -> Service:
    """With models that remember nothing of the test before."""
    running.listening()
    running.claude.asked.clear()
    running.claude.bill.clear()
    running.claude.answering = answer
    running.local.answering = lambda _: NOTHING_FOUND
    return running


@pytest.fixture
def repository(service: Service) -> Repository:
    """One where Grace may write; Mallory may comment, as everybody may."""
    made = service.repository(pulls=8)
    made.collaborators.update({WRITER: "write", READER: "read"})
    return made

"""A GitHub, a queue and a store for what the service does by itself, without its processes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from github_simulator.apps import App, Installation
from github_simulator.content import Content
from github_simulator.server import GitHubSimulator
from github_simulator.state import Pull, Repository
from sqlalchemy import Engine

from reviewbot.config.settings import Settings
from reviewbot.github.app import GitHubApp
from reviewbot.service.dbos_setup import jobs_engine, migrate_jobs
from reviewbot.service.queue import DbosQueue
from reviewbot.service.upkeep import Chore, Done, Upkeep
from reviewbot.store.upkeep import UpkeepStore, open_upkeep_store

#: Nobody listens there.
NOWHERE = "http://127.0.0.1:9/webhook"


@dataclass
class House:
    """All that a chore works with."""

    folder: Path
    github: GitHubSimulator
    registered: App
    settings: Settings
    engine: Engine
    queue: DbosQueue
    store: UpkeepStore
    app: GitHubApp

    def install(self, owner: str) -> Installation:
        return self.github.install(self.registered, owner)

    def repository(self, full_name: str, *, pulls: int = 1) -> Repository:
        """With branches `work1` and so on."""
        content = Content(self.folder / full_name.replace("/", "-"))
        content.commit("main", {"a.py": "x = 1\n"})
        for n in range(1, pulls + 1):
            content.commit(f"work{n}", {f"b{n}.py": "y = 1\n"}, start="main")
        return self.github.repository(full_name, start=content)

    def missed(self, repository: Repository, pull: Pull, action: str = "opened") -> None:
        """A delivery that reaches nobody."""
        payload = self.github.payloads.pull_request(repository, pull, action)
        assert self.github.deliver(NOWHERE, "pull_request", payload).status == 0

    def turn(self, chore: Chore, holder: str = "worker") -> Done | None:
        """One turn of a worker that has just started."""
        return Upkeep(self.store, (chore,)).turn(chore, holder, threading.Event())

    def jobs(self) -> dict[str, str]:
        listed = self.queue.client.list_workflows(load_input=False, load_output=False)
        return {job.workflow_id: str(job.status) for job in listed}


@contextmanager
def house(folder: Path, database_url: str) -> Iterator[House]:
    (folder / "github").mkdir()
    settings = Settings(data_dir=folder / "data", database_url=database_url)
    migrate_jobs(settings)
    engine = jobs_engine(settings)
    queue = DbosQueue(engine)
    with (
        GitHubSimulator(folder / "github") as github,
        open_upkeep_store(settings.database) as store,
    ):
        registered = github.app("reviewbot")
        app = GitHubApp(registered.id, registered.private_key, github.url)
        yield House(folder, github, registered, settings, engine, queue, store, app)
        assert github.problems == []
    queue.client.destroy()
    engine.dispose()

"""`reviewbot serve` between a loopback GitHub and a loopback model; `tests` must be importable."""

import json
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess, Popen
from threading import Event
from typing import Any

import requests
from github_simulator.apps import App
from github_simulator.content import Content
from github_simulator.rates import kind_of
from github_simulator.server import GitHubSimulator
from github_simulator.state import Pull, Repository
from model_servers.openai import OpenAIServer
from model_servers.server import Asked
from processes import free_port, running

from reviewbot.change.source import ATTRIBUTES_PATH, GUIDELINE_PATHS, POLICY_PATH

#: Longest wait for reviews, seconds.
PATIENCE = 120.0

_BASE = "def pages{n}(total, size):\n    return -(-total // size)\n"
_HEAD = "def pages{n}(total, size):\n    return total // size  # change {change}\n"
_PATH = re.compile(r"shop/pages_(\d+)\.py")


class Remembering(Content):
    """Asks git each thing once: the time that git takes is not GitHub's."""

    def _run(self, *arguments: str, data: bytes | None, check: bool) -> "CompletedProcess[bytes]":
        known: dict[tuple[str, ...], CompletedProcess[bytes]] = vars(self).setdefault("known", {})
        if data is not None or arguments[0] == "init":
            return super()._run(*arguments, data=data, check=check)
        if arguments not in known:
            known[arguments] = super()._run(*arguments, data=data, check=check)
        return known[arguments]


@dataclass
class Surroundings:
    """The service and what is around it."""

    url: str
    supervisor: "Popen[bytes]"
    github: GitHubSimulator
    app: App
    model: OpenAIServer
    model_seconds: float = 0.0
    """How long the model takes for each answer."""
    _over: Event = field(default_factory=Event)

    def answer(self, asked: Asked) -> str:
        """One finding in the first file of the prompt."""
        self._over.wait(self.model_seconds)
        found = _PATH.search(asked.user)
        quote = re.search(r"    return total // size  # change \d+", asked.user)
        if found is None or quote is None:
            return json.dumps({"walkthrough": "Nothing.", "findings": []})
        finding = {
            "path": found[0], "line": 2, "end_line": None, "quote": quote[0],
            "severity": "high", "category": "correctness", "title": "The last page is lost",
            "body": "Round up.", "confidence": 0.9, "suggestion": None,
        }  # fmt: skip
        return json.dumps({"walkthrough": "Rounds down.", "findings": [finding]})

    def pulls(self, name: str, files: int, count: int) -> tuple[Repository, list[Pull]]:
        """A repository with pull requests that change so many files each."""
        repository = self.github.repository(name)
        content = Remembering(repository.content.folder)
        repository.content = content
        paths = [f"shop/pages_{n}.py" for n in range(files)]
        content.commit("main", {p: _BASE.replace("{n}", str(n)) for n, p in enumerate(paths)})
        pulls = []
        for change in range(1, count + 1):
            texts = {
                path: _HEAD.replace("{n}", str(n)).replace("{change}", str(change))
                for n, path in enumerate(paths)
            }
            content.commit(f"work{change}", texts, start="main")
            pulls.append(repository.open_pull(f"work{change}", title="Simplify pages"))
        for pull in pulls:
            _ask_git(repository, pull, paths)
        return repository, pulls

    def deliver(self, repository: Repository, pull: Pull) -> float:
        """Send the delivery of a new pull request; seconds until it was answered."""
        payload = self.github.payloads.pull_request(repository, pull)
        response = self.github.deliver(f"{self.url}/webhook", "pull_request", payload)
        if response.status != 202:
            raise SystemExit(f"the delivery was answered {response.status}")
        return response.seconds

    def wait(self, repository: Repository, *pulls: Pull) -> None:
        """Until the reviews, the summaries and the ended checks of all are there."""
        self.until(lambda: all(_is_done(repository, pull) for pull in pulls))

    def until(self, seen: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not seen():
            if time.monotonic() > deadline:
                raise SystemExit(f"nothing came of it in {PATIENCE:.0f} s")
            time.sleep(0.005)

    def requests_since(self, first: int) -> Counter[str]:
        """Requests to GitHub by kind, but for the first so many."""
        return Counter(kind_of(request) for request in self.github.requests[first:])


@contextmanager
def surroundings() -> Iterator[Surroundings]:
    """Everything runs while it is entered, and is ready for a first delivery."""
    with (
        tempfile.TemporaryDirectory() as folder,
        GitHubSimulator(Path(folder, "github")) as github,
        OpenAIServer() as model,
    ):
        github.folder.mkdir()
        github.checked = False
        app, port = github.app("reviewbot"), free_port()
        github.install(app, "acme")
        settings = {
            "REVIEWBOT_BIND": f"127.0.0.1:{port}",
            "REVIEWBOT_DATA_DIR": f"{folder}/data",
            "REVIEWBOT_WEBHOOK_SECRET": app.webhook_secret,
            "REVIEWBOT_GITHUB_APP_ID": str(app.id),
            "REVIEWBOT_GITHUB_PRIVATE_KEY": app.private_key,
            "REVIEWBOT_GITHUB_API_URL": github.url,
            "REVIEWBOT_LOCAL_URL": model.url,
        }
        with running((sys.executable, "-m", "reviewbot", "serve"), settings, port) as supervisor:
            made = Surroundings(f"http://127.0.0.1:{port}", supervisor, github, app, model)
            model.answering = made.answer
            made.until(lambda: _is_ready(made.url))
            yield made
            made._over.set()
        if problems := github.problems + model.problems:
            raise SystemExit(f"GitHub or the model would have refused: {problems[0]}")


def _ask_git(repository: Repository, pull: Pull, paths: list[str]) -> None:
    base, head = repository.ends(pull)
    repository.content.diff(base, head)
    repository.files(pull)
    repository.files(pull, head)
    repository.has_commit(pull, head)
    around = [f"{base}:{path}" for path in (ATTRIBUTES_PATH, *GUIDELINE_PATHS)]
    texts = [f"{end}:{path}" for end in (base, head) for path in paths]
    for expression in (f"HEAD:{POLICY_PATH}", *around, *texts):
        if repository.content.blob(expression) is None:
            repository.content.exists(expression)


def _is_done(repository: Repository, pull: Pull) -> bool:
    head = repository.content.resolve(pull.head)
    ended = any(check.head == head and check.status == "completed" for check in repository.checks)
    return bool(pull.reviews and pull.comments and ended)


def _is_ready(url: str) -> bool:
    try:
        answer: Any = requests.get(f"{url}/readyz", timeout=5)
    except requests.RequestException:
        return False
    return bool(answer.ok)

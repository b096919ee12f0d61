"""The service in its real processes, with a loopback GitHub and loopback models around it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import count
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import hurried
import pytest
import requests
from github_simulator.apps import App
from github_simulator.content import Content
from github_simulator.records import Comment
from github_simulator.server import GitHubSimulator
from github_simulator.state import Pull, Repository
from github_simulator.webhooks import Response
from model_servers.claude import ClaudeServer
from model_servers.openai import OpenAIServer
from model_servers.server import Asked
from sqlalchemy import Engine

from reviewbot.config.settings import Settings
from reviewbot.costs.calls import Call, CallStart
from reviewbot.service.dbos_setup import jobs_engine, open_client
from reviewbot.store.pulls import PullStore, open_pull_store
from reviewbot.store.reviews import StoredReview

if TYPE_CHECKING:
    from dbos import DBOSClient

#: Accounts with the App.
OWNERS = ("acme", "globex")
#: A person with write permission, and one who may only read.
WRITER, READER = "grace", "mallory"

SERVE = ("-m", "reviewbot", "serve")
WEB = ("-m", "reviewbot", "web")
HURRIED_SERVE = (hurried.__file__, "serve")
HURRIED_WORKER = (hurried.__file__, "worker")

BASE = "import hmac\n\n\ndef login(user, password):\n    return hmac.compare_digest(user.digest, password)\n"
HEAD = BASE.replace("hmac.compare_digest(user.digest, password)", "user.digest == password")
QUOTE = "    return user.digest == password"
#: Any time of a test.
EVER = {"since": datetime(2020, 1, 1, tzinfo=UTC), "until": datetime(2100, 1, 1, tzinfo=UTC)}
_PATH = re.compile(r"shop/auth/login\w*\.py")
_names = count(1)


def answer(asked: Asked) -> str:
    """One finding in the file of the prompt."""
    found = _PATH.search(asked.user)
    assert found, asked.user
    finding = {
        "path": found[0], "line": 5, "end_line": None, "quote": QUOTE,
        "severity": "critical", "category": "security", "title": "Timing leaks the digest",
        "body": "Compare in constant time.", "confidence": 0.9,
        "suggestion": "    return hmac.compare_digest(user.digest, password)",
    }  # fmt: skip
    return json.dumps({"walkthrough": "Simplifies.", "findings": [finding]})


@dataclass
class Service:
    """All that is around the service, its processes and what they left behind."""

    folder: Path
    github: GitHubSimulator
    claude: ClaudeServer
    local: OpenAIServer
    app: App
    database_url: str
    """Empty: SQLite."""
    port: int
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)
    more: dict[str, str] = field(default_factory=dict)
    """Settings beside, or in the place of, the usual ones; an empty one is left out."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The newest of those that the test started: the supervisor."""
        return self.started[-1]

    @property
    def environment(self) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("REVIEWBOT_")}
        return clean | {
            "REVIEWBOT_BIND": f"127.0.0.1:{self.port}",
            "REVIEWBOT_DATA_DIR": str(self.folder / "data"),
            "REVIEWBOT_DATABASE_URL": self.database_url,
            "REVIEWBOT_WEBHOOK_SECRET": self.app.webhook_secret,
            "REVIEWBOT_GITHUB_APP_ID": str(self.app.id),
            "REVIEWBOT_GITHUB_PRIVATE_KEY": self.app.private_key,
            "REVIEWBOT_GITHUB_API_URL": self.github.url,
            "REVIEWBOT_ANTHROPIC_API_URL": self.claude.root,
            "REVIEWBOT_ANTHROPIC_API_KEY": self.claude.key,
            "REVIEWBOT_LOCAL_URL": self.local.url,
            "REVIEWBOT_CLAUDE_PER_MINUTE": "10000",
            **self.more,
        }

    @property
    def settings(self) -> Settings:
        return Settings(data_dir=self.folder / "data", database_url=self.database_url)

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """A Python program with the service's settings, in a process group of its own."""
        log = self.folder / f"{len(self.started):02}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, *command],
                env=self.environment,
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def listening(self) -> None:
        """Wait for the listener."""
        self.until(lambda: answers(self.url), "the listener answers")

    def end(self) -> None:
        """Stop all that was started, by force what does not stop."""
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self.started:
            try:
                process.wait(45)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def log(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def until(self, seen: Callable[[], object], what: str = "it", seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while not seen():
            if time.monotonic() > deadline:
                pytest.fail(f"not in {seconds:.0f} s: {what}\n{self.log()[-6_000:]}")
            time.sleep(0.04)

    def repository(self, owner: str = "acme", *, pulls: int = 1, base: str = BASE) -> Repository:
        """A new repository; branch `work1` and so on change a file of their own each."""
        name = f"shop{next(_names)}"
        content = Content(self.folder / f"{owner}-{name}")
        files = {f"shop/auth/login_{n}.py": base for n in range(1, pulls + 1)}
        content.commit("main", files)
        for n, path in enumerate(files, 1):
            content.commit(f"work{n}", {path: base.replace(BASE, HEAD)}, start="main")
        return self.github.repository(f"{owner}/{name}", start=content)

    def deliver(
        self,
        event: str,
        payload: Mapping[str, Any],
        *,
        guid: str | None = None,
        secret: str | None = None,
    ) -> Response:
        return self.github.deliver(f"{self.url}/webhook", event, payload, guid=guid, secret=secret)

    def opened(self, repository: Repository, number: int = 1) -> Pull:
        """A new pull request from branch `work{number}`, and its delivery."""
        pull = repository.open_pull(f"work{number}", title="Simplify login")
        payload = self.github.payloads.pull_request(repository, pull)
        assert self.deliver("pull_request", payload).status == 202
        return pull

    def say(self, repository: Repository, pull: Pull, author: str, text: str) -> Comment:
        """A comment below a pull request, and its delivery."""
        comment = self.github.person(author).comment(pull, text)
        payload = self.github.payloads.issue_comment(repository, pull, comment)
        assert self.deliver("issue_comment", payload).status == 202
        return comment

    def hold(self) -> Callable[[], None]:
        """Claude thinks until the returned function is called."""
        release = Event()

        def answering(asked: Asked) -> str:
            release.wait(60)
            return answer(asked)

        self.claude.answering = answering
        return release.set

    def reviewed(self, *pulls: Pull) -> None:
        """Wait for the last thing that a review posts."""
        self.until(lambda: all(pull.comments for pull in pulls), "all pull requests are reviewed")
        self.at_rest()

    def at_rest(self) -> None:
        """Wait until nothing waits in the queue and nothing runs."""
        self.until(lambda: not {"PENDING", "ENQUEUED"} & set(self.jobs().values()), "all at rest")

    def jobs(self) -> dict[str, str]:
        """The state of every job by its id."""
        listed = self._client.list_workflows(load_input=False, load_output=False)
        return {job.workflow_id: str(job.status) for job in listed}

    @cached_property
    def _engine(self) -> Engine:
        return jobs_engine(self.settings)

    @cached_property
    def _client(self) -> "DBOSClient":
        return open_client(self._engine)

    def close(self) -> None:
        """Let go of the databases."""
        if "_client" in self.__dict__:
            self._client.destroy()
            self._engine.dispose()

    @contextmanager
    def store(self) -> Iterator[PullStore]:
        with open_pull_store(self.settings.database) as store:
            yield store

    def calls(
        self, repository: Repository, pull: Pull | None = None
    ) -> tuple[list[Call], list[CallStart]]:
        """What the ledger says of a pull request, or of all: settled calls, and those that were
        only begun."""
        with self.store() as store:
            known = store.calls(repository=repository.full_name)
        settled = [call for call in known if isinstance(call, Call)]
        begun = [call for call in known if isinstance(call, CallStart)]
        if pull:
            settled = [call for call in settled if call.start.number == pull.number]
            begun = [call for call in begun if call.number == pull.number]
        return settled, begun

    def newest_review(self, repository: Repository, pull: Pull) -> StoredReview | None:
        installations = self.github.apps.installations.values()
        [here] = [one for one in installations if one.covers(repository.full_name)]
        with self.store() as store:
            return store.newest_review(here.id, repository.id, pull.number)


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=1).ok
    except requests.RequestException:
        return False


def child(parent: int, name: str) -> int | None:
    """The process of this name that `parent` started."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            above = int(stat.read_text().rpartition(")")[2].split()[1])
            command = (stat.parent / "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if above == parent and name.encode() in command:
            return int(stat.parent.name)
    return None


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@contextmanager
def surroundings(folder: Path, database_url: str = "") -> Iterator[Service]:
    """A service of which nothing runs yet."""
    (folder / "github").mkdir()
    with (
        GitHubSimulator(folder / "github") as github,
        ClaudeServer() as claude,
        OpenAIServer() as local,
    ):
        app = github.app("reviewbot")
        for owner in OWNERS:
            github.install(app, owner)
        claude.answering = answer
        made = Service(folder, github, claude, local, app, database_url, free_port())
        try:
            yield made
        finally:
            made.end()
            made.close()
        problems = [*github.problems, *claude.problems, *local.problems]
        assert problems == [], problems[:3]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

"""A signed webhook goes in at one end, comments come out at the other: all real processes."""

import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from github_simulator.apps import Installation
from github_simulator.content import Content
from github_simulator.server import GitHubSimulator
from github_simulator.state import Pull, Repository
from model_servers.claude import ClaudeServer
from model_servers.openai import OpenAIServer

SECRET = "webhook-secret"
BASE = "import hmac\n\n\ndef login(user, password):\n    return hmac.compare_digest(user.digest, password)\n"
HEAD = BASE.replace("hmac.compare_digest(user.digest, password)", "user.digest == password")
QUOTE = "    return user.digest == password"


@dataclass
class Service:
    """`reviewbot serve` with everything around it."""

    url: str
    process: subprocess.Popen[bytes]
    github: GitHubSimulator
    installation: Installation
    repository: Repository
    claude: ClaudeServer
    log: Path

    def deliver(
        self, event: str, payload: dict[str, Any], *, secret: str = SECRET
    ) -> requests.Response:
        body = json.dumps(payload).encode()
        code = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": str(uuid.uuid4()),
            "X-Hub-Signature-256": f"sha256={code}",
            "Content-Type": "application/json",
        }
        return requests.post(f"{self.url}/webhook", data=body, headers=headers, timeout=10)

    def pull_event(self, pull: Pull, action: str = "opened") -> dict[str, Any]:
        facts = self.repository.pull_json(self.github.url, pull)
        return {
            "action": action,
            "number": pull.number,
            "pull_request": facts,
            "repository": facts["base"]["repo"],
            "installation": {"id": self.installation.id},
            "sender": {"login": "ada", "type": "User", "id": 1},
        }

    def until(self, seen: Callable[[], object], seconds: float = 40) -> None:
        deadline = time.monotonic() + seconds
        while not seen():
            if time.monotonic() > deadline or self.process.poll() is not None:
                pytest.fail(f"nothing came of it:\n{self.log.read_text()[-4_000:]}")
            time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


FINDING = {
    "path": "shop/auth/login.py", "line": 5, "end_line": None, "quote": QUOTE,
    "severity": "critical", "category": "security", "title": "Timing leaks the digest",
    "body": "Compare in constant time.", "confidence": 0.9,
    "suggestion": "    return hmac.compare_digest(user.digest, password)",
}  # fmt: skip
ANSWER = json.dumps({"walkthrough": "Simplifies.", "findings": [FINDING]})


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service with all its processes; they serve every test of this module."""
    folder = tmp_path_factory.mktemp("service")
    (folder / "github").mkdir()
    with (
        GitHubSimulator(folder / "github") as github,
        ClaudeServer() as claude,
        OpenAIServer() as local,
    ):
        app = github.app("reviewbot")
        port = free_port()
        settings = {
            "REVIEWBOT_BIND": f"127.0.0.1:{port}",
            "REVIEWBOT_DATA_DIR": str(folder / "data"),
            "REVIEWBOT_WEBHOOK_SECRET": SECRET,
            "REVIEWBOT_GITHUB_APP_ID": str(app.id),
            "REVIEWBOT_GITHUB_PRIVATE_KEY": app.private_key,
            "REVIEWBOT_GITHUB_API_URL": github.url,
            "REVIEWBOT_ANTHROPIC_API_URL": claude.root,
            "REVIEWBOT_ANTHROPIC_API_KEY": claude.key,
            "REVIEWBOT_LOCAL_URL": f"{local.root}/v1",
            **({"REVIEWBOT_LOCAL_API_KEY": local.key} if local.key else {}),
        }
        log = folder / "log"
        clean = {k: v for k, v in os.environ.items() if not k.startswith("REVIEWBOT_")}
        command = [sys.executable, "-m", "reviewbot", "serve"]
        with log.open("wb") as out:
            process = subprocess.Popen(command, env=clean | settings, stdout=out, stderr=out)
        made = Service(
            f"http://127.0.0.1:{port}",
            process,
            github,
            github.install(app, "acme"),
            Repository("acme/none", Content(folder / "none")),
            claude,
            log,
        )
        try:
            made.until(lambda: answers(made.url))
            yield made
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        assert github.problems == claude.problems == local.problems == []


@pytest.fixture
def service(running: Service, request: pytest.FixtureRequest, tmp_path: Path) -> Service:
    """The service, with a repository and a memory of its own for each test."""
    content = Content(tmp_path / "content")
    content.commit("main", {"shop/auth/login.py": BASE})
    content.commit("work", {"shop/auth/login.py": HEAD}, start="main")
    name = f"acme/{request.node.name[:60]}"
    running.repository = running.github.repository(name, start=content)
    running.claude.asked.clear()
    running.claude.bill.clear()
    running.claude.answering = lambda _: ANSWER
    return running


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=1).ok
    except requests.RequestException:
        return False


def test_a_webhook_becomes_a_review_on_the_pull_request(service: Service) -> None:
    pull = service.repository.open_pull("work", title="Simplify login")

    accepted = service.deliver("pull_request", service.pull_event(pull))
    again = service.deliver("pull_request", service.pull_event(pull))
    forged = service.deliver("pull_request", service.pull_event(pull), secret="wrong")
    service.until(lambda: pull.comments)

    assert accepted.status_code == again.status_code == 202
    assert accepted.json()["job"] == again.json()["job"]
    assert forged.status_code == 401
    assert len(pull.reviews) == 1
    [thread] = pull.threads
    assert (thread.path, thread.line, thread.side) == ("shop/auth/login.py", 5, "RIGHT")
    assert (
        "```suggestion\n    return hmac.compare_digest(user.digest, password)\n```" in thread.body
    )
    assert "Timing leaks the digest" in thread.body
    [summary] = pull.comments
    assert "auth" in summary.body
    assert "Claude" in summary.body
    assert len(service.claude.bill) == 1

    ready = requests.get(f"{service.url}/readyz", timeout=5)
    assert ready.status_code == 200, ready.text


def worker_of(service: Service) -> int:
    """The process of the supervisor's worker."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            command = (stat.parent / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == service.process.pid and b"worker" in command:
            return int(stat.parent.name)
    raise AssertionError("no worker runs")


def test_a_worker_killed_in_mid_call_loses_nothing_and_posts_once(service: Service) -> None:
    release = threading.Event()
    answer = service.claude.answering
    service.claude.answering = lambda asked: (release.wait(30), answer(asked))[1]
    pull = service.repository.open_pull("work", title="Simplify login")

    service.deliver("pull_request", service.pull_event(pull))
    service.until(lambda: service.claude.asked)
    os.kill(worker_of(service), signal.SIGKILL)
    release.set()
    service.until(lambda: pull.comments)

    assert len(pull.reviews) == len(pull.threads) == len(pull.comments) == 1
    assert len(service.claude.asked) == 2, "only the call that was cut off is made again"


def test_a_push_while_a_review_runs_is_reviewed_instead(service: Service) -> None:
    pull = service.repository.open_pull("work", title="Simplify login")
    first = service.pull_event(pull)
    service.repository.push(pull, {"shop/auth/login.py": HEAD + "# more\n"})

    service.deliver("pull_request", first)
    service.deliver("pull_request", service.pull_event(pull, "synchronize"))
    service.until(lambda: pull.comments)

    [review] = pull.reviews
    assert review.commit == service.repository.ends(pull)[1]


def test_a_closed_pull_request_and_a_draft_get_no_review(service: Service) -> None:
    draft = service.repository.open_pull("work", title="Not yet", draft=True)
    closed = service.repository.open_pull("work", title="Never mind")
    open_one = service.repository.open_pull("work", title="Simplify login")
    event = service.pull_event(closed)
    service.repository.close(closed)

    for payload in (service.pull_event(draft), event, service.pull_event(open_one)):
        assert service.deliver("pull_request", payload).status_code == 202
    service.until(lambda: open_one.comments)

    assert not draft.comments
    assert not draft.reviews
    assert not closed.comments
    assert len(service.claude.asked) == 1

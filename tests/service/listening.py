"""A listener on a free port of this machine, with a queue in memory."""

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from reviewbot.config.settings import Settings
from reviewbot.service.health import Check
from reviewbot.service.jobs import (
    CommandJob,
    FeedbackJob,
    QueueDepth,
    QueueUnavailable,
    ReviewJob,
    command_id,
    feedback_id,
    job_id,
)
from reviewbot.service.lazy import Lazy
from reviewbot.service.login import Login
from reviewbot.service.months import Months
from reviewbot.service.web import create_app
from reviewbot.store.reports import ReportStore, open_report_store

SECRET = "the webhook's secret"


@dataclass
class MemoryQueue:
    """A JobQueue that keeps jobs as long as it lives."""

    reviews: dict[str, ReviewJob] = field(default_factory=dict)
    commands: dict[str, CommandJob] = field(default_factory=dict)
    feedback: dict[str, FeedbackJob] = field(default_factory=dict)
    away: bool = False
    fault: Exception | None = None

    def enqueue_review(self, job: ReviewJob) -> str:
        self._here()
        self.reviews[job_id(job)] = job
        return job_id(job)

    def enqueue_command(self, job: CommandJob) -> str:
        self._here()
        self.commands[command_id(job)] = job
        return command_id(job)

    def enqueue_feedback(self, job: FeedbackJob) -> str:
        self._here()
        self.feedback[feedback_id(job)] = job
        return feedback_id(job)

    def depth(self) -> QueueDepth:
        self._here()
        return QueueDepth(len(self.reviews), 0)

    def _here(self) -> None:
        if self.fault:
            raise self.fault
        if self.away:
            raise QueueUnavailable("the queue can't be used (OperationalError)")


@dataclass
class FixedHealth:
    """Checks that a test sets."""

    seen: list[Check] = field(default_factory=lambda: [Check("database", True, "reachable")])

    def checks(self) -> list[Check]:
        return self.seen


@dataclass
class Listener:
    url: str
    queue: MemoryQueue
    health: FixedHealth
    login: Login
    app: Flask

    def deliver(
        self, event: str, body: dict[str, Any] | bytes, **headers: str | None
    ) -> requests.Response:
        """Send a delivery as GitHub does; headers replace its own, None leaves one out."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent: dict[str, str | None] = {
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
            "X-Hub-Signature-256": signature(raw),
            "Content-Type": "application/json",
        }
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        kept = {name: value for name, value in sent.items() if value is not None}
        return requests.post(f"{self.url}/webhook", data=raw, headers=kept, timeout=10)

    def signed_in(self) -> requests.Session:
        """A person's browser that went through the link."""
        session = requests.Session()
        given = {"token": self.login.issue()}
        answer = session.post(f"{self.url}/login", data=given, timeout=10, allow_redirects=False)
        assert answer.status_code == 303
        return session


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing."""


def signature(body: bytes, secret: str = SECRET) -> str:
    """What GitHub sends as X-Hub-Signature-256."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@contextmanager
def listening(
    folder: Path,
    store: ReportStore | None = None,
    *,
    now: datetime | None = None,
    opened: Callable[[], ReportStore] | None = None,
    **settings: Any,
) -> Iterator[Listener]:
    """A listener that answers until the block ends; `now` is what its pages take the time for, and
    `opened` what opens the store instead."""
    given = Settings(data_dir=folder, webhook_secret=SECRET, **settings)
    queue, health, login = MemoryQueue(), FixedHealth(), Login(folder / "login.json")
    opened = opened or Lazy(lambda: store or open_report_store(given.database)).get
    months = Months(given, opened, lambda: now or datetime.now(UTC))
    app = create_app(given, queue, health, store=opened, login=login, months=months)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Listener(f"http://127.0.0.1:{server.server_port}", queue, health, login, app)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

"""What `reviewbot doctor` sees, check by check."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from github_simulator.apps import App
from pydantic import SecretStr

from reviewbot.config.settings import Settings
from reviewbot.setup.checks import Check
from reviewbot.setup.doctor import examine


@dataclass
class Patient:
    """Settings under examination; a test changes one thing and looks."""

    settings: dict[str, Any] = field(default_factory=dict)

    def seen(self, family: str, *, deep: bool = False, seconds: float = 30) -> list[Check]:
        """The checks of a family; all others are made as well."""
        given = {name: value for name, value in self.settings.items() if value is not None}
        all_ = examine(Settings(**given), deep=deep, seconds=seconds)
        [checked] = [each for each in all_ if each.name == family]
        return list(checked.checks)

    def one(self, family: str, name: str) -> Check:
        """The one check of this name."""
        [found] = [check for check in self.seen(family) if check.name == name]
        return found

    def wrong(self, family: str) -> dict[str, str]:
        """What is to be mended in a family, by name."""
        return {each.name: each.seen for each in self.seen(family) if each.state == "wrong"}


@dataclass
class FrontDoor:
    """What answers at our public address."""

    url: str = ""
    status: int = 200
    posts: int = 404


@contextmanager
def front_door() -> Iterator[FrontDoor]:
    """A listener that a test lets answer as it likes."""
    door = FrontDoor()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(door.status if self.path == "/healthz" else 404)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(door.posts)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    door.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield door
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def app_settings(app: App, api_url: str, data_dir: Path) -> dict[str, Any]:
    """Settings that name a simulated App."""
    return {
        "data_dir": data_dir,
        "github_app_id": app.id,
        "github_private_key": SecretStr(app.private_key),
        "webhook_secret": SecretStr(app.webhook_secret),
        "github_api_url": api_url,
        "local_engine": "none",
    }


def closed_port() -> int:
    """One at which nobody answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

"""The HTTP below."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from github_simulator.messages import Answer, Request

if TYPE_CHECKING:
    from github_simulator.server import GitHubSimulator


class Listener(ThreadingHTTPServer):
    """One thread for each connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, simulator: "GitHubSimulator") -> None:
        self.simulator = simulator
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the tests; a mistake in here is not."""
        import sys
        import traceback

        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            self.simulator.problems.append("".join(traceback.format_exception(error)))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener

    def do_GET(self) -> None:
        simulator = self.server.simulator
        parts = urlsplit(self.path)
        graphql = f"{simulator.prefix.removesuffix('/v3')}/graphql"
        path = "/graphql" if parts.path == graphql else parts.path.removeprefix(simulator.prefix)
        length = int(self.headers.get("Content-Length", 0))
        sent = self.rfile.read(length)
        if len(sent) < length:  # the client was killed while it asked
            self.close_connection = True
            return
        request = Request(
            self.command,
            path,
            dict(parse_qsl(parts.query)),
            {name.lower(): value for name, value in self.headers.items()},
            self._body(sent) if length else None,
            monotonic(),
        )
        self._send(simulator.answer(request))

    def _body(self, raw: bytes) -> Any:
        if self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
            return dict(parse_qsl(raw.decode()))  # a browser's
        return json.loads(raw)

    do_POST = do_GET
    do_PATCH = do_GET

    def _send(self, answer: Answer) -> None:
        stopped = answer.seconds and self.server.simulator.stopping.wait(answer.seconds)
        if stopped or answer.hang_up:
            self.close_connection = True
            return
        plain = isinstance(answer.body, str)
        text = answer.body if plain else json.dumps(answer.body)
        data = text.encode("utf-8", "surrogateescape")
        self.send_response(answer.status)
        headers = {"Content-Type": "application/json; charset=utf-8", **answer.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: answer.sent])
        if answer.sent is not None:
            self.close_connection = True

    def date_time_string(self, timestamp: float | None = None) -> str:
        """By the simulated clock."""
        return super().date_time_string(timestamp or self.server.simulator.now().timestamp())

    def log_message(self, *_: object) -> None:
        """Tests read `requests` instead."""

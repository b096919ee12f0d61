"""The part that all model servers share: sockets, scripts, records and the bill."""

import json
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, Self

from model_servers.behaviours import (
    NOTHING_FOUND,
    Answer,
    Behaviour,
    Drip,
    Fail,
    Hang,
    HangUp,
    Oversize,
    Redirect,
    Refusal,
)


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: dict[str, Any]
    system: str = ""
    user: str = ""
    """All text that the model would read after its instructions."""


@dataclass(frozen=True)
class Charge:
    """What one answered request costs, tokens."""

    model: str
    input: int
    output: int
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0


@dataclass(frozen=True)
class Wire:
    """An answer as bytes, and how they are sent."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    sent: int | None = None
    """Close the connection after so many bytes of the body."""
    silence: float = 0.0
    """Wait so many seconds, then close without an answer."""
    pause: float = 0.0
    """Wait so many seconds between bytes."""
    slow_headers: bool = False


class ModelServer(ABC):
    """A programmable model API on a free port of 127.0.0.1.

    `play(…)` queues behaviours, one for each question; after those, `answering` decides: a
    function of the request that returns an answer's text or a behaviour. `problems` lists every
    request that the real API would have rejected for its shape.
    """

    def __init__(self, *, key: str, models: tuple[str, ...], context_tokens: int) -> None:
        self.key, self.models, self.context_tokens = key, models, context_tokens
        self.asked: list[Asked] = []
        """Every question to the model, in the order they came."""
        self.requests: list[Asked] = []
        """Every request, to whatever path."""
        self.bill: list[Charge] = []
        self.problems: list[str] = []
        self.answering: Callable[[Asked], str | Behaviour] = lambda _: NOTHING_FOUND
        self._queue: deque[Behaviour] = deque()
        self.lock = Lock()
        self.stopping = Event()
        self._http = _Listener(self)
        self._thread = Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def root(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def play(self, *behaviours: Behaviour) -> None:
        """Queue what to do with the next questions."""
        with self.lock:
            self._queue.extend(behaviours)

    def next_behaviour(self, asked: Asked) -> Behaviour:
        with self.lock:
            self.asked.append(asked)
            if self._queue:
                return self._queue.popleft()
        chosen = self.answering(asked)
        return Answer(chosen) if isinstance(chosen, str) else chosen

    def wire(self, behaviour: Behaviour, asked: Asked) -> Wire:
        """A behaviour in this API's words; what the model worked for goes on the bill."""
        match behaviour:
            case Answer():
                return self.answer(behaviour, asked)
            case Refusal():
                return self.refusal(behaviour, asked)
            case Fail(body=None):
                return self.error(behaviour)
            case Fail():
                return Wire(behaviour.status, behaviour.body or b"", behaviour.headers)
            case Redirect():
                return Wire(behaviour.status, b"", {"Location": behaviour.location})
        good = self.answer(Answer(), asked)
        match behaviour:
            case Hang():
                return Wire(200, b"", silence=behaviour.seconds)
            case HangUp():
                return Wire(200, good.body, good.headers, sent=behaviour.after)
            case Drip():
                return Wire(
                    200,
                    good.body,
                    good.headers,
                    pause=behaviour.pause,
                    slow_headers=behaviour.headers,
                )
            case Oversize():
                return Wire(200, good.body + b" " * behaviour.size, good.headers)

    @abstractmethod
    def respond(self, asked: Asked) -> Wire:
        """What this API answers to a request."""

    @abstractmethod
    def answer(self, answer: Answer, asked: Asked) -> Wire: ...

    @abstractmethod
    def refusal(self, refusal: Refusal, asked: Asked) -> Wire: ...

    @abstractmethod
    def error(self, fail: Fail) -> Wire: ...


def json_wire(status: int, data: object, headers: Mapping[str, str] | None = None) -> Wire:
    """JSON as an answer."""
    named = {"Content-Type": "application/json", **(headers or {})}
    return Wire(status, json.dumps(data).encode(), named)


def tokens(text: str) -> int:
    """About four bytes to a token: a count to bill by, no model's vocabulary."""
    return -(-len(text.encode()) // 4)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, model_server: ModelServer) -> None:
        self.model_server = model_server
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone away is part of the play."""


class _Handler(BaseHTTPRequestHandler):
    server: _Listener

    def do_GET(self) -> None:
        self._respond(b"")

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length)
        if len(body) == length:  # else the client was killed while it asked
            self._respond(body)

    def _respond(self, body: bytes) -> None:
        try:
            data = json.loads(body or b"{}")
        except ValueError:
            data = {}
        asked = Asked(
            self.command,
            self.path,
            {name.lower(): value for name, value in self.headers.items()},
            data,
        )
        with self.server.model_server.lock:
            self.server.model_server.requests.append(asked)
        self._send(self.server.model_server.respond(asked))

    def _send(self, wire: Wire) -> None:
        stopping = self.server.model_server.stopping
        if wire.silence:
            stopping.wait(wire.silence)
            return
        lines = [
            f"HTTP/1.1 {wire.status} Said",
            "Connection: close",
            f"Content-Length: {len(wire.body)}",
        ]
        lines += [f"{name}: {value}" for name, value in wire.headers.items()]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode()
        body = wire.body if wire.sent is None else wire.body[: wire.sent]
        if not wire.pause:
            self.wfile.write(head + body)
            return
        self.wfile.write(b"" if wire.slow_headers else head)
        for byte in (head if wire.slow_headers else b"") + body:
            if stopping.wait(wire.pause):
                return
            self.wfile.write(bytes([byte]))

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""

"""The simulated GitHub's HTTP."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copytree
from threading import Event, Thread
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from github_simulator import openapi
from github_simulator.content import Content
from github_simulator.graphql import answer_query
from github_simulator.state import Limits, Pull, Repository

TOKEN = "ghs_simulated.token.with.dots"


class Request(NamedTuple):
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Any


class Answer(NamedTuple):
    """One answer; JSON unless the body is a text."""

    status: int
    body: Any
    headers: Mapping[str, str] = {}
    seconds: float = 0.0
    """Wait so long before it."""
    sent: int | None = None
    """Hang up after so many bytes of the body."""


@dataclass
class Fault:
    """An answer that takes the place of the real one."""

    pattern: str
    """Found in "METHOD /path"."""
    answer: Answer
    times: int
    accept: str = ""
    """Only for requests whose Accept header has this."""

    def takes(self, request: Request) -> bool:
        fits = re.search(self.pattern, f"{request.method} {request.path}")
        if not fits or not self.times or self.accept not in request.headers.get("accept", ""):
            return False
        self.times -= 1
        return True


@dataclass
class GitHubSimulator:
    """A GitHub on a free port of 127.0.0.1.

    `requests` lists all that came, `problems` all that GitHub's OpenAPI description, or GitHub
    itself, would not have accepted.
    """

    folder: Path
    prefix: str = ""
    """`/api/v3` makes it an Enterprise Server."""
    limits: Limits = field(default_factory=Limits)
    repositories: dict[str, Repository] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    """Old full names of renamed repositories."""
    requests: list[Request] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
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
    def host(self) -> str:
        return f"127.0.0.1:{self._http.server_address[1]}"

    @property
    def url(self) -> str:
        """The API's address."""
        return f"http://{self.host}{self.prefix}"

    def repository(self, full_name: str, *, start: Content | None = None) -> Repository:
        """A new repository: a copy of `start`, or without commits."""
        folder = self.folder / full_name.replace("/", "+")
        if start:
            copytree(start.folder, folder)
        self.repositories[full_name] = Repository(full_name, Content(folder))
        return self.repositories[full_name]

    def fail(
        self,
        pattern: str,
        status: int,
        message: str = "Server Error",
        *,
        body: Any = None,
        headers: Mapping[str, str] = {},
        times: int = 1_000,
        accept: str = "",
        seconds: float = 0.0,
        sent: int | None = None,
    ) -> None:
        """Answer requests that `pattern` fits with an error, or whatever `body` says."""
        body = {"message": message} if body is None else body
        answer = Answer(status, body, headers, seconds, sent)
        self.faults.append(Fault(pattern, answer, times, accept))

    def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        fault = next((fault for fault in self.faults if fault.takes(request)), None)
        if fault:
            return fault.answer
        token = request.headers.get("authorization", "").partition(" ")[2]
        if token not in ("", TOKEN):
            return Answer(401, {"message": "Bad credentials"})
        answer = self._route(request, has_token=bool(token))
        if not request.path.endswith("/graphql"):
            self.problems += openapi.problems(
                request.method, request.path, request.query, answer.status, answer.body
            )
        return answer

    def _route(self, request: Request, *, has_token: bool) -> Answer:
        if request.path == "/graphql":
            if not has_token:
                return Answer(403, {"message": "API rate limit exceeded for 127.0.0.1."})
            return Answer(200, answer_query(request.body, self.repositories, self.limits))
        for pattern, handle in _ROUTES:
            if found := re.fullmatch(pattern, request.path):
                name = found[1]
                if name in self.moved:
                    target = request.path.replace(name, self.moved[name], 1)
                    return Answer(301, {}, {"Location": self.url + target})
                repository = self.repositories.get(name)
                if repository is None or (repository.private and not has_token):
                    break
                return handle(self, repository, request, *found.groups()[1:])
        return Answer(404, {"message": "Not Found"})

    def pull(self, repository: Repository, request: Request, number: str) -> Answer:
        pull = repository.pulls.get(int(number))
        if pull is None:
            return Answer(404, {"message": "Not Found"})
        if ".diff" in request.headers.get("accept", ""):
            return self._diff(repository, pull)
        return Answer(200, repository.pull_json(self.url, pull))

    def _diff(self, repository: Repository, pull: Pull) -> Answer:
        files = repository.files(pull)
        diff = repository.content.diff(*repository.ends(pull))
        too_long = sum(file.changes for file in files) > self.limits.diff_lines
        if too_long or len(files) > self.limits.diff_files or len(diff) > self.limits.diff_bytes:
            message = "Sorry, the diff exceeded the maximum number of lines (20000)"
            return Answer(406, {"message": message})
        media = {"Content-Type": "application/vnd.github.v3.diff; charset=utf-8"}
        return Answer(200, diff.decode("utf-8", "surrogateescape"), media)

    def files(self, repository: Repository, request: Request, number: str) -> Answer:
        page, size = int(request.query.get("page", 1)), int(request.query.get("per_page", 30))
        pull = repository.pulls[int(number)]
        items, more = repository.page_json(self.url, pull, self.limits, page, min(size, 100))
        following = f"<{self.url}{request.path}?per_page={size}&page={page + 1}>"
        return Answer(200, items, {"Link": f'{following}; rel="next"'} if more else {})

    def contents(self, repository: Repository, request: Request, path: str) -> Answer:
        found = repository.content.blob(f"{request.query.get('ref', 'main')}:{unquote(path)}")
        if found is None:
            return Answer(404, {"message": "Not Found"})
        media = {"Content-Type": "application/vnd.github.raw+json; charset=utf-8"}
        return Answer(200, found.decode("utf-8", "surrogateescape"), media)


_ROUTES: tuple[tuple[str, Callable[..., Answer]], ...] = (
    (r"/repos/([^/]+/[^/]+)/pulls/(\d+)", GitHubSimulator.pull),
    (r"/repos/([^/]+/[^/]+)/pulls/(\d+)/files", GitHubSimulator.files),
    (r"/repos/([^/]+/[^/]+)/contents/(.+)", GitHubSimulator.contents),
)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, simulator: GitHubSimulator) -> None:
        self.simulator = simulator
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener

    def do_GET(self) -> None:
        simulator = self.server.simulator
        parts = urlsplit(self.path)
        graphql = f"{simulator.prefix.removesuffix('/v3')}/graphql"
        path = "/graphql" if parts.path == graphql else parts.path.removeprefix(simulator.prefix)
        length = int(self.headers.get("Content-Length", 0))
        request = Request(
            self.command,
            path,
            dict(parse_qsl(parts.query)),
            {name.lower(): value for name, value in self.headers.items()},
            json.loads(self.rfile.read(length)) if length else None,
        )
        self._send(simulator.answer(request))

    do_POST = do_GET

    def _send(self, answer: Answer) -> None:
        if answer.seconds and self.server.simulator.stopping.wait(answer.seconds):
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

    def log_message(self, *_: object) -> None:
        """Tests read `requests` instead."""

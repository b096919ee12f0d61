"""The simulated GitHub."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from shutil import copytree
from threading import Event, Lock, RLock, Thread
from time import monotonic
from typing import Any, Self

from github_simulator import (
    app_routes,
    check_routes,
    comment_routes,
    compare_routes,
    delivery_routes,
    issue_routes,
    manifests,
    openapi,
    page,
    pull_routes,
    render,
    review_routes,
    webhooks,
)
from github_simulator.access import caller_of, check
from github_simulator.apps import App, Apps, Installation
from github_simulator.content import Content
from github_simulator.faults import LOST, SECONDARY, Fault, How
from github_simulator.graphql import answer_query
from github_simulator.listener import Listener
from github_simulator.messages import Answer, Call, Caller, Refused, Request, not_found
from github_simulator.payloads import Payloads
from github_simulator.people import Person
from github_simulator.rates import Rates, kind_of, writes_by_second
from github_simulator.state import Limits, Pull, Repository
from github_simulator.webhooks import Delivery, Response

#: A person's token, who may do everything.
TOKEN = "ghs_simulated.token.with.dots"

_PAGE = re.compile(r"/([^/]+/[^/]+)/pull/(\d+)")
_REPOSITORY = re.compile(r"/repos/([^/]+/[^/]+)(/.*)?")
_ROUTES = (
    *pull_routes.ROUTES,
    *review_routes.ROUTES,
    *comment_routes.ROUTES,
    *issue_routes.ROUTES,
    *check_routes.ROUTES,
    *compare_routes.ROUTES,
)
_APP_ROUTES = (*app_routes.ROUTES, *delivery_routes.ROUTES)


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
    apps: Apps = field(default_factory=Apps)
    people: dict[str, str] = field(default_factory=lambda: {TOKEN: "operator"})
    """Logins by personal token."""
    requests: list[Request] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    """All attempts, oldest first."""
    latency: float = 0.0
    """Seconds before every answer."""
    checked: bool = True
    """Against GitHub's description; it takes time that a benchmark would count."""
    note: str = ""
    """Stands on top of every page."""
    ahead: timedelta = timedelta()
    """How far its clock is ahead of this machine's."""

    def __post_init__(self) -> None:
        self.stopping = Event()
        self.writing = RLock()
        self._choosing = Lock()
        self.rates = Rates()
        self.payloads = Payloads(self)
        self.manifests = manifests.Manifests(self)
        self._down: Answer | None = None
        self._ids = count(1_000)
        self._http = Listener(self)
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

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def next_id(self) -> int:
        return next(self._ids)

    def repository(self, full_name: str, *, start: Content | None = None) -> Repository:
        """A new repository: a copy of `start`, or without commits."""
        folder = self.folder / full_name.replace("/", "+")
        if start:
            copytree(start.folder, folder)
        self.repositories[full_name] = Repository(full_name, Content(folder))
        return self.repositories[full_name]

    def app(self, slug: str = "reviewbot") -> App:
        """A new App."""
        self.apps.registered.append(App(self.next_id(), slug))
        return self.apps.registered[-1]

    def install(
        self,
        app: App,
        account: str,
        *,
        chosen: set[str] | None = None,
        permissions: Mapping[str, str] | None = None,
    ) -> Installation:
        """The App on an account, with all that it asks for unless `permissions` are less."""
        granted = dict(app.permissions if permissions is None else permissions)
        made = Installation(self.next_id(), app, account, chosen, granted)
        self.apps.installations[made.id] = made
        return made

    def person(self, login: str) -> Person:
        """Someone at the pages."""
        return Person(self, login)

    def counts(self) -> Counter[str]:
        """Requests by kind: `GET /repos/{repository}/pulls/{n}`."""
        return Counter(kind_of(request) for request in self.requests)

    def writes_by_second(self) -> Counter[int]:
        """Content writes in each second since the first request."""
        return writes_by_second(self.requests)

    def render(self, repository: Repository, pull: Pull) -> str:
        """The pull request as a person would see it, as Markdown."""
        return render.as_markdown(repository, pull)

    def deliver(
        self,
        url: str,
        event: str,
        payload: Mapping[str, Any],
        *,
        guid: str | None = None,
        secret: str | None = None,
    ) -> Response:
        """Send a webhook and wait for what is said; signed with the first App's secret."""
        if secret is None:
            secret = self.apps.registered[0].webhook_secret
        guid, body = guid or webhooks.new_guid(), json.dumps(payload).encode()
        headers = webhooks.headers_of(event, guid, secret, body)
        return self._attempt(url, event, guid, body, headers, redelivery=False)

    def attempt(self, delivery: Delivery) -> Response:
        """The same once more: same GUID, same body."""
        same = (delivery.url, delivery.event, delivery.guid, delivery.body, delivery.headers)
        return self._attempt(*same, redelivery=True)

    def _attempt(
        self,
        url: str,
        event: str,
        guid: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        redelivery: bool,
    ) -> Response:
        when, start, number = self.now(), monotonic(), self.next_id()
        response = webhooks.post(url, body, headers)._replace(seconds=monotonic() - start)
        made = Delivery(number, url, guid, event, body, headers, when, redelivery, response)
        self.deliveries.append(made)
        return response

    def expire_tokens(self) -> None:
        """All installation tokens end now."""
        for grant in tuple(self.apps.grants.values()):
            grant.expires_at = self.now()

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

    def ambiguous(self, pattern: str, how: How = "502", *, times: int = 1) -> None:
        """Do what is asked, then lose the answer: a 502, a hang-up, or silence for ever."""
        self.faults.append(Fault(pattern, LOST[how], times, applied=True))

    def secondary_limit(
        self, pattern: str, *, status: int = 403, retry_after: int | None = 60, times: int = 1
    ) -> None:
        """Refuse as GitHub does what comes too fast, with and without saying for how long."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        self.fail(pattern, status, SECONDARY, headers=headers, times=times)

    @contextmanager
    def outage(self, status: int | None = 503) -> Iterator[None]:
        """Nothing works; None hangs up on everyone."""
        self._down = Answer(status or 0, {"message": "Unavailable"}, hang_up=status is None)
        try:
            yield
        finally:
            self._down = None

    def answer(self, request: Request) -> Answer:
        if shown := _PAGE.fullmatch(request.path):
            return self._page(shown[1], int(shown[2]))
        if (page_ := self.manifests.page(request)) is not None:
            return page_
        self.requests.append(request)
        if self._down:
            return self._down
        with self._choosing:
            fault = next((fault for fault in self.faults if fault.takes(request)), None)
        if fault and not fault.applied:
            return fault.answer
        with nullcontext() if request.method == "GET" else self.writing:
            try:
                answer = self._route(request)
            except Refused as refused:
                answer = refused.answer
        if self.checked and request.path != "/graphql":
            self.problems += openapi.problems(request, answer.status, answer.body)
        return fault.answer if fault else answer._replace(seconds=answer.seconds + self.latency)

    def _route(self, request: Request) -> Answer:
        if converted := manifests.CONVERSION.fullmatch(request.path):
            return self.manifests.convert(request, converted[1])
        for route in _APP_ROUTES:
            found = route.fits(request)
            if found is not None:
                caller = Caller(None, app=self.apps.app_of(request.token, self.now()))
                headers = self.rates.count(caller, request, self.limits, self.now())
                answer = route.handle(Call(self, request, caller), *found)
                return answer._replace(headers={**headers, **answer.headers})
        caller = caller_of(request, self.people, self.apps, self.repositories, self.now())
        headers = self.rates.count(caller, request, self.limits, self.now())
        try:
            answer = self._answer_to(caller, request)
        except Refused as refused:
            answer = refused.answer
        return answer._replace(headers={**headers, **answer.headers})

    def _page(self, name: str, number: int) -> Answer:
        """For a person's browser: nobody has to sign in, and it is no request to the API."""
        repository = self.repositories.get(name)
        if repository is None or number not in repository.pulls:
            return not_found().answer
        shown = page.as_page(repository, repository.pulls[number], note=self.note)
        return Answer(200, shown, {"Content-Type": "text/html; charset=utf-8"})

    def _answer_to(self, caller: Caller, request: Request) -> Answer:
        if request.path == "/graphql":
            if caller.login is None:
                raise Refused(403, "API rate limit exceeded for 127.0.0.1.")
            known = answer_query(request.body, self.repositories, self.limits, caller)
            return Answer(200, known)
        if (request.method, request.path) == ("GET", "/installation/repositories"):
            return app_routes.list_repositories(Call(self, request, caller))
        found = _REPOSITORY.fullmatch(request.path)
        if not found:
            raise not_found()
        name, rest = found[1], found[2] or ""
        if name in self.moved:
            target = request.path.replace(name, self.moved[name], 1)
            return Answer(301, {}, {"Location": self.url + target})
        repository = self.repositories.get(name)
        for route in _ROUTES if repository else ():
            groups = route.fits(request, rest)
            if groups is not None and repository:
                check(caller, repository, route)
                return route.handle(Call(self, request, caller, repository), *groups)
        raise not_found()

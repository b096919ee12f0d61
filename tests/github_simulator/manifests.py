"""Apps made from a manifest: the page on which a person creates one, and the code that opens it.

Manifests are refused as GitHub refuses them, with its own words where they are known.
"""

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from github_simulator import app_shapes
from github_simulator.apps import App
from github_simulator.messages import Answer, Request, not_found

if TYPE_CHECKING:
    from github_simulator.server import GitHubSimulator

CONVERSION = re.compile(r"/app-manifests/([^/]+)/conversions")
#: How long a code is good.
CODE_LIFE = timedelta(hours=1)
MAX_NAME = 34

_NEW = re.compile(r"(?:/organizations/([^/]+))?/settings/apps/new")
_CREATE = "/settings/apps/create-from-manifest"
_TYPES = {
    "name": str, "url": str, "hook_attributes": dict, "redirect_url": str, "callback_urls": list,
    "setup_url": str, "description": str, "public": bool, "default_events": list,
    "default_permissions": dict, "request_oauth_on_install": bool, "setup_on_update": bool,
}  # fmt: skip
_LEVELS = {
    "metadata": ("read",), "contents": ("read", "write"), "pull_requests": ("read", "write"),
    "issues": ("read", "write"), "checks": ("read", "write"), "administration": ("read", "write"),
}  # fmt: skip
#: What an event needs, any level of it.
_BACKED_BY = {
    "pull_request": "pull_requests", "pull_request_review": "pull_requests",
    "pull_request_review_comment": "pull_requests", "pull_request_review_thread": "pull_requests",
    "issue_comment": "issues", "issues": "issues", "check_run": "checks", "check_suite": "checks",
    "push": "contents",
}  # fmt: skip


@dataclass
class _Page:
    """A manifest that a person looks at."""

    manifest: dict[str, Any]
    owner: str
    state: str | None


@dataclass
class _Code:
    app: App
    made: datetime


@dataclass
class Manifests:
    """What became of every manifest."""

    simulator: "GitHubSimulator"
    organizations: set[str] = field(default_factory=lambda: {"acme"})
    person: str = "ada"
    """Who is signed in."""
    gives_secret: bool = True
    pages: dict[str, _Page] = field(default_factory=dict)
    codes: dict[str, _Code] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    def page(self, request: Request) -> Answer | None:
        """What a person's browser is shown; None for what is not about manifests."""
        if new := _NEW.fullmatch(request.path):
            return self._ask(request, new[1]) if request.method == "POST" else _shown("New App")
        if (request.method, request.path) == ("POST", _CREATE):
            return self._create(request)
        if request.path == "/settings/apps":
            return _shown("<h1>GitHub Apps</h1>")
        if request.path == "/favicon.ico":
            return Answer(404, "", _HTML)
        return None

    def convert(self, request: Request, code: str) -> Answer:
        """The App's key, once."""
        known = self.codes.pop(code, None)
        if request.method != "POST" or known is None:
            raise not_found()
        if self.simulator.now() - known.made > CODE_LIFE:
            raise not_found()
        app = known.app
        if not self.gives_secret:
            app.webhook_secret = ""
        shown = app_shapes.app(self.simulator.url, app)
        opened = {"client_secret": secrets.token_hex(20), "pem": app.private_key}
        return Answer(201, {**shown, **opened, "webhook_secret": app.webhook_secret or None})

    def _ask(self, request: Request, organization: str | None) -> Answer:
        if organization and organization not in self.organizations:
            return Answer(404, "<h1>Not Found</h1>", _HTML)
        try:
            manifest = json.loads((request.body or {}).get("manifest", ""))
        except ValueError:
            manifest = None
        wrong = list(self._problems(manifest))
        if wrong:
            self.refused += wrong
            listed = "".join(f"<li>Error {escape(text)}</li>" for text in wrong)
            return _shown(f"<h1>Invalid GitHub App configuration</h1><ul>{listed}</ul>", 422)
        number = secrets.token_hex(8)
        state = request.query.get("state")
        self.pages[number] = _Page(manifest, organization or self.person, state)
        return _shown(_form(number, manifest, organization or self.person))

    def _create(self, request: Request) -> Answer:
        """The person has clicked; names and permissions as they left them."""
        form: Mapping[str, str] = request.body
        page = self.pages.pop(form["page"], None)
        if page is None:
            return Answer(404, "<h1>Not Found</h1>", _HTML)
        manifest, name = page.manifest, form.get("name", "")
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        if any(app.slug == slug for app in self.simulator.apps.registered):
            return _shown("<h1>Name has already been taken</h1>", 422)
        levels = {each: form.get(f"permission.{each}", "none") for each in _LEVELS}
        app = App(
            self.simulator.next_id(),
            slug,
            webhook_secret=secrets.token_hex(20),
            permissions={each: level for each, level in levels.items() if level != "none"},
            events=list(manifest.get("default_events", ())),
            hook_url=manifest.get("hook_attributes", {}).get("url", ""),
            name=name,
            owner=page.owner,
        )
        self.simulator.apps.registered.append(app)
        code = secrets.token_hex(20)
        self.codes[code] = _Code(app, self.simulator.now())
        back = {"code": code, **({"state": page.state} if page.state is not None else {})}
        return Answer(302, "", {"Location": f"{manifest['redirect_url']}?{urlencode(back)}"})

    def _problems(self, manifest: Any) -> Iterator[str]:
        if not isinstance(manifest, dict):
            yield "The manifest is not JSON"
            return
        for name, value in manifest.items():
            if name not in _TYPES:
                yield f'"{name}" is not a permitted key.'
            elif type(value) is not _TYPES[name]:
                yield f"For 'properties/{name}', {value!r} is not a {_TYPES[name].__name__}."
        hook = manifest.get("hook_attributes")
        if not manifest.get("url") or (isinstance(hook, dict) and not hook.get("url")):
            yield "'url' wasn't supplied."
        if isinstance(hook, dict):
            yield from (
                f'"{key}" is not a permitted key.' for key in hook.keys() - {"url", "active"}
            )
            host = urlsplit(str(hook.get("url", ""))).hostname or ""
            if host in ("localhost", "127.0.0.1", "::1"):
                yield f"Hook url is not supported because it isn't reachable over the public Internet ({host})"
        if len(str(manifest.get("name", ""))) > MAX_NAME:
            yield f"Name is too long (maximum is {MAX_NAME} characters)"
        yield from _unsupported(manifest)


def _unsupported(manifest: Mapping[str, Any]) -> Iterator[str]:
    given = dict(manifest.get("default_permissions", {}))
    for name, level in given.items():
        if level not in _LEVELS.get(name, ()):
            yield f"Default permission {name}: {level} is not supported"
    events = list(manifest.get("default_events", ()))
    if unknown := [event for event in events if event not in _BACKED_BY]:
        yield f"Default events unsupported: {' and '.join(unknown)}"
    if bare := [event for event in events if _BACKED_BY.get(event, "") not in given]:
        yield f"Default events are not supported by permissions: {' and '.join(bare)}"


def _form(number: str, manifest: Mapping[str, Any], owner: str) -> str:
    given = manifest.get("default_permissions", {})
    chosen = "".join(
        f'<label>{name} <select name="permission.{name}">'
        + "".join(
            f"<option{' selected' if given.get(name, 'none') == level else ''}>{level}</option>"
            for level in ("none", *levels)
        )
        + "</select></label>"
        for name, levels in _LEVELS.items()
    )
    name = escape(str(manifest.get("name", "")))
    return (
        f'<h1>Create GitHub App for {escape(owner)}</h1><form method="post" action="{_CREATE}">'
        f'<input type="hidden" name="page" value="{number}">'
        f'<label>Name <input name="name" value="{name}"></label>{chosen}'
        '<button id="create">Create GitHub App</button> <a id="cancel" href="/settings/apps">Cancel</a>'
        "</form>"
    )


_HTML = {"Content-Type": "text/html; charset=utf-8"}


def _shown(body: str, status: int = 200) -> Answer:
    page = f'<!doctype html><html lang="en"><title>GitHub</title><body>{body}</body></html>'
    return Answer(status, page, _HTML)

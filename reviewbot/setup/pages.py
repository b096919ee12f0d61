"""The page on which the App is made: `/setup`, until there is one."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network, ip_address
from threading import Event

from flask import Flask, Response, g, render_template, request
from flask.typing import ResponseReturnValue
from jinja2 import StrictUndefined

from reviewbot.errors import ReviewbotError, UsageError
from reviewbot.github import needs
from reviewbot.reporting.page_headers import page_headers
from reviewbot.reporting.page_html import style
from reviewbot.setup.door import Door
from reviewbot.setup.enrolment import Enrolment
from reviewbot.setup.manifest import MAX_NAME, wish

COOKIE = "reviewbot_setup"
#: Longest text of a form's field that is read, characters.
_LONGEST = 300


@dataclass(frozen=True)
class Form:
    """What stands in the form at first."""

    name: str = ""
    organization: str = ""
    public_url: str = ""
    poll: bool = False
    extras: tuple[str, ...] = ()
    only_poll: bool = False
    """The service polls whatever the form says."""
    can_poll: bool = True
    """It may poll: not where it listens beyond this machine."""


def create_setup_app(
    enrolment: Enrolment,
    door: Door,
    first: Form,
    finished: Event,
    *,
    proxies: Sequence[IPv4Network | IPv6Network] = (),
    next_step: str,
) -> Flask:
    """The application. `finished` is set once an App is kept and the browser was told so;
    `next_step` says what whoever made it does after installing it. `proxies` are believed when
    they say that a browser came by TLS."""
    app = Flask("reviewbot.setup", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    pages = _Pages(enrolment, door, first, finished, proxies, next_step)
    app.add_url_rule("/setup", "form", pages.form, methods=["GET"])
    app.add_url_rule("/setup", "begin", pages.begin, methods=["POST"])
    app.add_url_rule("/setup/created", "created", pages.created, methods=["GET"])
    app.add_url_rule("/healthz", "healthz", lambda: {"ok": True})
    app.add_url_rule("/readyz", "readyz", _not_ready)
    app.context_processor(_frame)
    app.after_request(pages.harden)
    return app


class _Pages:
    def __init__(
        self,
        enrolment: Enrolment,
        door: Door,
        first: Form,
        finished: Event,
        proxies: Sequence[IPv4Network | IPv6Network],
        next_step: str,
    ) -> None:
        self._enrolment, self._door, self._first = enrolment, door, first
        self._finished, self._proxies, self._next = finished, proxies, next_step

    def form(self) -> ResponseReturnValue:
        """What the App is to be. The link is not used up by looking."""
        token = request.args.get("token", "")[:_LONGEST]
        if not self._is_in() and not self._door.would_open(token):
            return _denied()
        first = self._first
        if not first.public_url and not first.poll and not _is_loopback(request.host):
            first = replace(first, public_url=self._address())
        return self._asked(first, token)

    def begin(self) -> ResponseReturnValue:
        """The manifest, in a form that goes to GitHub."""
        session = None if self._is_in() else self._door.enter(request.form.get("token", ""))
        if session is None and not self._is_in():
            return _denied()
        given = self._given(request.form)
        try:
            wanted = wish(
                name=given.name,
                organization=given.organization,
                public_url="" if given.poll else given.public_url,
                poll=given.poll,
                extras=given.extras,
            )
        except UsageError as error:
            answer = Response(self._asked(given, "", problem=str(error)), 400)
        else:
            handover = self._enrolment.begin(wanted, f"{self._address()}/setup/created")
            g.leaves_for = self._enrolment.host.web
            answer = Response(
                render_template(
                    "setup_handover.html",
                    wanted=wanted,
                    url=handover.url,
                    host=self._enrolment.host.web,
                    manifest=json.dumps(handover.manifest),
                    permissions=handover.manifest["default_permissions"],
                    events=handover.manifest["default_events"],
                )
            )
        if session:
            answer.set_cookie(
                COOKIE, session, httponly=True, samesite="Lax", secure=self._by_tls(), path="/setup"
            )
        return answer

    def created(self) -> ResponseReturnValue:
        """Where GitHub sends the browser. The state it brings is as good as a session, and some
        browsers bring no cookie along from elsewhere."""
        code, state = request.args.get("code", ""), request.args.get("state", "")
        try:
            done = self._enrolment.finish(code, state)
        except ReviewbotError as error:
            return render_template("setup_problem.html", problem=str(error)), 400
        answer = Response(render_template("setup_done.html", done=done, next_step=self._next))
        answer.call_on_close(self._finished.set)
        return answer

    def harden(self, response: Response) -> Response:
        leaves = g.get("leaves_for", "")
        nonce = _nonce() if response.mimetype == "text/html" else ""
        # with the strictest policy a browser would not say where its form comes from
        headers = page_headers(
            nonce, form_action=f"'self' {leaves}".strip(), referrer="strict-origin"
        )
        response.headers.update(headers)
        return response

    def _is_in(self) -> bool:
        return self._door.knows(request.cookies.get(COOKIE, ""))

    def _asked(self, shown: Form, token: str, problem: str = "") -> str:
        return render_template(
            "setup.html",
            form=shown,
            token=token,
            problem=problem,
            host=self._enrolment.host.web,
            extras=needs.EXTRAS,
            longest=MAX_NAME,
        )

    def _given(self, form: Mapping[str, str]) -> Form:
        def text(name: str) -> str:
            return form.get(name, "")[:_LONGEST].strip()

        return Form(
            text("name"),
            text("organization"),
            text("public_url"),
            self._first.only_poll or (self._first.can_poll and form.get("delivery") == "poll"),
            tuple(option for option in needs.EXTRAS if form.get(option)),
            self._first.only_poll,
            self._first.can_poll,
        )

    def _address(self) -> str:
        """Our own, as the browser knows it."""
        return f"{'https' if self._by_tls() else 'http'}://{request.host}"

    def _by_tls(self) -> bool:
        if request.is_secure:
            return True
        said = request.headers.get("X-Forwarded-Proto") == "https"
        try:
            peer = ip_address(request.remote_addr or "")
        except ValueError:
            return False
        return said and (peer.is_loopback or any(peer in network for network in self._proxies))


def _not_ready() -> ResponseReturnValue:
    check = {"ok": False, "detail": "no GitHub App is set up: open the link that was printed"}
    return {"ok": False, "checks": {"setup": check}}, 503


def _denied() -> ResponseReturnValue:
    problem = (
        "The link is wrong, old, or was used already. Start reviewbot again: it prints another."
    )
    return render_template("setup_problem.html", problem=problem), 401


def _frame() -> dict[str, object]:
    return {"nonce": _nonce(), "style": style()}


def _nonce() -> str:
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def _is_loopback(host: str) -> bool:
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    try:
        return ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return name == "localhost"

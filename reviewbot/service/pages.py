"""The pages for people: who may see them, and what all of them have. Nothing is fetched elsewhere."""

import secrets
from functools import partial

from flask import Blueprint, Flask, Response, g, redirect, render_template, request
from jinja2 import StrictUndefined
from werkzeug.wrappers import Response as AnyResponse

from reviewbot.reporting.page_headers import page_headers
from reviewbot.reporting.page_html import style
from reviewbot.service.dashboard import MAX_ID, Shown, dashboard
from reviewbot.service.doors import COOKIE, Doors
from reviewbot.service.login import SESSION_SECONDS, Login
from reviewbot.service.page_view import (
    call_cost,
    code,
    money,
    paragraphs,
    place,
    plain,
    size,
)

#: What needs no login: deliveries are signed, probes name nothing, and one has to sign in somewhere.
OPEN = frozenset({"webhook", "healthz", "readyz", "metrics", "sign_in.ask", "sign_in.enter"})


def add_pages(app: Flask, shown: Shown, doors: Doors) -> None:
    """Give `app` its pages. Whatever is not in OPEN answers 401 to a stranger, also what will be
    added after this."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        plain=plain,
        code=code,
        money=money,
        call_cost=call_cost,
        size=size,
        place=place,
        paragraphs=paragraphs,
    )
    app.context_processor(_common)
    app.before_request(partial(_guard, doors))
    app.after_request(_harden)
    app.register_blueprint(_sign_in(doors.login))
    app.register_blueprint(dashboard(shown))


def _common() -> dict[str, object]:
    """What the frame of every page shows."""
    return {
        "nonce": _nonce(),
        "style": style(),
        "visitor": g.get("visitor"),
        "path": request.path,
    }


def _guard(doors: Doors) -> tuple[str, int] | None:
    """None lets a request pass; what is no page is nobody's secret."""
    if request.endpoint is None or request.endpoint in OPEN:
        return None
    g.visitor = doors.visitor(request)
    return None if g.visitor else _denied("")


def _sign_in(login: Login) -> Blueprint:
    pages = Blueprint("sign_in", __name__)

    @pages.get("/login")
    def ask() -> str:
        # only the button uses the token up: programs that look at links in advance do not
        return render_template("login.html", token=request.args.get("token", "")[:MAX_ID])

    @pages.post("/login")
    def enter() -> AnyResponse | tuple[str, int]:
        session = login.redeem(request.form.get("token", "")[:MAX_ID])
        if session is None:
            return _denied("This link was used already, or a newer one was printed.")
        answer = redirect("/", 303)
        answer.set_cookie(
            COOKIE,
            session,
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="Lax",  # a link on a pull request leads in; a form elsewhere does not
            secure=request.is_secure,
        )
        return answer

    @pages.post("/logout")
    def leave() -> AnyResponse:
        login.revoke(request.cookies.get(COOKIE, ""))
        answer = redirect("/login", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=request.is_secure)
        return answer

    return pages


def _denied(problem: str) -> tuple[str, int]:
    return render_template("login.html", token="", problem=problem), 401


def _nonce() -> str:
    """This answer's word for the style that the page brings along."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def _harden(response: Response) -> Response:
    nonce = _nonce() if response.mimetype == "text/html" else ""
    response.headers.update(page_headers(nonce))
    return response

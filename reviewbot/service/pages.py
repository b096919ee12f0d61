"""The pages for people: signing in, and one page for each review. Nothing is fetched elsewhere."""

import secrets
from collections.abc import Callable

from flask import Blueprint, Flask, Response, g, make_response, redirect, render_template, request
from jinja2 import StrictUndefined
from werkzeug.wrappers import Response as AnyResponse

from reviewbot.service.login import SESSION_SECONDS, Login
from reviewbot.service.page_view import (
    call_cost,
    code,
    money,
    page_view,
    paragraphs,
    place,
    plain,
    size,
)
from reviewbot.store.reviews import StoredReview

COOKIE = "reviewbot_session"
#: Longest review id and token that are looked at, characters.
MAX_ID = 64
ReviewSource = Callable[[str], StoredReview | None]


def add_pages(app: Flask, reviews: ReviewSource, login: Login, api_url: str) -> None:
    """Give `app` its pages; each but the one to sign in answers 401 without a session."""
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
    app.context_processor(lambda: {"nonce": _nonce()})
    app.after_request(_harden)
    app.register_blueprint(_sign_in(login))
    app.register_blueprint(_review_pages(reviews, login, api_url))


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
            samesite="Strict",
            secure=request.is_secure,
        )
        return answer

    @pages.post("/logout")
    def leave() -> AnyResponse:
        login.revoke(request.cookies.get(COOKIE, ""))
        answer = redirect("/login", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="Strict", secure=request.is_secure)
        return answer

    return pages


def _review_pages(reviews: ReviewSource, login: Login, api_url: str) -> Blueprint:
    pages = Blueprint("reviews", __name__)

    @pages.before_request
    def signed_in() -> tuple[str, int] | None:
        session = request.cookies.get(COOKIE, "")
        return None if session and login.valid(session) else _denied("")

    @pages.get("/")
    def home() -> AnyResponse | str:
        wanted = request.args.get("review", "").strip()[:MAX_ID]
        return redirect(f"/reviews/{_segment(wanted)}", 303) if wanted else render("home.html")

    @pages.get("/reviews/<review_id>")
    def one(review_id: str) -> AnyResponse | str:
        found = reviews(review_id) if len(review_id) <= MAX_ID else None
        if found is None:
            return make_response(render_template("missing.html"), 404)
        return render_template("review.html", view=page_view(found, api_url))

    def render(template: str) -> str:
        return render_template(template)

    return pages


def _denied(problem: str) -> tuple[str, int]:
    return render_template("login.html", token="", problem=problem), 401


def _segment(text: str) -> str:
    return "".join(c for c in text if c.isalnum() or c in "-_:#.").replace("#", "%23")


def _nonce() -> str:
    """This answer's word for the style that the page brings along."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def _harden(response: Response) -> Response:
    style = f"'nonce-{_nonce()}'" if response.mimetype == "text/html" else "'none'"
    response.headers.update(
        {
            "Content-Security-Policy": f"default-src 'none'; style-src {style}; form-action 'self';"
            " base-uri 'none'; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "no-store",
        }
    )
    return response

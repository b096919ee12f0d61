"""The pages about months and about all reviews. Whoever gets here is signed in."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from reviewbot.errors import ReviewbotError, StoreError, UsageError
from reviewbot.reporting.glance import (
    month_blocks,
    month_name,
    repository_table,
    tier_table,
    trend_blocks,
)
from reviewbot.reporting.page import Block
from reviewbot.reporting.page_html import blocks_html, page_body
from reviewbot.reporting.page_text import page_markdown
from reviewbot.reporting.report import Report
from reviewbot.reporting.report_csv import report_csv
from reviewbot.reporting.report_json import report_json
from reviewbot.reporting.report_page import report_page
from reviewbot.reporting.window import Window
from reviewbot.routing.model import Tier
from reviewbot.service.health import Health, has_role
from reviewbot.service.jobs import JobQueue, QueueDepth, QueueUnavailable
from reviewbot.service.logs import logger
from reviewbot.service.months import Months
from reviewbot.service.page_view import page_view, plain
from reviewbot.store.browse import Place, ReviewLine, Wanted
from reviewbot.store.reports import ReportStore

#: Longest review id and name of a repository that are looked at, characters.
MAX_ID, MAX_NAME = 64, 200
#: Reviews in the list and on the first page.
PAGE, LAST = 40, 8
_REPORT = re.compile(r"(\d{4}-\d{2})(?:\.(json|csv|md))?", re.ASCII)

log = logger("reviewbot.pages")


@dataclass(frozen=True)
class Shown:
    """What the pages are made of."""

    store: Callable[[], ReportStore]
    months: Months
    queue: JobQueue
    health: Health
    api_url: str


def dashboard(shown: Shown) -> Blueprint:
    """`/`, `/reviews`, `/reviews/ID`, `/report/YYYY-MM` and its data."""
    pages = Blueprint("dashboard", __name__)
    pages.add_url_rule("/", "home", lambda: _home(shown))
    pages.add_url_rule("/reviews", "reviews", lambda: _reviews(shown))
    pages.add_url_rule("/reviews/<review_id>", "review", lambda review_id: _one(shown, review_id))
    pages.add_url_rule("/report", "this_month", lambda: _this_month(shown))
    pages.add_url_rule("/report/<name>", "report", lambda name: _report(shown, name))
    pages.register_error_handler(ReviewbotError, _broken)
    return pages


def _home(shown: Shown) -> AnyResponse | str:
    wanted = request.args.get("review", "").strip()[:MAX_ID]
    if wanted:
        return redirect(f"/reviews/{quote(wanted, safe='')}", 303)
    checks, depth, begun = shown.health.checks(), _depth(shown.queue), shown.months.begun()
    local = any(has_role("local", check) for check in checks)
    service = {"checks": checks, "depth": depth, "local": local}
    if begun is None:
        return render_template("begin.html", address=request.host_url, **service)
    kept = shown.months.report()
    report = kept.value
    return render_template(
        "home.html",
        report=report,
        at=kept.at,
        month=_html(() if report.is_empty else month_blocks(report), report.window.name),
        trend=_html(trend_blocks(shown.months.trend()), "Months"),
        tiers=_html((tier_table(report),), report.window.name),
        repositories=_html((repository_table(report),), report.window.name),
        lines=shown.store().review_lines(Wanted(), LAST),
        **service,
    )


def _reviews(shown: Shown) -> str:
    store, wanted = shown.store(), _wanted()
    lines = store.review_lines(wanted, PAGE + 1)
    more, lines = len(lines) > PAGE, lines[:PAGE]
    return render_template(
        "reviews.html",
        lines=lines,
        wanted=wanted,
        # no host has names with invisible characters: they are only shown, made visible
        repositories=[name for name in store.listed_repositories() if plain(name) == name],
        tiers=[tier.value for tier in Tier],
        older=_address(wanted, lines[-1]) if more else "",
        newest=_address(wanted, None) if wanted.after else "",
    )


def _wanted() -> Wanted:
    """What the address asks for; a place or tier that can't be read is none."""
    asked = request.args
    at, _, id_ = asked.get("after", "").partition("~")
    try:
        place = Place(datetime.fromisoformat(at), id_[:MAX_ID]) if id_ else None
    except ValueError:
        place = None
    if place and place.created_at.tzinfo is None:
        place = None
    tier = asked.get("tier", "")
    return Wanted(
        repository=asked.get("repository", "")[:MAX_NAME],
        tier=tier if tier in set(Tier) else "",
        after=place,
    )


def _address(wanted: Wanted, last: ReviewLine | None) -> str:
    """The list of the same kind, from the beginning or after a review."""
    after = f"{last.created_at.isoformat()}~{last.id}" if last else ""
    given = {"repository": wanted.repository, "tier": wanted.tier, "after": after}
    return "/reviews?" + urlencode({name: value for name, value in given.items() if value})


def _one(shown: Shown, review_id: str) -> AnyResponse | str:
    found = shown.store().review(review_id) if len(review_id) <= MAX_ID else None
    if found is None:
        return _missing("No such review", "It may still be running, or its id is cut off.")
    return render_template("review.html", view=page_view(found, shown.api_url))


def _this_month(shown: Shown) -> AnyResponse:
    return redirect(f"/report/{month_name(shown.months.window())}", 303)


def _report(shown: Shown, name: str) -> AnyResponse | str:
    asked = _REPORT.fullmatch(name)
    if asked is None:
        return _missing("No such month", "A month is written as YYYY-MM: /report/2026-11.")
    repository = request.args.get("repository", "")[:MAX_NAME] or None
    try:
        report = shown.months.report(asked[1], repository).value
    except UsageError as error:
        return _missing("No such report", f"{error}.")
    if asked[2]:
        return _data(report, asked[2], shown.api_url)
    newest = shown.store().newest_call() if report.is_empty else None
    page = report_page(report, api_url=shown.api_url, newest=newest)
    return render_template(
        "report.html",
        title=page.title,
        body=page_body(page),
        name=asked[1],
        query=f"?{urlencode({'repository': repository})}" if repository else "",
        before=_before(report.window, shown.months.begun()),
        after=_after(report.window, shown.months.window()),
    )


def _data(report: Report, kind: str, api_url: str) -> Response:
    """The same month for programs."""
    name = f"reviewbot-{month_name(report.window)}.{kind}"
    if kind == "md":
        newest_unknown = report_page(report, api_url=api_url)
        answer = Response(
            page_markdown(newest_unknown), content_type="text/markdown; charset=utf-8"
        )
    else:
        data = report_json(report, api_url=api_url)
        text = json.dumps(data, indent=2) + "\n" if kind == "json" else report_csv(data)
        mimetype = "application/json" if kind == "json" else "text/csv"
        answer = Response(text, content_type=f"{mimetype}; charset=utf-8")
    answer.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return answer


def _before(window: Window, begun: datetime | None) -> str:
    """The month before, if the ledger reaches back to it."""
    return f"{window.since - timedelta(days=1):%Y-%m}" if begun and begun < window.since else ""


def _after(window: Window, now: Window) -> str:
    """The month after, if it has begun."""
    later = window.since + timedelta(days=31)
    return f"{later:%Y-%m}" if later.replace(day=1) <= now.since else ""


def _depth(queue: JobQueue) -> QueueDepth | None:
    try:
        return queue.depth()
    except (QueueUnavailable, StoreError) as error:
        log.warning("queue", reason=str(error))
        return None


def _html(blocks: Iterable[Block], about: str) -> str:
    """Blocks for a template; their writer makes all texts harmless."""
    return blocks_html(tuple(blocks), about)


def _missing(title: str, why: str) -> Response:
    return make_response(render_template("missing.html", title=title, why=why), 404)


def _broken(error: ReviewbotError) -> tuple[str, int]:
    """What the operator has to mend; of a database that fails, its place stays in the log."""
    log.error("page", path=request.path, reason=str(error))
    if isinstance(error, StoreError):
        why = "The database can't be used now. The listener's log says why."
        return render_template("missing.html", title="Not now", why=why), 503
    return render_template("missing.html", title="Something must be mended", why=f"{error}."), 500

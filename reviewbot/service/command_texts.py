"""What the commands `why` and `cost` answer, from what is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from reviewbot.change.model import Change, Kind
from reviewbot.costs.budget import Spending
from reviewbot.costs.calls import Call, CallStart
from reviewbot.costs.summary import summarize
from reviewbot.publishing import figures
from reviewbot.publishing.markdown import inline_code, safe_line, table_cell
from reviewbot.publishing.result import Review
from reviewbot.publishing.spending import month_rows
from reviewbot.publishing.summary import route_markdown
from reviewbot.review.finding import Coverage, CoverageStatus
from reviewbot.routing.model import FileRoute, Match, Route, Tier
from reviewbot.routing.wording import plural
from reviewbot.store.reviews import StoredReview

#: Longest text of a cell, characters.
_CELL = 400
#: What JSON of another version makes of reading it.
_ODD = (KeyError, TypeError, ValueError, ArithmeticError)
_UNREADABLE = (
    "The newest review was stored in a form that I can't read any more. "
    "`/reviewbot review` asks for a new one."
)


def why_text(stored: StoredReview | None) -> str:
    """Where the newest review went and why."""
    if stored is None:
        return (
            "This pull request has no review yet, so there is no decision to explain. "
            "`/reviewbot review` asks for one."
        )
    try:
        route = _route(stored.result)
    except _ODD:
        return _UNREADABLE
    return f"{route_markdown(route)}\n{_which(stored)}"


def cost_text(
    stored: StoredReview | None, calls: Sequence[Call | CallStart], spending: Spending
) -> str:
    """The newest review's cost and that of the whole pull request, `calls` being all of it; the
    month's, and what is left of the budget."""
    if stored is None and not calls:
        return "This pull request has no review yet: it has cost nothing."
    if stored is None:
        return f"No review of this pull request has ended yet.\n\n{_sum(calls)}"
    try:
        mine = [call for call in calls if _review_of(call) == stored.id]
        review = replace(_review(stored, mine), spending=replace(spending, counted=True))
    except _ODD:
        return f"{_UNREADABLE}\n\n{_sum(calls)}"
    rows = [
        f"| {row.what} | {row.usd} | {table_cell(safe_line(row.how[:_CELL]))} |"
        for row in [*figures.cost_rows(review), *month_rows(review)]
    ]
    head = f"| | {'Would cost' if review.scripted else 'USD'} | |\n|---|---|---|"
    table = "\n".join([head, *rows])
    title = f"## {figures.cost_title(review)}"
    return f"{title}\n\n{table}\n\n{_which(stored)}\n\n{_sum(calls)}"


def _which(stored: StoredReview) -> str:
    head = inline_code((stored.head or "?")[:10])
    return (
        f"This is about the newest review: of {head}, begun {stored.created_at:%Y-%m-%d %H:%M} UTC."
    )


def _sum(calls: Sequence[Call | CallStart]) -> str:
    """All that was paid; what hand-written answers would cost stands apart."""
    scripted = [call for call in calls if isinstance(call, Call) and call.scripted]
    cost = summarize([call for call in calls if not (isinstance(call, Call) and call.scripted)])
    reviews = plural(len({_review_of(call) for call in calls}), "review")
    parts = [
        f"**This pull request so far:** {figures.usd(cost.total_usd)}"
        f"{' est.' if cost.estimated and cost.total_usd else ''}"
        f" in {plural(cost.calls, 'call')} of {reviews}, failed ones included"
        f" (Claude {figures.usd(cost.claude_usd)}, local {figures.usd(cost.local_usd)}"
        + (
            f", others {figures.usd(cost.other_external_usd)})."
            if cost.other_external_usd
            else ")."
        )
    ]
    if cost.unknown_usd:
        parts.append(
            f"At most {figures.usd(cost.unknown_usd)} more, reserved for calls that still run or "
            "may have been billed without an answer."
        )
    if scripted:
        would = figures.usd(summarize(scripted).total_usd)
        parts.append(
            f"SCRIPTED: {plural(len(scripted), 'answer')} written by hand would cost {would}; "
            "nothing was paid for them."
        )
    return " ".join(parts)


def _review_of(call: Call | CallStart) -> str:
    return call.start.review_id if isinstance(call, Call) else call.review_id


def _review(stored: StoredReview, calls: Sequence[Call | CallStart]) -> Review:
    """As much of the review as its figures need; calls come from the ledger."""
    data = stored.result
    saved = data["cost"]["all_claude_usd"]
    return Review(
        id=stored.id,
        change=Change(files=(), repository=stored.repository or None),
        route=_route(data),
        findings=(),
        coverage=tuple(
            Coverage(c["path"], CoverageStatus(c["status"]), c["engine"], c["reason"])
            for c in data["coverage"]
        ),
        calls=tuple(call for call in calls if isinstance(call, Call)),
        cost=summarize(calls, None if saved is None else Decimal(saved)),
        created_at=stored.created_at,
        left_alone="" if data["complete"] else "not read in full",
        held=data.get("held", ""),
    )


def _route(review: Mapping[str, Any]) -> Route:
    data = review["route"]
    return Route(
        tier=Tier(data["tier"]),
        areas=tuple(data["areas"]),
        certainty=data["certainty"],
        scores=dict(data["scores"]),
        reasons=_matches(data["reasons"]),
        files=tuple(_file(file) for file in data["files"]),
        why=data["why"],
        notes=tuple(data["notes"]),
    )


def _file(data: Mapping[str, Any]) -> FileRoute:
    return FileRoute(
        path=data["path"],
        kind=Kind(data["kind"]),
        tier=Tier(data["tier"]),
        areas=tuple(data["areas"]),
        reasons=_matches(data["reasons"]),
        why=data["why"],
    )


def _matches(data: Sequence[Mapping[str, Any]]) -> tuple[Match, ...]:
    names = ("rule", "area", "path", "line", "side", "why", "weight")
    return tuple(Match(**{name: one[name] for name in names}) for one in data)

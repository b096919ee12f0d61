"""Issues: their list, which has pull requests as well, a new one, and one that is edited."""

from typing import Any

from github_simulator import app_shapes, remark_shapes
from github_simulator.messages import Answer, Call, Refused, invalid, not_found
from github_simulator.records import Issue
from github_simulator.routes import Route


def list_issues(call: Call) -> Answer:
    """The newest first; open ones, unless others are asked for."""
    _enabled(call)
    query, repository = call.request.query, call.repository
    state, creator = query.get("state", "open"), query.get("creator")
    shown: list[dict[str, Any]] = [
        remark_shapes.issue(call.api, repository, one) for one in repository.issues.values()
    ]
    shown += [
        remark_shapes.pull_as_issue(call.api, repository, one)
        for one in tuple(repository.pulls.values())
    ]
    wanted = [
        one
        for one in shown
        if state in ("all", one["state"]) and creator in (None, one["user"]["login"])
    ]
    newest = sorted(wanted, key=lambda one: one["number"], reverse=True)
    if query.get("direction") == "asc":
        newest.reverse()
    items, headers = call.page(newest)
    return Answer(200, items, headers)


def create_issue(call: Call) -> Answer:
    _enabled(call)
    title = call.text("title")
    if len(title) > 256:
        raise invalid("title is too long (maximum is 256 characters)")
    repository = call.repository
    made = Issue(
        id=call.simulator.next_id(),
        number=repository.next_number,
        author=call.author,
        title=title,
        body=call.text(required=False),
        when=app_shapes.stamp(call.simulator.now()),
        app=call.caller.app,
    )
    repository.issues[made.number] = made
    return Answer(201, remark_shapes.issue(call.api, repository, made))


def edit_issue(call: Call, number: str) -> Answer:
    """Its own only, as with comments."""
    _enabled(call)
    found = call.repository.issues.get(int(number))
    if found is None:
        raise not_found()
    if found.author != call.author:
        raise Refused(403, "Must have admin rights to Repository.")
    found.body = call.text()
    found.updated = app_shapes.stamp(call.simulator.now())
    return Answer(200, remark_shapes.issue(call.api, call.repository, found))


def _enabled(call: Call) -> None:
    if not call.repository.has_issues:
        raise Refused(410, "Issues has been disabled in this repository.")


ROUTES = (
    Route("GET", r"/issues", ("issues:read",), list_issues),
    Route("POST", r"/issues", ("issues:write",), create_issue),
    Route("PATCH", r"/issues/(\d+)", ("issues:write",), edit_issue),
)

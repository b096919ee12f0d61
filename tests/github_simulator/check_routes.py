"""Check runs and their annotations."""

from typing import Any

from github_simulator import app_shapes, remark_shapes
from github_simulator.messages import Answer, Call, Refused, forbidden, invalid, not_found
from github_simulator.records import CheckRun
from github_simulator.routes import Route

_STATUSES = ("queued", "in_progress", "completed")
_CONCLUSIONS = (
    *("action_required", "cancelled", "failure", "neutral"),
    *("success", "skipped", "timed_out"),
)
_LEVELS = ("notice", "warning", "failure")
#: GitHub's, of a check's summary and text.
_LONGEST_TEXT = 65_535


def create_check(call: Call) -> Answer:
    if call.caller.app is None:
        raise Refused(403, "You must authenticate via a GitHub App.")
    name, head = call.field("name"), call.field("head_sha")
    if not isinstance(name, str) or not name.strip():
        raise invalid("name can't be blank")
    if not isinstance(head, str) or not call.repository.content.exists(f"{head}^{{commit}}"):
        raise Refused(422, f"No commit found for SHA: {head}")
    output = _output(call)
    status, conclusion = _status(call, "queued")
    run = CheckRun(
        id=call.simulator.next_id(),
        app=call.caller.app,
        name=name,
        head=head,
        external_id=call.field("external_id") or "",
        status=status,
        conclusion=conclusion,
        started=call.field("started_at") or app_shapes.stamp(call.simulator.now()),
        completed=_completed(call, conclusion),
        details_url=call.field("details_url"),
    )
    _apply(run, output)
    call.repository.checks.append(run)
    return Answer(201, remark_shapes.check_run(call.api, call.repository, run))


def update_check(call: Call, number: str) -> Answer:
    """Texts are replaced, annotations added."""
    run = _run(call, number)
    if run.app is not call.caller.app:
        raise forbidden()
    output = _output(call)
    run.status, conclusion = _status(call, run.status)
    if run.status == "completed":
        run.conclusion = conclusion or run.conclusion
        run.completed = _completed(call, run.conclusion)
    else:
        run.conclusion = run.completed = None
    run.name = call.field("name") or run.name
    run.external_id = call.field("external_id") or run.external_id
    run.details_url = call.field("details_url") or run.details_url
    _apply(run, output)
    return Answer(200, remark_shapes.check_run(call.api, call.repository, run))


def show_check(call: Call, number: str) -> Answer:
    return Answer(200, remark_shapes.check_run(call.api, call.repository, _run(call, number)))


def list_annotations(call: Call, number: str) -> Answer:
    run = _run(call, number)
    items, headers = call.page(run.annotations)
    shown = [remark_shapes.annotation(call.api, call.repository, run, one) for one in items]
    return Answer(200, shown, headers)


def list_checks(call: Call, ref: str) -> Answer:
    """The newest of each name and App, unless `filter=all`."""
    if not call.repository.content.exists(f"{ref}^{{commit}}"):
        raise Refused(422, f"No commit found for SHA: {ref}")
    head, query = call.repository.content.resolve(ref), call.request.query
    runs = [run for run in reversed(call.repository.checks) if run.head == head]
    if query.get("filter", "latest") == "latest":
        newest: dict[tuple[int, str], CheckRun] = {}
        for run in runs:
            newest.setdefault((run.app.id, run.name), run)
        runs = list(newest.values())
    for field in ("name", "status"):
        wanted = query.get("check_name" if field == "name" else field)
        runs = [run for run in runs if wanted in (None, getattr(run, field))]
    runs = [run for run in runs if query.get("app_id") in (None, str(run.app.id))]
    items, headers = call.page(runs)
    shown = [remark_shapes.check_run(call.api, call.repository, run) for run in items]
    return Answer(200, {"total_count": len(runs), "check_runs": shown}, headers)


def _run(call: Call, number: str) -> CheckRun:
    found = next((run for run in call.repository.checks if run.id == int(number)), None)
    if found is None:
        raise not_found()
    return found


def _status(call: Call, before: str) -> tuple[str, str | None]:
    status, conclusion = call.field("status"), call.field("conclusion")
    if status is not None and status not in _STATUSES:
        raise invalid(f"{status} is not a status")
    if conclusion is not None and conclusion not in _CONCLUSIONS:
        raise invalid(f"{conclusion} is not a conclusion")
    if conclusion is None and status == "completed":
        raise invalid("conclusion is needed of a completed check run")
    return ("completed" if conclusion else status or before), conclusion


def _completed(call: Call, conclusion: str | None) -> str | None:
    if conclusion is None:
        return None
    return call.field("completed_at") or app_shapes.stamp(call.simulator.now())


def _output(call: Call) -> dict[str, Any]:
    """The given output, if GitHub would take it."""
    output = call.field("output")
    if output is None:
        return {}
    if not isinstance(output.get("title"), str) or not isinstance(output.get("summary"), str):
        raise _wrong('"title" and "summary" weren\'t supplied.')
    for name in ("summary", "text"):
        length = len(output.get(name) or "")
        if length > _LONGEST_TEXT:
            raise _wrong(f'"{name}" was not supplied.')
    annotations = output.get("annotations") or []
    most = call.simulator.limits.annotations
    if len(annotations) > most:
        raise _wrong(f'"{name}" was not supplied.')
    for one in annotations:
        _check_annotation(one)
    return dict(output)


def _check_annotation(one: dict[str, Any]) -> None:
    for name in ("path", "start_line", "end_line", "annotation_level", "message"):
        if not one.get(name):
            raise _wrong(f'"{name}" was not supplied.')
    if one["annotation_level"] not in _LEVELS:
        raise _wrong(f"{one['annotation_level']} is not a member of {list(_LEVELS)}.")
    if one["end_line"] < one["start_line"]:
        raise invalid("end_line must not be before start_line")
    if one["start_line"] != one["end_line"] and {"start_column", "end_column"} & set(one):
        raise invalid("columns need one line")
    # documented: 64 KB and 255 characters
    if len(one["message"].encode()) > 65_536 or len(one.get("title") or "") > 255:
        raise invalid("message or title is too long")


def _wrong(text: str) -> Refused:
    return Refused(422, f"Invalid request.\n\n{text}")


def _apply(run: CheckRun, output: dict[str, Any]) -> None:
    run.output |= {name: output[name] for name in ("title", "summary", "text") if name in output}
    run.annotations += output.get("annotations") or []


_READ, _WRITE = ("checks:read",), ("checks:write",)
ROUTES = (
    Route("POST", r"/check-runs", _WRITE, create_check),
    Route("PATCH", r"/check-runs/(\d+)", _WRITE, update_check),
    Route("GET", r"/check-runs/(\d+)", _READ, show_check),
    Route("GET", r"/check-runs/(\d+)/annotations", _READ, list_annotations),
    Route("GET", r"/commits/([^/]+)/check-runs", _READ, list_checks),
)

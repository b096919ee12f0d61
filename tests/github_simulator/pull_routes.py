"""Pull requests, their files, contents of commits."""

from urllib.parse import unquote

from github_simulator import app_shapes
from github_simulator.messages import Answer, Call, not_found
from github_simulator.routes import Route
from github_simulator.state import Pull


def show_repository(call: Call) -> Answer:
    return Answer(200, app_shapes.repository(call.api, call.repository))


def list_pulls(call: Call) -> Answer:
    state = call.request.query.get("state", "open")
    pulls = [one for one in tuple(call.repository.pulls.values()) if state in ("all", one.state)]
    pulls.sort(key=lambda pull: pull.number)
    if call.request.query.get("sort") == "updated":
        pulls.sort(key=lambda pull: pull.updated_at)
    newest_first = "sort" not in call.request.query  # by `created`; else the oldest comes first
    if call.request.query.get("direction", "desc" if newest_first else "asc") == "desc":
        pulls.reverse()
    items, headers = call.page(pulls)
    return Answer(200, [call.repository.pull_json(call.api, one) for one in items], headers)


def show_pull(call: Call, number: str) -> Answer:
    pull = call.pull(number)
    if ".diff" in call.request.headers.get("accept", ""):
        return _diff(call, pull)
    return Answer(200, call.repository.pull_json(call.api, pull))


def _diff(call: Call, pull: Pull) -> Answer:
    repository, limits = call.repository, call.simulator.limits
    files = repository.files(pull)
    diff = repository.content.diff(*repository.ends(pull))
    too_long = sum(file.changes for file in files) > limits.diff_lines
    if too_long or len(files) > limits.diff_files or len(diff) > limits.diff_bytes:
        message = "Sorry, the diff exceeded the maximum number of lines (20000)"
        return Answer(406, {"message": message})
    media = {"Content-Type": "application/vnd.github.v3.diff; charset=utf-8"}
    return Answer(200, diff.decode("utf-8", "surrogateescape"), media)


def list_files(call: Call, number: str) -> Answer:
    query = call.request.query
    page, size = int(query.get("page", 1)), int(query.get("per_page", 30))
    pull, limits = call.pull(number), call.simulator.limits
    ends = call.repository.ends(pull)
    items, more = call.repository.page_json(call.api, ends, limits, page, min(size, 100))
    following = f"<{call.api}{call.request.path}?per_page={size}&page={page + 1}>"
    return Answer(200, items, {"Link": f'{following}; rel="next"'} if more else {})


def show_content(call: Call, path: str) -> Answer:
    ref = call.request.query.get("ref", "main")
    found = call.repository.content.blob(f"{ref}:{unquote(path)}")
    if found is None:
        raise not_found()
    media = {"Content-Type": "application/vnd.github.raw+json; charset=utf-8"}
    return Answer(200, found.decode("utf-8", "surrogateescape"), media)


_READ = ("pull_requests:read",)
ROUTES = (
    Route("GET", r"", ("metadata:read",), show_repository),
    Route("GET", r"/pulls", _READ, list_pulls),
    Route("GET", r"/pulls/(\d+)", _READ, show_pull),
    Route("GET", r"/pulls/(\d+)/files", _READ, list_files),
    Route("GET", r"/contents/(.+)", ("contents:read",), show_content),
)

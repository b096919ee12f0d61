"""Reviews and their comments: all of a review is applied, or nothing."""

from typing import Any

from github_simulator import app_shapes, remark_shapes
from github_simulator.hunks import Place, places
from github_simulator.messages import LONGEST_BODY, Answer, Call, Refused, invalid, not_found
from github_simulator.records import LineComment, Review
from github_simulator.routes import Route
from github_simulator.state import Pull

_STATES = {"COMMENT": "COMMENTED", "APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED"}


def list_reviews(call: Call, number: str) -> Answer:
    pull = call.pull(number)
    items, headers = call.page(pull.reviews)
    shown = [remark_shapes.review(call.api, call.repository, pull, one) for one in items]
    return Answer(200, shown, headers)


def show_review(call: Call, number: str, review: str) -> Answer:
    pull = call.pull(number)
    found = _review(pull, review)
    return Answer(200, remark_shapes.review(call.api, call.repository, pull, found))


def create_review(call: Call, number: str) -> Answer:
    pull = call.pull(number)
    event, comments = call.field("event"), call.field("comments") or []
    body = call.text(required=False)
    if event is not None and event not in _STATES:
        raise invalid("Variable $event was provided an invalid value")
    if event in ("COMMENT", "REQUEST_CHANGES") and not body.strip() and not comments:
        raise unprocessable("Body can't be blank")
    if event in ("APPROVE", "REQUEST_CHANGES") and call.author == pull.author:
        verb = "approve" if event == "APPROVE" else "request changes on"
        raise unprocessable(f"Can not {verb} your own pull request")
    mine = (one.state for one in pull.reviews if one.author == call.author)
    if event is None and "PENDING" in mine:
        raise unprocessable("User can only have one pending review per pull request")
    commit = _commit(call, pull)
    state = _STATES.get(event, "PENDING")
    review = _new_review(call, body, state, commit)
    found = [_placed(call, pull, review, comment) for comment in comments]
    pull.reviews.append(review)
    pull.threads.extend(found)
    return Answer(200, remark_shapes.review(call.api, call.repository, pull, review))


def comments_of_review(call: Call, number: str, review: str) -> Answer:
    pull = call.pull(number)
    known = _review(pull, review)
    return _listed(call, pull, [one for one in pull.threads if one.review == known.id])


def list_comments(call: Call, number: str) -> Answer:
    pull = call.pull(number)
    return _listed(call, pull, pull.threads)


def create_comment(call: Call, number: str) -> Answer:
    """One comment at a line: a review of its own."""
    pull = call.pull(number)
    review = _new_review(call, "", "COMMENTED", _commit(call, pull))
    made = _placed(call, pull, review, call.request.body)
    pull.reviews.append(review)
    pull.threads.append(made)
    return Answer(201, remark_shapes.line_comment(call.api, call.repository, pull, made))


def reply(call: Call, number: str, comment: str) -> Answer:
    """Only to the first comment of a thread."""
    pull = call.pull(number)
    first = next((one for one in pull.threads if one.id == int(comment)), None)
    if first is None or first.reply_to is not None:
        raise not_found()
    review = _new_review(call, "", "COMMENTED", first.commit)
    made = answer_thread(first, call.simulator.next_id(), review, call.text())
    pull.reviews.append(review)
    pull.threads.append(made)
    return Answer(201, remark_shapes.line_comment(call.api, call.repository, pull, made))


def answer_thread(first: LineComment, number: int, review: Review, body: str) -> LineComment:
    """A reply to `first`."""
    return LineComment(
        id=number,
        review=review.id,
        author=review.author,
        body=body,
        when=review.when,
        path=first.path,
        commit=first.commit,
        line=first.line,
        side=first.side,
        start_line=first.start_line,
        start_side=first.start_side,
        position=first.position,
        hunk=first.hunk,
        reply_to=first.id,
    )


def show_comment(call: Call, comment: str) -> Answer:
    pull, found = line_comment(call, comment)
    return Answer(200, remark_shapes.line_comment(call.api, call.repository, pull, found))


def line_comment(call: Call, comment: str) -> tuple[Pull, LineComment]:
    """The comment and its pull request."""
    for pull in tuple(call.repository.pulls.values()):
        for one in pull.threads:
            if one.id == int(comment):
                return pull, one
    raise not_found()


def unprocessable(error: str) -> Refused:
    """GitHub's refusal of a review; it never says which comment."""
    return Refused(422, "Unprocessable Entity", errors=[error])


def _commit(call: Call, pull: Pull) -> str:
    commit = call.field("commit_id") or call.repository.ends(pull)[1]
    if not call.repository.has_commit(pull, str(commit)):
        raise unprocessable("Commit is not part of the pull request")
    return str(commit)


def _new_review(call: Call, body: str, state: str, commit: str) -> Review:
    when = app_shapes.stamp(call.simulator.now())
    return Review(call.simulator.next_id(), call.author, body, state, commit, when)


def _review(pull: Pull, number: str) -> Review:
    found = next((one for one in pull.reviews if one.id == int(number)), None)
    if found is None:
        raise not_found()
    return found


def _listed(call: Call, pull: Pull, comments: list[LineComment]) -> Answer:
    items, headers = call.page(comments)
    shown = [remark_shapes.line_comment(call.api, call.repository, pull, one) for one in items]
    return Answer(200, shown, headers)


def _placed(call: Call, pull: Pull, review: Review, asked: dict[str, Any]) -> LineComment:
    body = asked.get("body")
    if not isinstance(body, str) or not body.strip():
        raise unprocessable("Body can't be blank")
    if len(body) > LONGEST_BODY:
        raise unprocessable(f"Body is too long (maximum is {LONGEST_BODY} characters)")
    files = {file.path: file for file in call.repository.files(pull, review.commit)}
    path, line, side = asked.get("path"), asked.get("line"), asked.get("side") or "RIGHT"
    if path not in files:
        raise unprocessable("Path could not be resolved")
    known = places(files[path])
    if not isinstance(line, int) or (side, line) not in known:
        raise unprocessable("Line could not be resolved")
    start_side = None
    if (start_line := asked.get("start_line")) is not None:
        start_side = asked.get("start_side") or side
        _check_start(known.get((start_side, start_line)), known[side, line])
    return LineComment(
        id=call.simulator.next_id(),
        review=review.id,
        author=review.author,
        body=body,
        when=review.when,
        path=path,
        commit=review.commit,
        line=line,
        side=side,
        start_line=start_line,
        start_side=start_side,
        position=known[side, line].position,
        hunk=known[side, line].excerpt,
    )


def _check_start(start: Place | None, end: Place) -> None:
    if start is None:
        raise unprocessable("Start line could not be resolved")
    if start.hunk != end.hunk:
        raise unprocessable(
            "Pull request review thread start line must be part of the same hunk as the line."
        )
    if start.position >= end.position:
        raise unprocessable("Pull request review thread start line must precede the end line.")


_READ, _WRITE = ("pull_requests:read",), ("pull_requests:write",)
ROUTES = (
    Route("GET", r"/pulls/(\d+)/reviews", _READ, list_reviews),
    Route("POST", r"/pulls/(\d+)/reviews", _WRITE, create_review),
    Route("GET", r"/pulls/(\d+)/reviews/(\d+)", _READ, show_review),
    Route("GET", r"/pulls/(\d+)/reviews/(\d+)/comments", _READ, comments_of_review),
    Route("GET", r"/pulls/(\d+)/comments", _READ, list_comments),
    Route("POST", r"/pulls/(\d+)/comments", _WRITE, create_comment),
    Route("POST", r"/pulls/(\d+)/comments/(\d+)/replies", _WRITE, reply),
    Route("GET", r"/pulls/comments/(\d+)", _READ, show_comment),
)

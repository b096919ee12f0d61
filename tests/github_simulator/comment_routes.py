"""Comments under a pull request, reactions, and who may what."""

from urllib.parse import unquote

from github_simulator import app_shapes, remark_shapes, shapes
from github_simulator.messages import Answer, Call, Refused, invalid, not_found
from github_simulator.records import Comment, LineComment, Reaction
from github_simulator.review_routes import line_comment
from github_simulator.routes import Route

#: What each role is in the old words.
_OLD_WORDS = {"maintain": "write", "triage": "read"}
_ROLES = ("read", "triage", "write", "maintain", "admin")


def list_comments(call: Call, number: str) -> Answer:
    items, headers = call.page(call.pull(number).comments)
    shown = [remark_shapes.comment(call.api, call.repository, one) for one in items]
    return Answer(200, shown, headers)


def list_all_comments(call: Call) -> Answer:
    """Of all pull requests; touched since then, in the asked order."""
    query, repository = call.request.query, call.repository
    shown = [
        remark_shapes.comment(call.api, repository, one)
        for pull in repository.pulls.values()
        for one in pull.comments
    ]
    wanted = [one for one in shown if one["updated_at"] >= query.get("since", "")]
    key = "updated_at" if query.get("sort") == "updated" else "created_at"
    wanted.sort(key=lambda one: (one[key], one["id"]), reverse=query.get("direction") == "desc")
    items, headers = call.page(wanted)
    return Answer(200, items, headers)


def create_comment(call: Call, number: str) -> Answer:
    pull = call.pull(number)
    made = Comment(
        id=call.simulator.next_id(),
        number=pull.number,
        author=call.author,
        body=call.text(),
        when=app_shapes.stamp(call.simulator.now()),
        app=call.caller.app,
    )
    pull.comments.append(made)
    return Answer(201, remark_shapes.comment(call.api, call.repository, made))


def show_comment(call: Call, comment: str) -> Answer:
    return Answer(200, remark_shapes.comment(call.api, call.repository, _comment(call, comment)))


def edit_comment(call: Call, comment: str) -> Answer:
    """Its own only: GitHub would let some edit others', which no reviewer should."""
    found = _comment(call, comment)
    if found.author != call.author:
        raise Refused(403, "Must have admin rights to Repository.")
    found.body = call.text()
    found.updated = app_shapes.stamp(call.simulator.now())
    return Answer(200, remark_shapes.comment(call.api, call.repository, found))


def _comment(call: Call, comment: str) -> Comment:
    for pull in tuple(call.repository.pulls.values()):
        for one in pull.comments:
            if one.id == int(comment):
                return one
    raise not_found()


def list_reactions(call: Call, comment: str) -> Answer:
    return _reactions(call, _comment(call, comment))


def list_line_reactions(call: Call, comment: str) -> Answer:
    return _reactions(call, line_comment(call, comment)[1])


def create_reaction(call: Call, comment: str) -> Answer:
    return _react(call, _comment(call, comment))


def create_line_reaction(call: Call, comment: str) -> Answer:
    return _react(call, line_comment(call, comment)[1])


def _reactions(call: Call, comment: Comment | LineComment) -> Answer:
    wanted = call.request.query.get("content")
    items, headers = call.page([one for one in comment.reactions if wanted in (None, one.content)])
    return Answer(200, [remark_shapes.reaction(call.api, one) for one in items], headers)


def _react(call: Call, comment: Comment | LineComment) -> Answer:
    """201; 200 for one that was there."""
    content = call.field("content")
    if content not in remark_shapes.CONTENTS:
        raise invalid("content is not a reaction")
    for one in comment.reactions:
        if (one.author, one.content) == (call.author, content):
            return Answer(200, remark_shapes.reaction(call.api, one))
    when = app_shapes.stamp(call.simulator.now())
    comment.reactions.append(Reaction(call.simulator.next_id(), call.author, content, when))
    return Answer(201, remark_shapes.reaction(call.api, comment.reactions[-1]))


def show_permission(call: Call, login: str) -> Answer:
    login = unquote(login)
    if login.endswith("[bot]"):
        raise Refused(404, f"{login} is not a user")
    repository = call.repository
    role = repository.collaborators.get(login, "none" if repository.private else "read")
    if login == repository.full_name.partition("/")[0]:
        role = "admin"
    rank = _ROLES.index(role) if role in _ROLES else -1
    names = {"pull": 0, "triage": 1, "push": 2, "maintain": 3, "admin": 4}
    person = {
        **shapes.user(call.api, login),
        "permissions": {name: rank >= needed for name, needed in names.items()},
        "role_name": role,
    }
    answer = {"permission": _OLD_WORDS.get(role, role), "role_name": role, "user": person}
    return Answer(200, answer)


_READ = ("issues:read", "pull_requests:read")
_WRITE = ("issues:write", "pull_requests:write")
_LINE = r"/pulls/comments/(\d+)/reactions"
_ISSUE = r"/issues/comments/(\d+)"
ROUTES = (
    Route("GET", r"/issues/(\d+)/comments", _READ, list_comments),
    Route("POST", r"/issues/(\d+)/comments", _WRITE, create_comment),
    Route("GET", r"/issues/comments", _READ, list_all_comments),
    Route("GET", _ISSUE, _READ, show_comment),
    Route("PATCH", _ISSUE, _WRITE, edit_comment),
    Route("GET", rf"{_ISSUE}/reactions", _READ, list_reactions),
    Route("POST", rf"{_ISSUE}/reactions", _WRITE, create_reaction),
    Route("GET", _LINE, ("pull_requests:read",), list_line_reactions),
    Route("POST", _LINE, ("pull_requests:write",), create_line_reaction),
    Route("GET", r"/collaborators/([^/]+)/permission", ("metadata:read",), show_permission),
)

"""A delivery from GitHub: is it genuine, and what does it want? No I/O."""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from reviewbot.publishing.commands import CALL, read_command
from reviewbot.service.intents import (
    CommandIntent,
    FeedbackIntent,
    InstallationIntent,
    Intent,
    Nothing,
    Ping,
    ReviewIntent,
)
from reviewbot.service.jobs import (
    AUTO,
    DRAFT,
    LOGIN,
    MAX_ID,
    MAX_NUMBER,
    REPOSITORY,
    SHA,
    CommentKind,
)
from reviewbot.service.payload import BadDelivery, Part

__all__ = [
    "BadDelivery",
    "CommandIntent",
    "FeedbackIntent",
    "InstallationIntent",
    "Intent",
    "Nothing",
    "Ping",
    "ReviewIntent",
    "is_read",
    "read_delivery",
    "verify",
]

#: The label that asks for a review; GitHub tells no labels apart by case.
LABEL = "reviewbot"

_SIGNATURE = re.compile(r"sha256=([0-9a-fA-F]{64})", re.ASCII)
#: How our check runs name their pull request, with whatever else after a full stop: GitHub leaves
#: it out for those from forks.
_EXTERNAL_ID = re.compile(
    rf"reviewbot:([1-9][0-9]{{0,9}}):({SHA.pattern})(?:\.[0-9a-f.]{{1,200}})?", re.ASCII
)
_READY = frozenset(("opened", "reopened", "synchronize", "ready_for_review"))
_INSTALLATION = frozenset(
    ("created", "deleted", "suspend", "unsuspend", "new_permissions_accepted", "added", "removed")
)


def verify(secret: bytes, body: bytes, header: str | None, *, older: Iterable[bytes] = ()) -> bool:
    """Did someone who knows the secret sign the body? `header` is X-Hub-Signature-256.

    `older` are secrets still good while a new one is taken into use. An empty secret signs nothing.
    How long it takes tells nothing of the right signature.
    """
    found = _SIGNATURE.fullmatch(header or "")
    if not found:
        return False
    given = bytes.fromhex(found[1])
    keys = [key for key in (secret, *older) if key]
    good = [hmac.compare_digest(hmac.digest(key, body, hashlib.sha256), given) for key in keys]
    return any(good)


def read_delivery(event: str, body: bytes) -> Intent:
    """What a delivery wants; `event` is X-GitHub-Event, which nobody signs.

    Lenient towards what is not needed. Raises BadDelivery, and nothing else, where something that
    is needed is missing or malformed.
    """
    read = _READERS.get(event)
    if read is None:
        return Nothing("this event is not used")
    return read(Part.from_body(body), body)


def is_read(event: str) -> bool:
    """Whether deliveries of this event are looked at."""
    return event in _READERS


_NO_COMMAND = Nothing("not a command")


class _Place(NamedTuple):
    installation: int
    repository: str
    repository_id: int

    @classmethod
    def of(cls, payload: Part) -> "_Place":
        repository = payload.part("repository")
        return cls(
            payload.part("installation").whole("id", MAX_ID),
            repository.text("full_name", REPOSITORY),
            repository.whole("id", MAX_ID),
        )


def _pull_request(payload: Part, body: bytes) -> Intent:
    action = payload.word("action")
    if action == "closed":
        return _ended(payload, body)
    labeled = action == "labeled" and _is_ours(payload.part("label"))
    rebased = action == "edited" and payload.has("changes") and payload.part("changes").has("base")
    if not (labeled or rebased or action in _READY):
        return Nothing("this action needs no review")
    pull = payload.part("pull_request")
    if pull.word("state") == "closed":
        return Nothing("the pull request is closed")
    head, draft = pull.part("head").text("sha", SHA), pull.flag("draft")
    automatic = DRAFT if draft else AUTO
    return ReviewIntent(
        *_Place.of(payload),
        number=pull.whole("number", MAX_NUMBER),
        head=head,
        base=pull.part("base").text("sha", SHA),
        request=f"label:{head}" if labeled else automatic,
        draft=draft,
        sender=_sender(payload),
        feedback=_ended(payload, body) if action == "reopened" else None,
    )


def _ended(payload: Part, body: bytes) -> FeedbackIntent:
    """It was closed, or is open again after all."""
    number = payload.part("pull_request").whole("number", MAX_NUMBER)
    return FeedbackIntent(*_Place.of(payload), number, "pull", _digest(body))


def _is_ours(label: Part) -> bool:
    return label.word("name").lower() == LABEL


def _check_run(payload: Part, body: bytes) -> Intent:
    if payload.word("action") != "rerequested":
        return Nothing("this action needs no review")
    run = payload.part("check_run")
    head = run.text("head_sha", SHA)
    pull = _pull_of(run, head)
    if pull is None:
        return Nothing("the check run belongs to no pull request")
    return ReviewIntent(
        *_Place.of(payload),
        number=pull[0],
        head=head,
        base=pull[1],
        request=f"check:{run.whole('id', MAX_ID)}:{_digest(body)}",
        draft=False,
        sender=_sender(payload),
    )


def _digest(body: bytes) -> str:
    """Of what the body says, not the delivery's id: that is not signed, so a replay could change
    it. However it is spelt: GitHub's log of deliveries gives the same content in other bytes."""
    try:
        text = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":"))
    except RecursionError as error:
        raise BadDelivery("the body is nested too deeply") from error
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _pull_of(run: Part, head: str) -> tuple[int, str] | None:
    """Number and base of the pull request that a check run is about."""
    named = _EXTERNAL_ID.fullmatch(run.word("external_id"))
    if named:
        return int(named[1]), named[2]
    for pull in run.parts("pull_requests"):
        if pull.part("head").text("sha", SHA) == head:
            return pull.whole("number", MAX_NUMBER), pull.part("base").text("sha", SHA)
    return None


def _issue_comment(payload: Part, _: bytes) -> Intent:
    if payload.word("action") != "created":
        return Nothing("only new comments are read")
    issue = payload.part("issue")
    if not issue.has("pull_request"):
        return Nothing("not on a pull request")
    return _command(payload, issue, "issue_comment")


def _review_comment(payload: Part, _: bytes) -> Intent:
    if payload.word("action") != "created":
        return Nothing("only new comments are read")
    found = _command(payload, payload.part("pull_request"), "review_comment")
    return _reply(payload) if found is _NO_COMMAND else found


def _reply(payload: Part) -> Intent:
    """What a person says in a thread; what that is stays behind."""
    comment = payload.part("comment")
    if not comment.has("in_reply_to_id"):
        return _NO_COMMAND
    by = _person(comment)
    if not by:
        return Nothing("not written by a person")
    return FeedbackIntent(
        *_Place.of(payload),
        number=payload.part("pull_request").whole("number", MAX_NUMBER),
        event="reply",
        key=str(comment.whole("id", MAX_ID)),
        comment_id=comment.whole("in_reply_to_id", MAX_ID),
        by=by,
        at=_moment(comment.word("created_at")),
    )


def _review_thread(payload: Part, body: bytes) -> Intent:
    action = payload.word("action")
    if action not in ("resolved", "unresolved"):
        return Nothing("this action says nothing of a finding")
    comments = payload.part("thread").parts("comments")
    if not comments or not comments[0].has("user"):
        return Nothing("nobody's thread")
    if comments[0].part("user").word("type") != "Bot":  # whether it is our own is looked up later
        return Nothing("not a thread of an App")
    by = _human(payload.part("sender")) if payload.has("sender") else ""
    if not by:
        return Nothing("not done by a person")
    return FeedbackIntent(
        *_Place.of(payload),
        number=payload.part("pull_request").whole("number", MAX_NUMBER),
        event="resolved" if action == "resolved" else "reopened",
        key=_digest(body),
        comment_id=comments[0].whole("id", MAX_ID),
        by=by,
        at=_moment(payload.word("updated_at")),
    )


def _moment(text: str) -> str:
    """A time in UTC; empty for anything else."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC).isoformat() if moment.tzinfo else ""
    except (ValueError, OverflowError):
        return ""


def _command(payload: Part, pull: Part, kind: CommentKind) -> Intent:
    comment = payload.part("comment")
    command = read_command(comment.word("body"))
    if command is None:
        return _NO_COMMAND
    author = _person(comment)
    if not author:
        return Nothing("not written by a person")
    reply = comment.has("in_reply_to_id")
    return CommandIntent(
        *_Place.of(payload),
        number=pull.whole("number", MAX_NUMBER),
        comment_id=comment.whole("id", MAX_ID),
        kind=kind,
        in_reply_to=comment.whole("in_reply_to_id", MAX_ID) if reply else None,
        author=author,
        text=f"{CALL} {command}",
    )


def _person(comment: Part) -> str:
    """Login of the human author; empty for Apps (ourselves among them) and deleted accounts."""
    if not comment.has("user") or comment.has("performed_via_github_app"):
        return ""
    return _human(comment.part("user"))


def _human(user: Part) -> str:
    """Login of a person; empty for a bot."""
    login = user.text("login", LOGIN)
    return login if user.word("type") == "User" and not login.endswith("[bot]") else ""


def _installation(payload: Part, _: bytes) -> Intent:
    action = payload.word("action")
    if action not in _INSTALLATION:
        return Nothing("this action changes nothing here")
    named = f"repositories_{action}" if action in ("added", "removed") else "repositories"
    ids = tuple(item.whole("id", MAX_ID) for item in payload.parts(named))
    return InstallationIntent(action, payload.part("installation").whole("id", MAX_ID), ids)


def _ping(_: Part, __: bytes) -> Intent:
    return Ping()


def _sender(payload: Part) -> str:
    login = payload.part("sender").word("login") if payload.has("sender") else ""
    return login if LOGIN.fullmatch(login) else ""


_READERS: dict[str, Callable[[Part, bytes], Intent]] = {
    "pull_request": _pull_request,
    "check_run": _check_run,
    "issue_comment": _issue_comment,
    "pull_request_review_comment": _review_comment,
    "pull_request_review_thread": _review_thread,
    "installation": _installation,
    "installation_repositories": _installation,
    "ping": _ping,
}

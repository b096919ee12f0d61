"""What service, Action and terminal do alike with a finished review of a pull request."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from reviewbot.config.policy import Policy
from reviewbot.github.calls import Calls, RateLimited, Unclear, id_of, wrote
from reviewbot.github.checks import Checks, Known
from reviewbot.github.client import not_github, plain_errors
from reviewbot.github.remarks import Remarks, read_remarks, wants_remarks
from reviewbot.github.reviews import ALONE, UNCLEAR_WAIT, Attempt, Published, publish
from reviewbot.publishing.comments import NOTHING_CARRIED, Carried, Publication, publication
from reviewbot.publishing.life import State
from reviewbot.publishing.links import pull_link
from reviewbot.publishing.marker import Marks
from reviewbot.publishing.result import Review

if TYPE_CHECKING:
    from github import Github

#: Longest time that `post_once` takes to post, seconds: secondary limits last minutes.
PATIENCE_SECONDS = 600.0
#: Most characters of a check's title.
_TITLE = 250


def post(
    client: "Github",
    review: Review,
    policy: Policy,
    marks: Marks,
    *,
    author: str,
    attempt: Attempt = ALONE,
    carried: Carried = NOTHING_CARRIED,
) -> Published:
    """Post it, or what is missing of it; only its check, if it was left alone. Never waits.

    `author` is the login that the client posts as. Raises GitHubError as `publish` does.
    """
    calls = Calls(client)
    if review.left_alone:
        made = publication(review, policy, marks)
        return _waiting(calls, lambda: _check_only(calls, made, review.left_alone, author, attempt))
    found: list[Remarks] = []

    def look() -> Published:
        found.append(_remarks(calls, review, marks, author))
        return Published("posted")

    looked = _waiting(calls, look)
    if looked.outcome == "wait":
        return looked
    [remarks] = found
    page = pull_link(review.change.repository or "", review.change.number, _api(client))
    links = {name: f"{page}#discussion_r{number}" for name, number in remarks.comments.items()}
    made = publication(
        review, policy, marks, carried, links=links if page else {}, replies=remarks.replies
    )
    done = publish(client, made, author=author, attempt=attempt)
    done = replace(done, requests=done.requests + calls.count, comments=remarks.comments)
    return done if done.moved else replace(done, inline=made.inline)


def post_once(
    client: "Github",
    review: Review,
    policy: Policy,
    marks: Marks,
    *,
    author: str,
    pause: Callable[[float, str], None],
    patience: float = PATIENCE_SECONDS,
    carried: Carried = NOTHING_CARRIED,
) -> Published:
    """Post a review for which nobody comes back, waiting as GitHub asks.

    What an earlier run for the same head posted stays as it is, though a model that is asked again
    says something else: `already`. `pause(seconds, why)` waits; what would take more than
    `patience` seconds ends as `wait`. Raises GitHubError as `post` does.
    """
    deadline = time.monotonic() + patience

    def patiently(attempt: Callable[[], Published]) -> Published:
        while True:
            done = attempt()
            seconds = done.wait_seconds or UNCLEAR_WAIT
            if done.outcome != "wait" or time.monotonic() + seconds > deadline:
                return done
            pause(seconds, "; ".join(done.problems))

    calls = Calls(client)
    made = publication(review, policy, marks)
    done = patiently(lambda: _waiting(calls, lambda: _look(calls, made, author)))
    if done.outcome != "posted":
        return done
    return patiently(lambda: post(client, review, policy, marks, author=author, carried=carried))


def login_of(client: "Github") -> str:
    """Whom the client posts as: a person, or `slug[bot]` with a token of an App or an Action.

    Takes one request: GraphQL knows both, REST's `/user` only persons. Raises SourceError.
    """
    requester = client.requester
    with plain_errors(client, "whose token it is"):
        _, answer = requester.requestJsonAndCheck(
            "POST", requester.graphql_url, input={"query": "query { viewer { login } }"}
        )
        with suppress(KeyError, TypeError):
            if login := answer["data"]["viewer"]["login"]:
                return str(login)
        raise ValueError(not_github(requester.hostname))


def _remarks(calls: Calls, review: Review, marks: Marks, author: str) -> Remarks:
    """Our comments that are there, where anything depends on them."""
    progress, change = review.progress, review.change
    lives = [life for life in progress.lives if life.state is not State.LAPSED]
    known = {life.id: life.comment_id for life in lives if life.comment_id is not None}
    if not wants_remarks(progress.open, progress.fixed):
        return Remarks(known, ())
    place = (change.repository or "", change.number or 0)
    return read_remarks(calls, *place, lives, progress.fixed, marks, author)


def _api(client: "Github") -> str:
    return str(client.requester.base_url)


def _look(calls: Calls, made: Publication, author: str) -> Published:
    """`already` where the summary of this very run is there, `posted` where it is to be."""
    path = f"/repos/{made.repository}/issues/{made.number}/comments"
    for comment in calls.each(path, "listing comments"):
        body = str(comment.get("body") or "")
        if wrote(comment, author) and made.marks.is_of_run(body):
            return Published("already", summary_id=id_of(comment, "the summary"))
    return Published("posted")


def _check_only(
    calls: Calls, made: Publication, why: str, author: str, attempt: Attempt
) -> Published:
    if made.check is None:
        return Published("already")
    check = replace(made.check, conclusion="neutral", title=f"Not reviewed: {why}"[:_TITLE])
    checks = Checks(calls, made.repository, author)
    known = None if attempt.first else checks.find(check.head, check.external_id)
    if known is None and attempt.check_id:
        known = Known(attempt.check_id)
    number, changed = checks.finish(check, known)
    return Published("posted" if changed else "already", check_id=number, requests=calls.count)


def _waiting(calls: Calls, attempt: Callable[[], Published]) -> Published:
    """What may work later, as data."""
    try:
        return attempt()
    except RateLimited as error:
        problem, seconds = str(error), error.seconds
    except Unclear as error:
        problem, seconds = str(error), UNCLEAR_WAIT
    return Published("wait", problems=(problem,), wait_seconds=seconds, requests=calls.count)

"""Post a review on a pull request: once, whole, and only on the head that it is about.

Every step may be repeated after a crash or an unclear answer: it looks for its own mark first. The
order is review, answers, summary, check; nothing is ever deleted, approved or asked to be changed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from reviewbot.errors import ReviewbotError
from reviewbot.github.calls import (
    Calls,
    Denied,
    GitHubError,
    RateLimited,
    Refused,
    Unclear,
    id_of,
    wrote,
)
from reviewbot.github.checks import Checks, Known
from reviewbot.publishing.comments import Publication, Reply
from reviewbot.publishing.notice import noticed

if TYPE_CHECKING:
    from github import Github

#: After an unclear answer: time for GitHub to show what it has done after all, seconds.
UNCLEAR_WAIT = 5.0

Ending = Literal["posted", "already", "superseded", "closed", "taken over", "wait"]


@dataclass(frozen=True)
class Published:
    """What became of a publication."""

    outcome: Ending
    """`already`: all of it was there; `superseded`: the head is another one, nothing was posted;
    `taken over`: somebody else posts it now; `wait`: publish again after `wait_seconds`, what is
    there will be found."""
    review_id: int | None = None
    summary_id: int | None = None
    check_id: int | None = None
    moved: int = 0
    """Findings that stand in a text since GitHub refused the comments on lines."""
    inline: tuple[int, ...] = ()
    """Positions of the review's findings that stand on lines."""
    comments: Mapping[str, int] = field(default_factory=dict)
    """Ids of our comments by the ids of earlier findings, as far as they are known."""
    problems: tuple[str, ...] = ()
    """Parts that GitHub does not let us post, or why to wait."""
    wait_seconds: float | None = None
    requests: int = 0


class Attempt(NamedTuple):
    """How this attempt to post stands to others."""

    check_id: int | None = None
    """The check run that was started for it."""
    first: bool = False
    """Nothing of it can be there yet: no look for a review or a check of our own."""
    ours: Callable[[], bool] = lambda: True
    """Whether nobody has begun to post it after us; asked before anything new is made."""


#: Nobody else may post the same at the same time.
ALONE = Attempt()


def publish(
    client: "Github", publication: Publication, *, author: str, attempt: Attempt = ALONE
) -> Published:
    """Post it, or what is missing of it; never waits.

    `author` is the login that the client posts as. Takes 4 or 5 requests the first time, 6 where
    it has to look, and one more for each answer. Raises GitHubError if GitHub lets us post nothing
    at all, or does not show the pull request.
    """
    run = _Run(Calls(client), publication, author, attempt)
    try:
        return run.all()
    except RateLimited as error:
        return run.result("wait", wait=error.seconds, problem=str(error))
    except Unclear as error:
        return run.result("wait", wait=UNCLEAR_WAIT, problem=str(error))
    except _TakenOverError as error:
        return run.result("taken over", problem=str(error))


class _TakenOverError(ReviewbotError):
    """Somebody else posts it now."""


class _Run:
    """One attempt, and how far it came."""

    def __init__(
        self, calls: Calls, publication: Publication, author: str, attempt: Attempt
    ) -> None:
        self._calls, self._what, self._author = calls, publication, author
        self._attempt = attempt
        self._pull = f"/repos/{publication.repository}/pulls/{publication.number}"
        self._issue = f"/repos/{publication.repository}/issues/{publication.number}"
        self._review_id: int | None = None
        self._summary_id: int | None = None
        self._check_id: int | None = None
        self._moved = 0
        self._wrote = False
        self._no_comments = False
        """Nobody has commented in the conversation."""
        self._errors: list[GitHubError] = []

    def result(self, outcome: Ending, *, wait: float | None = None, problem: str = "") -> Published:
        problems = [str(error) for error in self._errors] + ([problem] if problem else [])
        return Published(
            outcome,
            review_id=self._review_id,
            summary_id=self._summary_id,
            check_id=self._check_id,
            moved=self._moved,
            problems=tuple(problems),
            wait_seconds=wait,
            requests=self._calls.count,
        )

    def all(self) -> Published:
        if ended := self._ended():
            return self.result(ended)
        fresh = self._attempt.first
        if self._what.has_review:
            try:
                fresh = self._post_review() or fresh
            except (Denied, Refused) as error:
                if ended := self._ended():
                    return self.result(ended)
                self._moved = len(self._what.comments)
                self._errors.append(error)
        for reply in self._what.replies:
            self._tried(partial(self._answer, reply))
        self._tried(self._post_summary)
        self._tried(lambda: self._post_check(fresh=fresh))
        if self._errors and not any((self._review_id, self._summary_id, self._check_id)):
            raise self._errors[0]
        return self.result("posted" if self._wrote else "already")

    def _answer(self, reply: Reply) -> None:
        """Whoever made `replies` has looked that it is not there."""
        path = f"{self._pull}/comments/{reply.comment_id}/replies"
        self._made(path, "an answer to a comment", {"body": reply.body})
        self._wrote = True

    def _made(self, path: str, what: str, body: dict[str, Any]) -> int:
        """The id of something new. A worker that slept must not make what another has made."""
        if not self._attempt.ours():
            raise _TakenOverError("another worker goes on with it")
        return id_of(self._calls.post(path, what, body), what)

    def _tried(self, step: Callable[[], None]) -> None:
        """What GitHub does not let us do keeps the other parts from nobody."""
        try:
            step()
        except (Denied, Refused) as error:
            self._errors.append(error)

    def _ended(self) -> Literal["superseded", "closed"] | None:
        pull = self._calls.get(self._pull, "reading the pull request")
        head = pull.get("head")
        self._no_comments = pull.get("comments") == 0
        if pull.get("state") != "open":
            return "closed"
        current = head.get("sha") if isinstance(head, dict) else None
        return None if current == self._what.head else "superseded"

    def _post_review(self) -> bool:
        """Whether this attempt posted it."""
        if not self._attempt.first and self._find_review():
            return False
        try:
            self._review_id = self._posted_review()
        except Unclear:
            if not self._find_review():
                raise
        self._wrote = True
        return True

    def _posted_review(self) -> int:
        """With the comments; if GitHub refuses one it refuses all, and does not say which."""
        if self._what.comments:
            comments = [comment.to_json() for comment in self._what.comments]
            try:
                return self._post_texts(self._what.texts.review, comments)
            except Refused as error:
                if error.status != 422:
                    raise
                self._moved = len(comments)
            return self._post_texts(self._what.moved.review, [])
        return self._post_texts(self._what.texts.review, [])

    def _post_texts(self, body: str, comments: list[dict[str, Any]]) -> int:
        review: dict[str, Any] = {"commit_id": self._what.head, "event": "COMMENT", "body": body}
        if comments:
            review["comments"] = comments
        return self._made(f"{self._pull}/reviews", "a review", review)

    def _find_review(self) -> bool:
        marks = self._what.marks
        for review in self._calls.each(f"{self._pull}/reviews", "listing reviews"):
            if not wrote(review, self._author):
                continue
            body = str(review.get("body") or "")
            moved = marks.is_own(body, "moved")
            if moved or marks.is_own(body, "review"):
                self._review_id = id_of(review, "a review")
                self._moved = len(self._what.comments) if moved else 0
                return True
        return False

    def _post_summary(self) -> None:
        texts = self._what.moved if self._moved else self._what.texts
        if texts.summary is None:
            return
        nothing = self._attempt.first and self._no_comments
        there = None if nothing else self._find_summary()
        if there is not None:
            summary = noticed(there, texts.summary) if self._what.notice else texts.summary
            if _squeezed(there) != _squeezed(summary):
                path = f"/repos/{self._what.repository}/issues/comments/{self._summary_id}"
                self._calls.patch(path, "the summary", {"body": summary})
                self._wrote = True
            return
        body = {"body": texts.summary}
        try:
            self._summary_id = self._made(f"{self._issue}/comments", "the summary", body)
        except Unclear:
            if self._find_summary() is None:
                raise
        self._wrote = True

    def _find_summary(self) -> str | None:
        """The text of the summary that is there."""
        for comment in self._calls.each(f"{self._issue}/comments", "listing comments"):
            body = str(comment.get("body") or "")
            if wrote(comment, self._author) and self._what.marks.is_own(body, "summary"):
                self._summary_id = id_of(comment, "the summary")
                return body
        return None

    def _post_check(self, *, fresh: bool) -> None:
        """Looks for the run of an earlier attempt, which a review posted just now rules out."""
        check = self._what.check
        if check is None:
            return
        checks = Checks(self._calls, self._what.repository, self._author)
        known = Known(self._attempt.check_id) if self._attempt.check_id else None
        if not fresh:
            known = checks.find(check.head, check.external_id) or known
        self._check_id, changed = checks.finish(check, known)
        self._wrote = self._wrote or changed


def _squeezed(body: str) -> str:
    """GitHub may store line ends in its own way."""
    return body.replace("\r\n", "\n").strip()

"""Do what a comment asks for: `/reviewbot review`, `why`, `dismiss` and the others.

Each command may run again after a crash. Reactions stand once whatever happens; a command with our
🚀 or 😕 is done; an answer carries a mark by which it is found again. Who has no write access is
not answered at all.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from reviewbot.costs.budget import Payer
from reviewbot.github.app import GitHubApp
from reviewbot.github.calls import Calls, Denied, RateLimited, Refused, Unclear, wrote
from reviewbot.github.reviews import UNCLEAR_WAIT
from reviewbot.github.threads import (
    DONE,
    FAILED,
    SEEN,
    CommentRef,
    Reaction,
    permission,
    react,
    read_comment,
    reply,
    say,
)
from reviewbot.publishing.commands import CALL, Command, help_text
from reviewbot.publishing.feedback import FeedbackKind
from reviewbot.publishing.marker import Marks, Scope
from reviewbot.service.command_texts import cost_text, why_text
from reviewbot.service.durable import HostBusy
from reviewbot.service.jobs import SHA, CommandJob, JobQueue, QueueUnavailable, ReviewJob
from reviewbot.store.feedback import Entry, PullPlace
from reviewbot.store.pulls import PullStore

if TYPE_CHECKING:
    from github import Github

_GONE = (404, 410)
_HINT = f"`{CALL} dismiss` works as a reply to one of my comments on a line, and on no other."


class _Said(NamedTuple):
    """How a command ended."""

    text: str = ""
    """The answer; none where a reaction is enough."""
    failed: bool = False
    facts: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Commands:
    """Runs commands of one App; safe to use from several threads."""

    app: GitHubApp
    store: PullStore
    queue: JobQueue
    marker_key: bytes = field(repr=False)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def run(self, job: CommandJob) -> dict[str, Any]:
        """Do it unless it is done, and say as JSON what was done.

        `{"done": …}`; `{"failed": …}` with 😕 and, if GitHub lets us, a hint on the pull request;
        `{"already": …}` for one that ended before; `{"ignored": reason}` where nothing was done.
        Raises HostBusy where trying again may help, and StoreError.
        """
        try:
            command = Command(job.command)
        except ValueError:
            return {"ignored": "an unknown command"}
        try:
            with _busy(), self.app.client(job.installation, job.repository_id) as client:
                marks = Marks(self.marker_key, _scope(job))
                try:
                    return _Run(self, client, job, marks).all(command)
                except Denied as error:
                    if error.status != 401:
                        raise
                    self.app.forget(job.installation, job.repository_id)
                    raise HostBusy("GitHub takes the token no more") from None
        except (Denied, Refused) as error:
            return {"ignored": str(error)}


@dataclass(frozen=True)
class _Run:
    """One attempt."""

    commands: Commands
    client: "Github"
    job: CommandJob
    marks: Marks

    def all(self, command: Command) -> dict[str, Any]:
        job = self.job
        if not permission(self.client, job.repository, job.author):
            return {"ignored": "no write permission"}
        try:
            if ended := self._ended():
                return {"already": ended}
            react(self.client, self._comment, SEEN)
        except Denied as error:
            if error.status in _GONE:
                return {"ignored": "the comment is gone"}
            raise
        try:
            said = self._do(command)
            if said.text:
                self._answer(said.text)
        except (Denied, Refused) as error:
            said = _Said(failed=True, facts={"reason": str(error)})
        self._end(FAILED if said.failed else DONE)
        return {"failed" if said.failed else "done": command.value, **said.facts}

    @property
    def _comment(self) -> CommentRef:
        return CommentRef(self.job.repository, self.job.comment_id, self.job.kind)

    def _ended(self) -> str:
        """`rocket` or `confused` if an earlier attempt came to its end."""
        path, author = f"{self._comment.path}/reactions", self.commands.app.login
        for reaction in Calls(self.client).each(path, "listing reactions"):
            if wrote(reaction, author) and reaction.get("content") in (DONE, FAILED):
                return str(reaction["content"])
        return ""

    def _end(self, reaction: Reaction) -> None:
        try:
            react(self.client, self._comment, reaction)
        except Denied as error:  # deleted just now: what it asked for is done
            if error.status not in _GONE:
                raise

    def _do(self, command: Command) -> _Said:
        job, store = self.job, self.commands.store
        if command.asks_review:
            return self._review(command)
        match command:
            case Command.WHY:
                return _Said(why_text(store.newest_review(*self._place)))
            case Command.COST:
                review = store.newest_review(*self._place)
                payer = Payer(job.repository, job.repository_id, job.number)
                spending = store.spending(payer, self.commands.now())
                return _Said(cost_text(review, store.pull_calls(*self._place), spending))
            case Command.DISMISS:
                return self._dismiss()
            case Command.PAUSE:
                now = self.commands.now()
                store.pause(job.repository_id, job.number, by=job.author, at=now)
                return _Said()
            case Command.RESUME:
                store.resume(job.repository_id, job.number)
                return _Said()
            case _:
                return _Said(help_text())

    @property
    def _place(self) -> tuple[int, int, int]:
        return self.job.installation, self.job.repository_id, self.job.number

    def _review(self, command: Command) -> _Said:
        job = self.job
        path = f"/repos/{job.repository}/pulls/{job.number}"
        try:
            pull = Calls(self.client).get(path, "reading the pull request")
        except Denied as error:
            if error.status not in _GONE:
                raise
            return _Said("There is no such pull request any more.", failed=True)
        if pull.get("state") != "open":
            return _Said("This pull request is closed: there is nothing to review.", failed=True)
        wanted = ReviewJob(
            installation=job.installation,
            repository=job.repository,
            repository_id=job.repository_id,
            number=job.number,
            head=_sha(pull, "head"),
            base=_sha(pull, "base"),
            request=job.request,
            tier=command.tier,
        )
        try:
            return _Said(facts={"job": self.commands.queue.enqueue_review(wanted)})
        except QueueUnavailable as error:
            raise HostBusy(str(error)) from error

    def _dismiss(self) -> _Said:
        job = self.job
        found = self._finding()
        if found is None:
            return _Said(_HINT, failed=True)
        now, store = self.commands.now(), self.commands.store
        fingerprint, review = found
        store.dismiss(job.repository_id, job.number, fingerprint, by=job.author, at=now)
        key = f"dismissed:{job.comment_id}"
        store.add_feedback(
            [
                Entry(each.id, FeedbackKind.DISMISSED, job.author, now, key)
                for each in store.pull_findings(PullPlace(*self._place))
                if (each.github_review, each.fingerprint) == (review, fingerprint)
                and each.comment_id in (None, job.in_reply_to)
            ]
        )
        return _Said(facts={"fingerprint": fingerprint})

    def _finding(self) -> tuple[str, int | None] | None:
        """The finding whose thread the comment is in, and GitHub's id of the review that it is of;
        None unless we began the thread, with a mark of ours for this pull request."""
        job = self.job
        if job.kind != "review_comment" or job.in_reply_to is None:
            return None
        first = CommentRef(job.repository, job.in_reply_to, "review_comment")
        try:
            comment = read_comment(self.client, first)
        except Denied as error:
            if error.status not in _GONE:
                raise
            return None
        if comment.author.casefold() != self.commands.app.login.casefold():
            return None
        found = self.marks.fingerprint_in(comment.body)
        return (found, comment.review_id) if found and len(found) == 16 else None

    def _answer(self, text: str) -> None:
        """Where it was asked, once."""
        job, client = self.job, self.client
        in_thread = job.kind == "review_comment"
        area = "pulls" if in_thread else "issues"
        path = f"/repos/{job.repository}/{area}/{job.number}/comments"
        author = self.commands.app.login
        for comment in Calls(client).each(path, "listing comments"):
            if wrote(comment, author) and self.marks.is_own(str(comment.get("body")), "review"):
                return
        body = f"{text.rstrip()}\n\n{self.marks.mark('review')}"
        if in_thread:
            reply(client, job.repository, job.number, job.in_reply_to or job.comment_id, body)
        else:
            say(client, job.repository, job.number, body)


def _scope(job: CommandJob) -> Scope:
    """An answer's own: no review has a scope without commits."""
    return Scope(job.installation, str(job.repository_id), job.number, "", "", job.request)


def _sha(pull: Mapping[str, Any], end: str) -> str:
    found = pull.get(end)
    sha = found.get("sha") if isinstance(found, dict) else None
    if not isinstance(sha, str) or not SHA.fullmatch(sha):
        raise Unclear("GitHub's answer makes no sense: reading the pull request")
    return sha


@contextmanager
def _busy() -> Iterator[None]:
    """What may work later, as the jobs know it."""
    try:
        yield
    except RateLimited as error:
        raise HostBusy(str(error), error.seconds) from error
    except Unclear as error:
        raise HostBusy(str(error), UNCLEAR_WAIT) from error

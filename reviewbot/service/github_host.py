"""The pull requests' host as the durable jobs see it: GitHub, one repository's token at a time."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from reviewbot.change.source import Fetched
from reviewbot.config.policy import Policy
from reviewbot.github.app import PERMISSIONS, GitHubApp
from reviewbot.github.calls import Calls, Denied, GitHubError, RateLimited, Refused, Unclear
from reviewbot.github.checks import Checks, Known, retitle_check, start_check
from reviewbot.github.client import SourceBusy
from reviewbot.github.posting import post
from reviewbot.github.pulls import read_pull
from reviewbot.github.resolving import RESOLVING, resolve_threads
from reviewbot.github.reviews import Attempt, Published, publish
from reviewbot.github.threads import FAILED, CommentRef, react
from reviewbot.publishing.marker import Marks, Scope
from reviewbot.publishing.notice import READING, WAITING, Place, ended_check, failure_notice
from reviewbot.publishing.result import Review
from reviewbot.service.durable import Failure, HeadMoved, HostBusy
from reviewbot.service.jobs import (
    AUTO,
    DRAFT,
    CommandJob,
    FeedbackJob,
    ReportJob,
    ReviewJob,
    job_id,
)

if TYPE_CHECKING:
    from github import Github

#: Wait after an answer that says nothing, seconds.
UNCLEAR_SECONDS = 5.0

log = logging.getLogger(__name__)

OpenClient = Callable[[], AbstractContextManager["Github"]]
Report = Callable[[ReportJob, Callable[[], bool]], Mapping[str, Any]]
Collect = Callable[[FeedbackJob, OpenClient], Mapping[str, Any]]


@dataclass(frozen=True)
class GitHubHost:
    """Reads and posts as the App. Safe to use from several threads."""

    app: GitHubApp
    marker_key: bytes = field(repr=False)
    policy_of: Callable[[Fetched], Policy]
    """The policy that holds for a pull request."""
    is_paused: Callable[[int, int], bool]
    """(repository id, number) → people want no automatic review."""
    commands: Callable[[CommandJob], Mapping[str, Any]]
    reports: Report
    """Posts a month's report as an issue."""
    collect: Collect
    """Writes down what people made of findings; opens a client if it must."""
    resolves_threads: bool = False
    """The threads of findings that a push has fixed are resolved."""
    _policies: dict[str, Policy] = field(default_factory=dict, repr=False)
    """Of jobs between fetch and their end; all run in one process, again after a crash."""
    _facts: dict[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    """What `newest` was told of a pull request, for the `fetch` that follows."""

    def newest(self, job: ReviewJob) -> ReviewJob | None:
        """The job that the pull request is worth now."""
        if self._paused(job):
            return None
        with self._client(job) as client:
            path = f"/repos/{job.repository}/pulls/{job.number}"
            pull = Calls(client).get(path, "reading the pull request")
        if pull.get("state") != "open":
            return None
        head, base, draft = _sha(pull, "head"), _sha(pull, "base"), bool(pull.get("draft"))
        other = job.same_request == (AUTO if draft else DRAFT)
        if head == job.head and not other:
            self._facts[job_id(job)] = pull
            return replace(job, base=base)
        request = DRAFT if draft else AUTO
        return replace(job, head=head, base=base, request=request, tier=None)

    def fetch(self, job: ReviewJob, also: Collection[str] = ()) -> Fetched:
        """The change as it is now, and the texts of `also`. Raises HeadMoved if its head is not
        the job's any more."""
        owner, _, name = job.repository.partition("/")
        facts = self._facts.pop(job_id(job), None)
        with self._client(job) as client:
            fetched = read_pull(client, owner, name, job.number, facts=facts, also=also)
        if fetched.change.head != job.head:
            raise HeadMoved("the pull request got another head while it was read")
        self._policies[job_id(job)] = self.policy_of(fetched)
        return fetched

    def begin(self, job: ReviewJob, *, first: bool) -> int | None:
        """A check run in progress, if the policy and GitHub allow any."""
        policy = self._policies.get(job_id(job))
        if policy and not policy.publish.check:
            return None
        try:
            with self._client(job) as client:
                return start_check(
                    client,
                    job.repository,
                    job.head,
                    external_id=self._marks(job).external_id(),
                    title=READING,
                    author=self.app.login,
                    first=first,
                )
        except (Denied, Refused):
            return None

    def waiting(self, job: ReviewJob, check_id: int) -> None:
        """Says so in the check run, or not at all."""
        with suppress(GitHubError, HostBusy), self._client(job) as client:
            retitle_check(client, job.repository, check_id, WAITING)

    def publish(self, job: ReviewJob, review: Review, attempt: Attempt) -> Mapping[str, Any]:
        """Post the review, or what is missing of it. Raises HostBusy to be called again."""
        if self._paused(job):
            return {}
        policy = self._policies.get(job_id(job), Policy())
        marks = self._marks(job)
        with self._client(job) as client:
            done = post(client, review, policy, marks, author=self.app.login, attempt=attempt)
        posted = self._as_json(done)
        if posted and self.resolves_threads:
            posted["problems"] += self._resolved(job, review, done)
        return posted

    def _resolved(self, job: ReviewJob, review: Review, done: Published) -> list[str]:
        """Resolve the threads of what is fixed; why not, where GitHub does not let us."""
        fixed, known = review.progress.fixed, done.comments
        comments = {known[life.id] for life in fixed if life.id in known}
        if not comments:
            return []
        try:
            with self._client(job, RESOLVING) as client:
                resolve_threads(client, job.repository, job.number, comments)
        except (Denied, Refused) as error:
            log.warning(
                "threads of %s#%s are not resolved: %s; the App needs contents: write for it",
                job.repository, job.number, error,
            )  # fmt: skip
            return [str(error)]
        return []

    def publish_failure(
        self, job: ReviewJob, failure: Failure, attempt: Attempt
    ) -> Mapping[str, Any]:
        """Say on the pull request that there is no review, and the id that leads to the log."""
        made = failure_notice(_place(job), self._marks(job), failure.review_id)
        with self._client(job) as client:
            done = publish(client, made, author=self.app.login, attempt=attempt)
        return self._as_json(done)

    def end(self, job: ReviewJob, check_id: int | None, why: str) -> None:
        """The check run of a head that is not worth a review any more."""
        if check_id is None:
            return
        check = ended_check(_place(job), self._marks(job), why)
        with suppress(Denied, Refused), self._client(job) as client:
            Checks(Calls(client), job.repository, self.app.login).finish(check, Known(check_id))

    def finished(self, job: ReviewJob) -> None:
        """Nothing is kept of a job that ended."""
        self._policies.pop(job_id(job), None)
        self._facts.pop(job_id(job), None)

    def command(self, job: CommandJob) -> Mapping[str, Any]:
        """Do what a comment asks for."""
        with _patience():
            return self.commands(job)

    def report(self, job: ReportJob, ours: Callable[[], bool]) -> Mapping[str, Any]:
        """Post a month's report as an issue, or edit that."""
        with _patience():
            return self.reports(job, ours)

    def feedback(self, job: FeedbackJob) -> Mapping[str, Any]:
        """Write down what people made of findings."""
        return self.collect(job, lambda: self._client(job))

    def command_failed(self, job: CommandJob) -> bool:
        """😕 at the comment."""
        comment = CommentRef(job.repository, job.comment_id, job.kind)
        with suppress(GitHubError, HostBusy), self._client(job) as client:
            react(client, comment, FAILED)
            return True
        return False

    def _paused(self, job: ReviewJob) -> bool:
        return job.automatic and self.is_paused(job.repository_id, job.number)

    def _marks(self, job: ReviewJob) -> Marks:
        return Marks(
            self.marker_key,
            Scope(
                job.installation,
                str(job.repository_id),
                job.number,
                job.head,
                job.base,
                job.request,
            ),
        )

    def _as_json(self, done: Published) -> dict[str, Any]:
        """Nothing, where nothing is to be posted any more. Raises HostBusy."""
        if done.outcome == "wait":
            raise HostBusy("; ".join(done.problems), done.wait_seconds or UNCLEAR_SECONDS)
        if done.outcome in ("superseded", "closed", "taken over"):
            return {}
        return {
            "outcome": done.outcome,
            "review_id": done.review_id,
            "summary_id": done.summary_id,
            "check_id": done.check_id,
            "moved": done.moved,
            "inline": list(done.inline),
            "comments": dict(done.comments),
            "problems": list(done.problems),
        }

    @contextmanager
    def _client(
        self,
        job: ReviewJob | CommandJob | FeedbackJob,
        permissions: Mapping[str, str] = PERMISSIONS,
    ) -> "Iterator[Github]":
        """A client for the job's repository alone."""
        with _patience(), self._opened(job, permissions) as client:
            try:
                yield client
            except Denied as error:
                if error.status != 401:
                    raise
                self.app.forget(job.installation, job.repository_id)
                raise HostBusy("GitHub takes the token no more", UNCLEAR_SECONDS) from None

    def _opened(
        self, job: ReviewJob | CommandJob | FeedbackJob, permissions: Mapping[str, str]
    ) -> "Github":
        """Raises HostBusy where GitHub does not take what the App signs: it does not if our clock
        is wrong, and does again when that is set right."""
        try:
            return self.app.client(job.installation, job.repository_id, permissions)
        except Denied as error:
            if error.status != 401:
                raise
            log.warning("GitHub does not take the App's signature (401): is this clock right?")
            raise HostBusy(str(error), UNCLEAR_SECONDS) from None


@contextmanager
def _patience() -> Iterator[None]:
    """What may work later is worth waiting for."""
    try:
        yield
    except RateLimited as error:
        raise HostBusy(str(error), error.seconds) from None
    except SourceBusy as error:
        raise HostBusy(str(error), error.seconds) from None
    except Unclear as error:
        raise HostBusy(str(error), UNCLEAR_SECONDS) from None


def _sha(pull: Mapping[str, Any], side: str) -> str:
    found = pull.get(side)
    sha = found.get("sha") if isinstance(found, dict) else None
    if not isinstance(sha, str):
        raise GitHubError("GitHub's answer makes no sense: reading the pull request")
    return sha


def _place(job: ReviewJob) -> Place:
    return Place(job.repository, job.number, job.head)

"""The pull requests' host as the durable jobs see it: GitHub, one repository's token at a time."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from reviewbot.change.source import Fetched
from reviewbot.config.policy import Policy
from reviewbot.errors import SourceError
from reviewbot.github.app import GitHubApp
from reviewbot.github.calls import Calls, GitHubError, RateLimited, Unclear
from reviewbot.github.checks import Checks
from reviewbot.github.pulls import read_pull
from reviewbot.github.reviews import Published, publish
from reviewbot.publishing.check_run import CheckRun
from reviewbot.publishing.comments import Publication, Texts, publication
from reviewbot.publishing.marker import Marks, Scope
from reviewbot.publishing.result import Review
from reviewbot.service.durable import Failure, HostBusy
from reviewbot.service.jobs import AUTO, DRAFT, CommandJob, ReviewJob, job_id

if TYPE_CHECKING:
    from github import Github

#: Wait after an answer that says nothing, seconds.
UNCLEAR_SECONDS = 5.0


@dataclass(frozen=True)
class GitHubHost:
    """Reads and posts as the App. Safe to use from several threads."""

    app: GitHubApp
    marker_key: bytes = field(repr=False)
    policy_of: Callable[[Fetched], Policy]
    """The policy that holds for a pull request; raises DocumentError."""
    is_paused: Callable[[int, int], bool]
    """(repository id, number) → people want no automatic review."""
    commands: Callable[[CommandJob], Mapping[str, Any]]
    _policies: dict[str, Policy] = field(default_factory=dict, repr=False)
    """Of jobs between fetch and publish; both run in one process, again after a crash."""

    def newest(self, job: ReviewJob) -> ReviewJob | None:
        """The job that the pull request is worth now."""
        if job.automatic and self.is_paused(job.repository_id, job.number):
            return None
        with self._client(job) as client:
            path = f"/repos/{job.repository}/pulls/{job.number}"
            pull = Calls(client).get(path, "reading the pull request")
        if pull.get("state") != "open":
            return None
        head, base, draft = _sha(pull, "head"), _sha(pull, "base"), bool(pull.get("draft"))
        ready = job.request == DRAFT and not draft
        if head == job.head and not ready:
            return job
        request = DRAFT if draft else AUTO
        return replace(job, head=head, base=base, request=request, tier=None)

    def fetch(self, job: ReviewJob) -> Fetched:
        """The change as it is now. Raises SourceError if its head is not the job's any more."""
        owner, _, name = job.repository.partition("/")
        with self._client(job) as client:
            fetched = read_pull(client, owner, name, job.number)
        if fetched.change.head != job.head:
            raise SourceError("the pull request got another head while it was read")
        self._policies[job_id(job)] = self.policy_of(fetched)
        return fetched

    def publish(self, job: ReviewJob, review: Review) -> Mapping[str, Any]:
        """Post the review, or what is missing of it. Raises HostBusy to be called again."""
        policy = self._policies.get(job_id(job), Policy())
        made = publication(review, policy, self._marks(job))
        if review.left_alone:
            return self._check_only(job, made, review.left_alone)
        posted = self._posted(job, made)
        self._policies.pop(job_id(job), None)
        return posted

    def publish_failure(self, job: ReviewJob, failure: Failure) -> Mapping[str, Any]:
        """Say on the pull request that there is no review, and the id that leads to the log."""
        marks = self._marks(job)
        text = (
            "## reviewbot: the review failed\n\n"
            f"Nothing was reviewed. Id for whoever runs reviewbot: `{failure.review_id}`.\n\n"
            "`/reviewbot review` tries again."
        )
        check = CheckRun(
            head=job.head,
            external_id=marks.external_id(),
            conclusion="neutral",
            title="The review failed",
            summary=text,
        )
        texts = Texts(review="", summary=f"{text}\n\n{marks.mark('summary')}")
        made = Publication(job.repository, job.number, job.head, marks, (), texts, texts, check)
        return self._posted(job, made)

    def command(self, job: CommandJob) -> Mapping[str, Any]:
        """Do what a comment asks for."""
        with _patience():
            return self.commands(job)

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

    def _posted(self, job: ReviewJob, made: Publication) -> dict[str, Any]:
        with self._client(job) as client:
            done = publish(client, made, author=self.app.login)
        if done.outcome == "wait":
            raise HostBusy("; ".join(done.problems), done.wait_seconds or UNCLEAR_SECONDS)
        return _as_json(done)

    def _check_only(self, job: ReviewJob, made: Publication, why: str) -> dict[str, Any]:
        if made.check is None:
            return {"outcome": "left alone"}
        check = replace(made.check, conclusion="neutral", title=f"Not reviewed: {why}"[:250])
        with self._client(job) as client:
            checks = Checks(Calls(client), job.repository, self.app.login)
            known = checks.find(check.head, check.external_id)
            check_id, _ = checks.finish(check, known)
        return {"outcome": "left alone", "check_id": check_id}

    @contextmanager
    def _client(self, job: ReviewJob) -> "Iterator[Github]":
        """A client for the job's repository alone."""
        with _patience(), self.app.client(job.installation, job.repository_id) as client:
            yield client


@contextmanager
def _patience() -> Iterator[None]:
    """What may work later is worth waiting for."""
    try:
        yield
    except RateLimited as error:
        raise HostBusy(str(error), error.seconds) from None
    except Unclear as error:
        raise HostBusy(str(error), UNCLEAR_SECONDS) from None


def _sha(pull: Mapping[str, Any], side: str) -> str:
    found = pull.get(side)
    sha = found.get("sha") if isinstance(found, dict) else None
    if not isinstance(sha, str):
        raise GitHubError("GitHub's answer makes no sense: reading the pull request")
    return sha


def _as_json(done: Published) -> dict[str, Any]:
    return {
        "outcome": done.outcome,
        "review_id": done.review_id,
        "summary_id": done.summary_id,
        "check_id": done.check_id,
        "moved": done.moved,
        "problems": list(done.problems),
    }

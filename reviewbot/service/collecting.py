"""Collect what people made of our findings: in threads as it happens, the rest at the end.

Reactions have no webhook, and whether flagged code was changed shows only in what was merged: both
are read once, when the pull request is closed. All of it may run again: each thing that somebody
did has a key of its own, and is written once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from reviewbot.github.app import GitHubApp
from reviewbot.github.conversations import Conversation, OwnThread, read_conversation
from reviewbot.publishing.feedback import FeedbackKind
from reviewbot.publishing.marker import Marks, Scope
from reviewbot.service.fates import fates
from reviewbot.service.github_host import OpenClient
from reviewbot.service.jobs import FeedbackJob
from reviewbot.store.feedback import Entry, FeedbackStore, KnownFinding, PullPlace
from reviewbot.store.posted import Posting

if TYPE_CHECKING:
    from github import Github

_KINDS = {
    "reply": FeedbackKind.REPLY,
    "resolved": FeedbackKind.RESOLVED,
    "reopened": FeedbackKind.REOPENED,
}


@dataclass(frozen=True)
class Collector:
    """Writes feedback for one App; safe to use from several threads."""

    app: GitHubApp
    store: FeedbackStore
    marker_key: bytes = field(repr=False)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def run(self, job: FeedbackJob, open_client: OpenClient) -> dict[str, Any]:
        """Write down what the job is about: `{"written": rows}`, or `{"ignored": why}`.

        A client is opened only if GitHub must be asked: never for a pull request without findings
        of ours. Raises GitHubError, HostBusy where trying again may help, and StoreError.
        """
        place = PullPlace(job.installation, job.repository_id, job.number)
        findings = self.store.pull_findings(place)
        run = _Run(self, job, place)
        if job.event != "pull":
            return run.thread(findings, open_client)
        if not findings and not self.store.unposted_reviews(place):
            return {"ignored": "nothing of ours was published there"}
        with open_client() as client:
            return run.pull(client)


@dataclass(frozen=True)
class _Run:
    """One attempt at one job."""

    collector: Collector
    job: FeedbackJob
    place: PullPlace

    def thread(self, findings: Sequence[KnownFinding], open_client: OpenClient) -> dict[str, Any]:
        """Something that a person did in a thread; GitHub is asked which comment is which finding
        only once after each review."""
        job = self.job
        found = _on(findings, job.comment_id)
        if found is None and any(each.inline and each.comment_id is None for each in findings):
            with open_client() as client:
                findings = self._learned(findings, self._read(client))
            found = _on(findings, job.comment_id)
        if found is None:
            return {"ignored": "not below a finding of ours"}
        at = datetime.fromisoformat(job.at) if job.at else self.collector.now()
        entry = Entry(found.id, _KINDS[job.event], job.by, at, f"{job.event}:{job.key}")
        return {"written": self.collector.store.add_feedback([entry])}

    def pull(self, client: "Github") -> dict[str, Any]:
        """All that a pull request shows, once it is closed; how it ended."""
        store, seen = self.collector.store, self._read(client)
        if seen.ended_at is None:
            store.reopen_pull(self.place)
            return {"written": 0}
        store.end_pull(self.place, at=seen.ended_at, merged=seen.state == "merged")
        self._adopt(seen)
        findings = self._learned(store.pull_findings(self.place), seen)
        written = store.add_feedback(list(_said(findings, seen, seen.ended_at)))
        if seen.state == "merged":
            told = fates(client, self.job.repository, findings, seen.head)
            ends = [Entry(each.id, kind, "", seen.ended_at, "fate") for each, kind in told]
            written += store.add_feedback(ends)
        return {"written": written}

    def _read(self, client: "Github") -> Conversation:
        job = self.job
        return read_conversation(
            client, job.repository, job.number, author=self.collector.app.login
        )

    def _learned(
        self, findings: Sequence[KnownFinding], seen: Conversation
    ) -> Sequence[KnownFinding]:
        """The findings with the ids of their comments, as the hidden marks tell them."""
        known = {each.comment_id for each in findings}
        news: dict[str, int] = {}
        for thread, mark in self._marked(seen):
            if thread.comment_id not in known:
                mine = [each for each in findings if _is_of(each, thread, mark, news)]
                if mine:  # of twins the one on its line
                    best = min(mine, key=lambda each: (each.line != thread.line, each.id))
                    news[best.id] = thread.comment_id
        if not news:
            return findings
        self.collector.store.learn_comments(news)
        return self.collector.store.pull_findings(self.place)

    def _adopt(self, seen: Conversation) -> None:
        """Write down what a worker posted that ended before it could, and to whose job nobody came
        back: the pull request had another head by then, or was closed."""
        store, place = self.collector.store, self.place
        known = {each.github_review for each in store.pull_findings(place)}
        strange = [each for each in self._marked(seen) if each[0].review_id not in known]
        for review in store.unposted_reviews(place) if strange else ():
            here = {mark: thread for thread, mark in strange if thread.commit == review.head}
            findings = review.result["findings"]
            inline = tuple(i for i, each in enumerate(findings) if each["fingerprint"] in here)
            if inline:
                first = here[findings[inline[0]]["fingerprint"]]
                strange = [each for each in strange if each[0].review_id != first.review_id]
                at, number = first.posted_at, first.review_id
                store.add_posted(
                    review.id,
                    Posting(
                        place.installation, place.repository_id, at, inline, number, in_texts=False
                    ),
                )

    def _marked(self, seen: Conversation) -> Iterator[tuple[OwnThread, str]]:
        """Our threads that are about a finding, with its fingerprint."""
        place = self.place
        scope = Scope(place.installation, str(place.repository_id), place.number, "", "", "")
        marks = Marks(self.collector.marker_key, scope)
        for thread in seen.threads:
            if mark := marks.fingerprint_in(thread.body):
                yield thread, mark


def _on(findings: Sequence[KnownFinding], comment_id: int | None) -> KnownFinding | None:
    return next((each for each in findings if each.comment_id == comment_id), None)


def _is_of(each: KnownFinding, thread: OwnThread, mark: str, taken: Mapping[str, int]) -> bool:
    return (
        (each.github_review, each.fingerprint) == (thread.review_id, mark)
        and each.comment_id is None
        and each.id not in taken
    )


def _said(
    findings: Sequence[KnownFinding], seen: Conversation, ended_at: datetime
) -> Iterator[Entry]:
    """Thumbs of people, and threads that stand otherwise than was written down."""
    by_comment = {each.comment_id: each for each in findings if each.comment_id is not None}
    for thread in seen.threads:
        finding = by_comment.get(thread.comment_id)
        if finding is None:
            continue
        for thumb in thread.thumbs:
            kind = FeedbackKind.THUMBS_UP if thumb.up else FeedbackKind.THUMBS_DOWN
            yield Entry(finding.id, kind, thumb.by, thumb.at, f"{kind}:{thumb.by}")
        key = f"end:{ended_at.isoformat()}"
        if finding.resolved and not thread.resolved:
            yield Entry(finding.id, FeedbackKind.REOPENED, "", ended_at, key)
        elif thread.resolved and thread.resolved_by and not finding.resolved:
            yield Entry(finding.id, FeedbackKind.RESOLVED, thread.resolved_by, ended_at, key)

"""What people made of published findings. A rate is over findings, never over people."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reviewbot.publishing.feedback import Feedback, FeedbackKind, PostedFinding
from reviewbot.reporting.ratio import Ratio


class Verdict(StrEnum):
    """What became of one finding."""

    ACCEPTED = "accepted"
    COMPLAINT = "complaint"
    NONE = "none"
    """Its pull request ended, and nobody said or did anything."""
    OPEN = "open"
    """Its pull request has not ended: it may still be fixed."""


Judged = tuple[PostedFinding, Verdict]


@dataclass(frozen=True)
class Acceptance:
    """Published findings by what became of them."""

    published: int = 0
    accepted: int = 0
    complaints: int = 0
    open: int = 0

    @property
    def decided(self) -> int:
        return self.published - self.open

    @property
    def acceptance(self) -> Ratio:
        """Over all findings but the open ones."""
        return Ratio(self.accepted, self.decided)

    @property
    def complaint(self) -> Ratio:
        """Over all published findings."""
        return Ratio(self.complaints, self.published)


def verdict_of(finding: PostedFinding) -> Verdict:
    """Accepted: 👍, a thread resolved for good, or flagged lines that changed before the merge; but
    not with 👎 or dismissed: that is a complaint."""
    kinds = {each.kind for each in finding.feedback}
    if kinds & {FeedbackKind.THUMBS_DOWN, FeedbackKind.DISMISSED}:
        return Verdict.COMPLAINT
    if kinds & {FeedbackKind.THUMBS_UP, FeedbackKind.FIXED} or _resolved(finding.feedback):
        return Verdict.ACCEPTED
    return Verdict.OPEN if finding.pull_ended_at is None else Verdict.NONE


def judged(findings: Iterable[PostedFinding]) -> list[Judged]:
    """Each finding with its verdict, for the counts below."""
    return [(finding, verdict_of(finding)) for finding in findings]


def acceptance_of(found: Iterable[Judged]) -> Acceptance:
    """All of them together."""
    return _counted(Counter(verdict for _, verdict in found))


def acceptance_by(
    found: Iterable[Judged], names: Callable[[PostedFinding], Sequence[str]]
) -> dict[str, Acceptance]:
    """By each name that a finding goes under, the most frequent first."""
    counts: dict[str, Counter[Verdict]] = {}
    for finding, verdict in found:
        for name in names(finding):
            counts.setdefault(name, Counter())[verdict] += 1
    ranked = sorted(counts.items(), key=lambda item: (-item[1].total(), item[0]))
    return {name: _counted(verdicts) for name, verdicts in ranked}


def _counted(verdicts: Counter[Verdict]) -> Acceptance:
    return Acceptance(
        published=verdicts.total(),
        accepted=verdicts[Verdict.ACCEPTED],
        complaints=verdicts[Verdict.COMPLAINT],
        open=verdicts[Verdict.OPEN],
    )


def _resolved(feedback: Iterable[Feedback]) -> bool:
    """Whether the last word is that the thread is resolved."""
    words = [
        each for each in feedback if each.kind in (FeedbackKind.RESOLVED, FeedbackKind.REOPENED)
    ]
    return bool(words) and max(words, key=lambda each: each.at).kind is FeedbackKind.RESOLVED

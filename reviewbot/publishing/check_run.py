"""The check run of a review: its conclusion, and its findings as annotations."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from reviewbot.config.policy import Policy
from reviewbot.privacy.invisible import escape_invisible
from reviewbot.publishing.figures import verdict
from reviewbot.publishing.findings import origin
from reviewbot.publishing.result import Review
from reviewbot.review.answer import Severity
from reviewbot.review.finding import Finding

Conclusion = Literal["success", "neutral", "failure"]
Level = Literal["failure", "warning", "notice"]

NAME = "reviewbot"
#: Annotations that GitHub takes with one request.
BATCH = 50
#: GitHub's limit for a check run's summary, characters.
MAX_SUMMARY = 65_535
#: Below GitHub's limits for an annotation (255 characters; 64 KB).
_TITLE, _MESSAGE = 250, 15_000

_LEVELS: dict[Severity, Level] = {
    Severity.CRITICAL: "failure",
    Severity.HIGH: "failure",
    Severity.MEDIUM: "warning",
    Severity.LOW: "notice",
}


@dataclass(frozen=True)
class Annotation:
    """A finding on lines of the new file, as plain text."""

    path: str
    start_line: int
    end_line: int
    level: Level
    title: str
    message: str

    def to_json(self) -> dict[str, Any]:
        """As GitHub takes it."""
        return {
            "path": self.path,
            "start_line": self.start_line,
            "end_line": self.end_line,
            "annotation_level": self.level,
            "title": self.title,
            "message": self.message,
        }


@dataclass(frozen=True)
class CheckRun:
    """A finished check run."""

    head: str
    external_id: str
    conclusion: Conclusion
    title: str
    summary: str
    annotations: tuple[Annotation, ...] = ()
    name: str = NAME


def check_run(review: Review, policy: Policy, *, external_id: str, summary: str) -> CheckRun:
    """The check of a review of a pull request's head; `summary` is Markdown that is safe already."""
    cut = "\n\n… cut here: too long for a check."
    if len(summary) > MAX_SUMMARY:
        summary = summary[: MAX_SUMMARY - len(cut)] + cut
    return CheckRun(
        head=review.change.head or "",
        external_id=external_id,
        conclusion=conclusion(review, policy),
        title=verdict(review),
        summary=summary,
        annotations=annotations(review.open),
    )


def conclusion(review: Review, policy: Policy) -> Conclusion:
    """A failure only where the policy asks for it; a success only where all was read."""
    fail_on = policy.publish.fail_on
    if fail_on is not None:
        worst = min((finding.severity.rank for finding in review.open), default=None)
        if worst is not None and worst <= Severity(fail_on).rank:
            return "failure"
    nothing_read = all(entry.engine == "none" for entry in review.coverage)
    return "neutral" if nothing_read or not review.complete else "success"


def annotations(findings: Sequence[Finding]) -> tuple[Annotation, ...]:
    """Of the findings on the new text: GitHub has no annotations on removed lines."""
    return tuple(
        Annotation(
            path=finding.path,
            start_line=finding.line,
            end_line=finding.end_line or finding.line,
            level=_LEVELS[finding.severity],
            title=_plain(f"{finding.severity}: {finding.title}", _TITLE),
            message=_plain(f"{finding.body}\n\n({origin(finding)})", _MESSAGE),
        )
        for finding in findings
        if finding.anchored and finding.side == "RIGHT" and finding.line is not None
    )


def _plain(text: str, limit: int) -> str:
    text = escape_invisible(text.replace("\r\n", "\n"))
    return text if len(text) <= limit else text[: limit - 1] + "…"

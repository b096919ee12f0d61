"""A second opinion: what Claude says of one doubtful finding of the local model."""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from reviewbot.change.model import FileChange
from reviewbot.config.policy import Escalate
from reviewbot.review.answer import MAX_BODY, MAX_TITLE, Severity
from reviewbot.review.engine import Lineup, stands_for
from reviewbot.review.finding import Finding
from reviewbot.review.form import closed_schema, read_whole

#: The ledger's word for the question.
PURPOSE = "escalate"
#: Why a finding is not shown, in the review's counts.
WITHDRAWN = "withdrawn by Claude"


class Word(StrEnum):
    """What becomes of the finding."""

    CONFIRM = "confirm"
    CORRECT = "correct"
    WITHDRAW = "withdraw"


class SecondOpinion(BaseModel):
    """Claude's whole answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    verdict: Word
    severity: Severity = Field(description="How bad it is, if it is true.")
    title: str = Field(description="The problem in at most ten words, as it really is.")
    body: str = Field(description="What goes wrong, when, and how to mend it. At most 120 words.")


def second_schema() -> dict[str, Any]:
    """The JSON schema of the answer (see `closed_schema`)."""
    return closed_schema(SecondOpinion)


def parse_second(text: str) -> SecondOpinion | None:
    """The opinion; None for anything but one whole answer. Never raises."""
    return read_whole(SecondOpinion, text)


def doubtful(findings: Sequence[Finding], lineup: Lineup, policy: Escalate) -> tuple[Finding, ...]:
    """The local models' findings that are severe and unsure: the worst and least sure first, as many
    as the policy allows."""
    worst = Severity(policy.severity).rank
    local = {
        (facts.name, facts.model)
        for role, facts in lineup.engines.items()
        if stands_for(role) == "local"
    }
    wanted = [
        finding
        for finding in findings
        if (finding.engine, finding.model) in local
        and finding.anchored
        and finding.severity.rank <= worst
        and finding.confidence < policy.confidence_below
    ]
    wanted.sort(key=lambda finding: (finding.severity.rank, finding.confidence))
    return tuple(wanted[: policy.max_per_pr])


def around(finding: Finding, file: FileChange) -> FileChange:
    """The file with nothing but the hunk that the finding is in."""
    index, _ = file.by_number[finding.side, finding.line or 0]
    return replace(file, hunks=(file.hunks[index],))


def after(finding: Finding, opinion: SecondOpinion, engine: str) -> Finding | None:
    """The finding as it stands now; None if it is withdrawn."""
    if opinion.verdict is Word.WITHDRAW:
        return None
    word = "confirmed" if opinion.verdict is Word.CONFIRM else "corrected"
    agreed = replace(finding, agreed=(*finding.agreed, engine), opinion=f"{word} by {engine}")
    if opinion.verdict is Word.CONFIRM:
        return agreed
    title = " ".join(opinion.title.split())[:MAX_TITLE]
    return replace(
        agreed,
        severity=opinion.severity,
        title=title or finding.title,
        body=opinion.body.strip()[:MAX_BODY] or finding.body,
        suggestion=None,  # it mended what the finding said before
    )

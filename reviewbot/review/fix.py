"""A question about findings that stand: which change of exactly their lines would mend them?"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from reviewbot.change.model import FileChange
from reviewbot.review.answer import MAX_SUGGESTION
from reviewbot.review.engine import Lineup, Role
from reviewbot.review.finding import Finding
from reviewbot.review.form import closed_schema, read_whole
from reviewbot.review.units import Unit

#: The ledger's word for the question.
PURPOSE = "fix"
#: Findings of one question.
MAX_ASKED = 10


class Fix(BaseModel):
    """What would mend one finding."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    finding: int = Field(description="The finding's number.")
    suggestion: str | None = Field(
        description="Exact replacement for the finding's lines, whole lines; or null."
    )


class Fixes(BaseModel):
    """A model's whole answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fixes: list[Fix] = Field(description="One for each finding, in their order.")


def fix_schema() -> dict[str, Any]:
    """The JSON schema of the answer (see `closed_schema`)."""
    return closed_schema(Fixes)


def parse_fixes(text: str) -> dict[int, str] | None:
    """Number of a finding → what its lines shall be; None for anything but one whole answer. Never
    raises.

    The numbers are the model's; of two replacements for one finding the first counts.
    """
    answer = read_whole(Fixes, text)
    if answer is None:
        return None
    found: dict[int, str] = {}
    for fix in answer.fixes:
        if fix.suggestion and fix.suggestion.strip() and len(fix.suggestion) <= MAX_SUGGESTION:
            found.setdefault(fix.finding, fix.suggestion)
    return found


def mendable(findings: Iterable[Finding]) -> list[Finding]:
    """The models' findings on lines of the new file that nothing mends yet, in their order."""
    return [
        finding
        for finding in findings
        if finding.model and finding.anchored and finding.side == "RIGHT" and not finding.suggestion
    ]


def found_by(finding: Finding, lineup: Lineup) -> Role | None:
    """The role of the engine that made the finding; None where it may have been either of two that
    differ: code goes to nobody else than who has read it."""
    made_by = (finding.engine, finding.model)
    roles = [role for role, facts in lineup.engines.items() if (facts.name, facts.model) == made_by]
    one_kind = len({lineup.engines[role] for role in roles}) == 1
    return roles[0] if one_kind else None


def around_all(findings: Sequence[Finding], file: FileChange) -> FileChange:
    """The file with nothing but the hunks that the findings are in."""
    wanted = {file.by_number[each.side, each.line or 0][0] for each in findings}
    return replace(file, hunks=tuple(file.hunks[index] for index in sorted(wanted)))


def within(findings: Iterable[Finding], unit: Unit) -> list[Finding]:
    """The findings of which a unit shows all lines, in one piece."""
    return [
        finding
        for finding in findings
        if any(
            section.path == finding.path
            and any(finding.line in part and finding.end_line in part for part in section.lines)
            for section in unit.sections
        )
    ]

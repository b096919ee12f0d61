"""From replies to findings and coverage: every file ends in the table, every remark is kept."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from reviewbot.change.model import Change
from reviewbot.review.anchor import Anchors
from reviewbot.review.answer import ParsedAnswer, parse_answer
from reviewbot.review.engine import Lineup, Outcome, Reply
from reviewbot.review.evidence import Evidence
from reviewbot.review.finding import Coverage, CoverageStatus, Finding
from reviewbot.review.plan import Plan
from reviewbot.review.work import Job

#: In words, what an outcome without an answer means for the reader.
_FAILED = {
    Outcome.REFUSED: "the model refused to answer",
    Outcome.MALFORMED: "the model's answer could not be read",
    Outcome.RATE_LIMITED: "rate limited",
    Outcome.OVERLOADED: "the model's service is overloaded or failing",
    Outcome.TIMED_OUT: "no answer in time",
    Outcome.UNREACHABLE: "the model's service could not be reached",
    Outcome.TOO_LONG: "too long for the model",
    Outcome.DENIED: "the model's service denied access",
    Outcome.REJECTED: "the model's service rejected the request",
    Outcome.OVER_BUDGET: "budget used up",
}


def failure(reply: Reply) -> str:
    """In words, why there is no answer; empty if there is one."""
    words = _FAILED.get(reply.outcome, "")
    return f"{words}: {reply.detail}" if words and reply.detail else words


@dataclass(frozen=True)
class Read:
    """A job with its final reply."""

    job: Job
    reply: Reply
    answer: ParsedAnswer = field(default_factory=ParsedAnswer)

    @classmethod
    def of(cls, job: Job, reply: Reply) -> "Read":
        """Parse the reply's text where it has an answer."""
        if reply.outcome in (Outcome.ANSWERED, Outcome.TRUNCATED):
            return cls(job, reply, parse_answer(reply.text))
        return cls(job, reply)

    @property
    def problem(self) -> str:
        """Why the unit was not read, or not wholly; empty if it was."""
        if words := failure(self.reply):
            return words
        if self.reply.outcome is Outcome.TRUNCATED or not self.answer.whole:
            return "the answer was cut off: remarks may be missing"
        return (
            f"part of the answer was dropped: {self.answer.problems[0]}"
            if self.answer.problems
            else ""
        )

    @property
    def nothing_read(self) -> bool:
        """No answer at all."""
        return self.reply.outcome in _FAILED or (not self.answer.whole and not self.answer.remarks)


def findings_of(read: Read, anchors: Anchors, lineup: Lineup) -> list[Finding]:
    """All remarks of one answer, anchored or with the reason why not."""
    asked = lineup.engines[read.job.role]
    return [
        anchors.anchor(
            remark,
            engine=asked.name,
            model=asked.model,
            shown=read.job.composed.shown,
            scripted=read.reply.scripted,
        )
        for remark in read.answer.remarks
    ]


def finding_of(evidence: Evidence, change: Change) -> Finding:
    """An analyser's remark as a finding: its lines are proved by the analyser's own check."""
    file = change.by_path[evidence.path]
    found = file.by_number.get((evidence.side, evidence.line))
    return Finding(
        path=evidence.path,
        line=evidence.line if found else None,
        end_line=evidence.end_line if found else None,
        side=evidence.side,
        severity=evidence.severity,
        category=evidence.category,
        title=evidence.title,
        body=evidence.body,
        # a secret's own line is never quoted
        quote="" if found is None or evidence.tool == "secrets" else found[1].text,
        confidence=1.0,
        engine=evidence.tool,
        anchored=found is not None,
        unanchored_reason="" if found else "the line is not in the diff",
        rule=evidence.rule,
    )


def coverage_of(
    change: Change, plan: Plan, reads: Sequence[Read], left_out: Iterable[str], lineup: Lineup
) -> tuple[Coverage, ...]:
    """One entry for each file, in the change's order."""
    known = {entry.path: entry for entry in plan.coverage}
    by_path: dict[str, list[Read]] = {}
    for read in reads:
        for path in read.job.unit.paths:
            by_path.setdefault(path, []).append(read)
    dropped = frozenset(left_out)
    return tuple(
        known.get(file.path)
        or _covered(
            file.path, by_path.get(file.path, []), file.path in dropped, plan.caveats, lineup
        )
        for file in change.files
    )


def _covered(
    path: str, reads: Sequence[Read], dropped: bool, caveats: Mapping[str, str], lineup: Lineup
) -> Coverage:
    reasons = [caveats[path]] if path in caveats else []
    reasons += dict.fromkeys(read.job.after for read in reads if read.job.after)
    problems = list(dict.fromkeys(read.problem for read in reads if read.problem))
    if dropped:
        problems.append("the change is too large: part of this file was left out")
    if any(
        section.cut for read in reads for section in read.job.unit.sections if section.path == path
    ):
        problems.append("lines over 2,000 characters are shown to the model in part")
    readers = dict.fromkeys(
        lineup.engines[read.job.role].name for read in reads if not read.nothing_read
    )
    if not readers:
        return Coverage(path, CoverageStatus.SKIPPED, "none", "; ".join([*reasons, *problems]))
    status = CoverageStatus.PARTIAL if problems else CoverageStatus.FULL
    return Coverage(path, status, " + ".join(readers), "; ".join([*reasons, *problems]))

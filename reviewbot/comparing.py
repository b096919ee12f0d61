"""A sampled local review, read by Claude as well: what does the local model miss?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reviewbot.change.model import FileChange
from reviewbot.errors import EngineError
from reviewbot.publishing.fingerprint import with_fingerprint
from reviewbot.reading import Talk, ask_all
from reviewbot.review.anchor import Anchors
from reviewbot.review.assemble import Read, findings_of
from reviewbot.review.briefing import file_notes
from reviewbot.review.engine import Reply, stands_for
from reviewbot.review.finding import Finding
from reviewbot.review.plan import Assignment, Plan
from reviewbot.review.prompt import Briefing
from reviewbot.review.regret import PURPOSE, Regret, compared, sampled
from reviewbot.review.work import Job, halves_after, prepare
from reviewbot.routing.model import Route, Tier
from reviewbot.routing.wording import plural

_TITLE = "sampled comparison"


@dataclass(frozen=True)
class Comparison:
    """Everybody's findings, and how they compare."""

    findings: tuple[Finding, ...]
    regret: Regret | None
    """None where one of them has not read all of it."""
    note: str
    """For people, what was done or why not."""


def is_sampled(talk: Talk, route: Route) -> bool:
    """Whether this local review is one of those that Claude repeats."""
    local, claude = talk.lineup.get("local"), talk.lineup.get("claude")
    percent, payer = talk.policy.review.regret_percent, talk.payer
    if route.tier is not Tier.LOCAL or local is None or claude is None or not percent:
        return False
    repository = str(payer.repository_id or payer.repository)
    return sampled(repository, payer.number, talk.change.head, percent)


def compare(
    talk: Talk,
    shown: Sequence[FileChange],
    reads: Sequence[Read],
    found: Sequence[Finding],
    briefing: Briefing,
    route: Route,
    dismissed: frozenset[str],
) -> Comparison:
    """Have Claude read what the local model was `shown` and has read, apart from what must not be sent to it.

    Nothing that fails here fails the review. Raises PrivacyError if redaction fails.
    """
    ours = [read for read in reads if stands_for(read.job.role) == "local"]
    paths = {path for read in ours for path in read.job.unit.paths}
    files = [f for f in shown if f.path in paths and f.path not in briefing.never_send]
    if not files:
        return Comparison(tuple(found), None, f"{_TITLE}: none of it may be sent to Claude")
    prepared = prepare(
        Plan((Assignment("claude", tuple(files)),), (), {}, ()),
        briefing,
        talk.lineup,
        sources=talk.texts,
        notes=file_notes(route),
    )

    def smaller(job: Job, reply: Reply) -> Sequence[Job]:
        return halves_after(job, reply, briefing, talk.lineup)

    jobs = [replace(job, purpose=PURPOSE) for job in prepared.jobs]
    try:
        claudes = [read for read, _ in ask_all(talk, jobs, smaller)]
    except EngineError as error:
        return Comparison(tuple(found), None, f"{_TITLE}: Claude did not read it: {error}")
    anchors = Anchors(talk.change, talk.fetched.sources.head)
    theirs = [
        finding
        for read in claudes
        for finding in map(with_fingerprint, findings_of(read, anchors, talk.lineup))
        if finding.fingerprint not in dismissed
    ]
    findings, regret = compared(found, theirs, {file.path for file in files})
    problem = next((read.problem for read in [*claudes, *reads] if read.problem), "")
    if prepared.left_out:
        problem = "it is too large to be read whole"
    if problem:
        return Comparison(findings, None, f"{_TITLE}, not counted: {problem}")
    return Comparison(findings, regret, _note(regret, len(paths) - len(files)))


def _note(regret: Regret, kept: int) -> str:
    alone = regret.total("only_claude")
    text = (
        f"{_TITLE}: Claude has read this local review as well; found by both:"
        f" {regret.total('both')}, only by the local model: {regret.total('only_local')},"
        f" only by Claude: {alone}"
    )
    text += " (they stand among the findings, marked claude)" if alone else ""
    return f"{text}; {plural(kept, 'file')} not sent (never_send)" if kept else text

"""Strategy `refine`: the local model drafts what Claude is to read, Claude confirms, corrects and adds."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reviewbot.errors import EngineError
from reviewbot.reading import Talk, ask_all
from reviewbot.review.anchor import Anchors
from reviewbot.review.assemble import findings_of
from reviewbot.review.engine import Reply, stands_for
from reviewbot.review.finding import Finding
from reviewbot.review.plan import Assignment, Plan
from reviewbot.review.prompt import REFINE, Briefing
from reviewbot.review.verify import DRAFT, REFINED, asked_about
from reviewbot.review.work import Job, halves_after, prepare

#: Most drafts shown with one part: a model that drafts more has lost its way.
MAX_DRAFTS = 40


def with_drafts(
    talk: Talk, jobs: Sequence[Job], briefing: Briefing, notes: Mapping[str, str]
) -> tuple[tuple[Job, ...], str]:
    """The jobs, Claude's with what the local model says of the same files; and a note for people.

    Without a local model, or where that fails, they are as they were. Raises PrivacyError if
    redaction fails.
    """
    theirs = [job for job in jobs if stands_for(job.role) == "claude"]
    if talk.policy.strategy != "refine" or not theirs:
        return tuple(jobs), ""
    if talk.lineup.get("local") is None:
        return tuple(jobs), "refine: there is no local model to draft"
    try:
        drafts = _drafts(talk, theirs, briefing, notes)
    except EngineError as error:
        return tuple(jobs), f"refine: the local model drafted nothing: {error}"
    said = f"refine: the local model drafted {len(drafts)}, which Claude was shown"
    return tuple(_refined(talk, job, drafts) if job in theirs else job for job in jobs), said


def _drafts(
    talk: Talk, jobs: Sequence[Job], briefing: Briefing, notes: Mapping[str, str]
) -> list[Finding]:
    paths = {path for job in jobs for path in job.unit.paths}
    files = tuple(file for file in talk.change.files if file.path in paths)
    prepared = prepare(
        Plan((Assignment("local", files),), (), {}, ()),
        briefing,
        talk.lineup,
        sources=talk.texts,
        notes=notes,
        count=talk.steps.count,
    )

    def smaller(job: Job, reply: Reply) -> Sequence[Job]:
        return halves_after(job, reply, briefing, talk.lineup)

    asked = [replace(job, purpose=DRAFT) for job in prepared.jobs]
    anchors = Anchors(talk.change, talk.fetched.sources.head)
    return [
        finding
        for read, _ in ask_all(talk, asked, smaller)
        for finding in findings_of(read, anchors, talk.lineup)
    ]


def _refined(talk: Talk, job: Job, drafts: Sequence[Finding]) -> Job:
    ours = [draft for draft in drafts if draft.path in job.unit.paths]
    ours.sort(key=lambda draft: draft.severity.rank)
    if not ours:
        return job
    facts = talk.lineup.engines[job.role]
    composed = asked_about(job.composed, REFINE.instructions, ours[:MAX_DRAFTS], facts)
    return replace(job, composed=composed, purpose=REFINED)

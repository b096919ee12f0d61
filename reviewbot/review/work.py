"""From a plan to questions, and from replies to the next questions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from reviewbot.change.model import Change, FileChange
from reviewbot.change.tokens import estimate_tokens, most_tokens
from reviewbot.review.engine import (
    Ask,
    Counted,
    EngineFacts,
    Lineup,
    Outcome,
    Prompt,
    Reply,
    Role,
    stands_for,
)
from reviewbot.review.exact import pack_exactly
from reviewbot.review.plan import Plan
from reviewbot.review.prompt import (
    FRAME_TOKENS,
    MAX_OUTPUT_TOKENS,
    REVIEW,
    Briefing,
    Composed,
    Task,
    about_file,
    compose,
    system_tokens,
)
from reviewbot.review.units import MAX_UNITS, Packed, Render, Unit, pack

#: Exact tokens of a prompt and of texts, by the engine of a role; None where nobody can tell.
Counting = Callable[[Role, Prompt, Sequence[str]], Counted | None]

#: Largest unit even where the context is larger, tokens: long prompts make every model worse.
MAX_UNIT_TOKENS = 60_000
#: Coverage of a risky part that Claude could not be paid for.
READ_HERE = "risky, budget used up: read by the local model"
#: Share of the room that estimated tokens may fill: estimates are up to a quarter too low.
_SAFE = 0.8


@dataclass(frozen=True)
class Job:
    """One unit, put to the engine of one role."""

    role: Role
    unit: Unit
    total: int
    composed: Composed
    after: str = ""
    """Why it is asked again: what the first engine said."""
    purpose: str = "review"
    """The ledger's word."""
    over_budget: str = ""
    """Of a risky part that the local model reads: whose budget is used up."""

    def ask(self, change: Change) -> Ask:
        """The question, marked with whom it is for."""
        return Ask(
            self.role,
            self.unit.index,
            self.composed.prompt,
            change.repository,
            change.number,
            self.purpose,
        )


@dataclass(frozen=True)
class Prepared:
    jobs: tuple[Job, ...]
    left_out: tuple[str, ...]
    """Paths with parts that fit no unit of this review."""


def packed_for(
    role: Role,
    facts: EngineFacts,
    files: Sequence[FileChange],
    briefing: Briefing,
    *,
    sources: Mapping[str, str],
    notes: Mapping[str, str],
    count: Counting | None,
    task: Task = REVIEW,
) -> Packed:
    """The units that these files make for an engine: by exact numbers of tokens where it tells
    them and they can matter, else by estimates. Raises PrivacyError if redaction fails."""
    packed = pack(files, unit_budget(facts, briefing), sources=sources, notes=notes)
    room = facts.context_tokens - output_tokens(facts)
    if count is None or not facts.counts or _surely_fits(packed, facts, briefing, room):
        return packed
    # with no file in it: what each prompt has beside its files
    bare = _compose(briefing, Unit(MAX_UNITS - 1, ()), MAX_UNITS, facts, task).prompt
    beside = count(role, bare, ())
    if beside is None:
        return packed

    def exactly(texts: Sequence[str]) -> Sequence[int] | None:
        counted = count(role, bare, texts)
        return None if counted is None else counted.texts

    tails = {file.path: "\n".join(about_file(briefing, file.path)) for file in files}
    budget = max(min(room - beside.prompt, MAX_UNIT_TOKENS), 256)
    exact = pack_exactly(files, budget, exactly, sources=sources, notes=notes, tails=tails)
    return exact or packed


def _surely_fits(packed: Packed, facts: EngineFacts, briefing: Briefing, room: int) -> bool:
    """All is in one unit, and whatever the vocabulary, no token is less than a byte."""
    if len(packed.units) != 1 or packed.left_out:
        return False
    prompt = _compose(briefing, packed.units[0], 1, facts).prompt
    return most_tokens(prompt.text) + FRAME_TOKENS <= room


def unit_budget(facts: EngineFacts, briefing: Briefing) -> int:
    """Estimated tokens that the files of one unit may have for this engine."""
    fixed = system_tokens(briefing.system) + estimate_tokens(briefing.shared)
    room = facts.context_tokens - output_tokens(facts) - fixed
    return max(min(int(room * _SAFE), MAX_UNIT_TOKENS), 256)


def output_tokens(facts: EngineFacts) -> int:
    """Longest answer asked of this engine, tokens."""
    return min(MAX_OUTPUT_TOKENS, facts.context_tokens // 4)


def prepare(
    plan: Plan,
    briefing: Briefing,
    lineup: Lineup,
    *,
    sources: Mapping[str, str],
    notes: Mapping[str, str],
    count: Counting | None = None,
    passes: int = 1,
    again: bool = False,
) -> Prepared:
    """Pack each assignment for its engine; each unit of the local tier is asked about `passes`
    times, and `again` after that. Raises PrivacyError if redaction fails."""
    jobs: list[Job] = []
    left_out: list[str] = []
    for assignment in plan.assignments:
        facts = lineup.engines[assignment.role]
        packed = packed_for(
            assignment.role,
            facts,
            assignment.files,
            briefing,
            sources=sources,
            notes=notes,
            count=count,
        )
        left_out += packed.left_out
        for unit in packed.units:
            composed = _compose(briefing, unit, len(packed.units), facts)
            is_local = stands_for(assignment.role) == "local"
            samples, more = (passes, again) if is_local else (1, False)
            for sample in range(samples):
                drawn = composed.sampled(sample, again=more or samples > 1)
                jobs.append(Job(assignment.role, unit, len(packed.units), drawn))
    return Prepared(tuple(jobs), tuple(left_out))


def follow_ups(job: Job, reply: Reply, briefing: Briefing, lineup: Lineup) -> tuple[Job, ...]:
    """What to ask after a reply that is no answer; empty where nothing more can be done."""
    facts = lineup.engines[job.role]
    fallback, asked = lineup.get("fallback"), job.composed.prompt
    refused = reply.outcome is Outcome.REFUSED and facts.external and job.role != "fallback"
    if refused and fallback and asked.sample == 0:  # of all passes, once
        return (Job("fallback", job.unit, job.total, job.composed, f"{facts.model} refused"),)
    return halves_after(job, reply, briefing, lineup)


def halves_after(job: Job, reply: Reply, briefing: Briefing, lineup: Lineup) -> tuple[Job, ...]:
    """The same in two questions, after one that was too long."""
    facts, asked = lineup.engines[job.role], job.composed.prompt
    halves = job.unit.halves() if reply.outcome is Outcome.TOO_LONG else None
    return tuple(
        replace(
            job,
            unit=half,
            composed=_compose(briefing, half, job.total, facts).sampled(
                asked.sample, again=asked.again
            ),
        )
        for half in halves or ()
    )


def read_here(
    job: Job, reply: Reply, briefing: Briefing, lineup: Lineup, *, passes: int, again: bool
) -> tuple[Job, ...]:
    """The same for the local model, after a question to another engine that the budget did not
    cover; empty for any other reply."""
    facts = lineup.get("local")
    if reply.outcome is not Outcome.OVER_BUDGET or facts is None or stands_for(job.role) == "local":
        return ()
    return tuple(
        Job(
            "local",
            unit,
            job.total,
            _compose(briefing, unit, job.total, facts).sampled(sample, again=again or passes > 1),
            after="; ".join(part for part in (job.after, READ_HERE) if part),
            over_budget=reply.detail,
        )
        for unit in job.unit.fitting(unit_budget(facts, briefing))
        for sample in range(passes)
    )


def _compose(
    briefing: Briefing, unit: Unit, total: int, facts: EngineFacts, task: Task = REVIEW
) -> Composed:
    return compose(
        briefing,
        unit,
        total,
        external=facts.external,
        max_output_tokens=output_tokens(facts),
        task=task,
    )


def planned_prompt_tokens(
    files: Sequence[FileChange],
    briefing: Briefing,
    *,
    context_tokens: int,
    sources: Mapping[str, str] | None = None,
    render: Render | None = None,
) -> tuple[int, int]:
    """(estimated prompt tokens, units) that `files` would take on an engine with that context:
    for what a review would have cost elsewhere, or may cost."""
    facts = EngineFacts("claude", "", True, None, context_tokens)
    units = pack(files, unit_budget(facts, briefing), sources=sources, render=render).units
    fixed = system_tokens(briefing.system) + estimate_tokens(briefing.shared)
    return sum(unit.tokens + fixed for unit in units), len(units)

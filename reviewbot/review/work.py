"""From a plan to questions, and from replies to the next questions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reviewbot.change.model import Change, FileChange
from reviewbot.change.tokens import estimate_tokens
from reviewbot.review.engine import Ask, EngineFacts, Lineup, Outcome, Reply, Role
from reviewbot.review.plan import Plan
from reviewbot.review.prompt import (
    MAX_OUTPUT_TOKENS,
    Briefing,
    Composed,
    compose,
    system_tokens,
)
from reviewbot.review.units import Render, Unit, pack

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


def unit_budget(facts: EngineFacts, briefing: Briefing) -> int:
    """Estimated tokens that the files of one unit may have for this engine."""
    fixed = system_tokens() + estimate_tokens(briefing.shared)
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
    passes: int = 1,
) -> Prepared:
    """Pack each assignment for its engine; each unit of the local tier is asked about `passes`
    times. Raises PrivacyError if redaction fails."""
    jobs: list[Job] = []
    left_out: list[str] = []
    for assignment in plan.assignments:
        facts = lineup.engines[assignment.role]
        packed = pack(assignment.files, unit_budget(facts, briefing), sources=sources, notes=notes)
        left_out += packed.left_out
        for unit in packed.units:
            composed = _compose(briefing, unit, len(packed.units), facts)
            for sample in range(passes if assignment.role == "local" else 1):
                drawn = composed.sampled(sample)
                jobs.append(Job(assignment.role, unit, len(packed.units), drawn))
    return Prepared(tuple(jobs), tuple(left_out))


def follow_ups(job: Job, reply: Reply, briefing: Briefing, lineup: Lineup) -> tuple[Job, ...]:
    """What to ask after a reply that is no answer; empty where nothing more can be done."""
    facts = lineup.engines[job.role]
    fallback, sample = lineup.get("fallback"), job.composed.prompt.sample
    refused = reply.outcome is Outcome.REFUSED and facts.external and job.role != "fallback"
    if refused and fallback and sample == 0:  # of all passes, once
        return (Job("fallback", job.unit, job.total, job.composed, f"{facts.model} refused"),)
    return halves_after(job, reply, briefing, lineup)


def halves_after(job: Job, reply: Reply, briefing: Briefing, lineup: Lineup) -> tuple[Job, ...]:
    """The same in two questions, after one that was too long."""
    facts, sample = lineup.engines[job.role], job.composed.prompt.sample
    halves = job.unit.halves() if reply.outcome is Outcome.TOO_LONG else None
    return tuple(
        replace(
            job,
            unit=half,
            composed=_compose(briefing, half, job.total, facts).sampled(sample),
        )
        for half in halves or ()
    )


def read_here(
    job: Job, reply: Reply, briefing: Briefing, lineup: Lineup, passes: int
) -> tuple[Job, ...]:
    """The same for the local model, after a question to another engine that the budget did not
    cover; empty for any other reply."""
    facts = lineup.get("local")
    if reply.outcome is not Outcome.OVER_BUDGET or facts is None or job.role == "local":
        return ()
    return tuple(
        Job(
            "local",
            unit,
            job.total,
            _compose(briefing, unit, job.total, facts).sampled(sample),
            after="; ".join(part for part in (job.after, READ_HERE) if part),
            over_budget=reply.detail,
        )
        for unit in job.unit.fitting(unit_budget(facts, briefing))
        for sample in range(passes)
    )


def _compose(briefing: Briefing, unit: Unit, total: int, facts: EngineFacts) -> Composed:
    return compose(
        briefing, unit, total, external=facts.external, max_output_tokens=output_tokens(facts)
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
    fixed = system_tokens() + estimate_tokens(briefing.shared)
    return sum(unit.tokens + fixed for unit in units), len(units)

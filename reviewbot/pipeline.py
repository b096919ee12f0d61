"""The whole flow as one function over `Steps`: the same for terminal, Action and service.

What is not a step is pure and deterministic, so that a durable runner can replay it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Protocol

from pathspec import GitIgnoreSpec

from reviewbot.change.model import Change, Sources
from reviewbot.change.source import Fetched
from reviewbot.config.documents import load_document, validate
from reviewbot.config.policy import Policy, narrow
from reviewbot.costs.calls import Call
from reviewbot.costs.prices import PriceBook
from reviewbot.costs.summary import summarize
from reviewbot.errors import EngineError
from reviewbot.privacy.egress import EgressEntry, NeverSend, receipt
from reviewbot.publishing.fingerprint import with_fingerprint
from reviewbot.publishing.result import Review
from reviewbot.review.answer import Severity
from reviewbot.review.assemble import Read, coverage_of, finding_of, findings_of
from reviewbot.review.engine import Ask, Lineup, Outcome, Reply
from reviewbot.review.evidence import Analysis, Evidence
from reviewbot.review.finding import Coverage, CoverageStatus
from reviewbot.review.plan import NO_MODEL, plan
from reviewbot.review.prompt import Briefing
from reviewbot.review.select import select
from reviewbot.review.work import Job, follow_ups, planned_prompt_tokens, prepare
from reviewbot.routing.model import Route, Tier
from reviewbot.routing.router import decide
from reviewbot.routing.rules import RuleSet

#: Length of an answer that was never made, for what Claude would have cost, tokens:
#: a walkthrough and two findings. Replaced by measured lengths wherever a model answered.
ASSUMED_OUTPUT_TOKENS = 600


class Asked(NamedTuple):
    """The final reply to one question, and every call that it took."""

    reply: Reply
    calls: tuple[Call, ...]


class Steps(Protocol):
    """What touches the world, in the order of the flow."""

    def fetch(self) -> Fetched: ...

    def analyze(
        self, change: Change, sources: Sources, *, skip: Collection[str], sql_dialect: str
    ) -> Analysis: ...

    def ask(self, asks: Sequence[Ask]) -> list[Asked]:
        """Put questions to the engines of their roles, several at a time, with retries; one
        `Asked` for each, in order. Each call is in the ledger before it is made."""
        ...

    def record(self, review: Review) -> None: ...

    def publish(self, review: Review) -> None: ...


@dataclass(frozen=True)
class Setup:
    """What a review is done with; the same for all reviews of one process."""

    rules: RuleSet
    policy: Policy
    """The operator's; a repository's own narrows it."""
    lineup: Lineup
    prices: PriceBook
    claude_model: str
    """The model of the "all Claude" comparison."""
    claude_context_tokens: int
    local_context_tokens: int | None


def effective_policy(setup: Setup, fetched: Fetched) -> Policy:
    """The operator's policy, narrowed by the repository's. Raises DocumentError if that is wrong."""
    if fetched.policy is None:
        return setup.policy
    document = load_document(fetched.policy.text, fetched.policy.path)
    return narrow(setup.policy, validate(Policy, document))


def route_change(fetched: Fetched, setup: Setup, policy: Policy) -> Route:
    """Only the decision."""
    return decide(
        fetched.change, setup.rules, policy, local_context_tokens=setup.local_context_tokens
    )


def review_change(steps: Steps, setup: Setup, *, review_id: str, now: datetime) -> Review:
    """Fetch, route, read, anchor, price, record and publish one change."""
    fetched = steps.fetch()
    policy = effective_policy(setup, fetched)
    change, sources = fetched.change, fetched.sources
    route = route_change(fetched, setup, policy)
    analysis = steps.analyze(
        change,
        sources,
        skip={file.path for file in route.files if file.tier is Tier.SKIP},
        sql_dialect=policy.review.sql_dialect,
    )
    never_send = NeverSend(policy.route.never_send)
    planned = plan(change, route, setup.lineup, never_send.covers)
    briefing = _briefing(fetched, policy, analysis)
    prepared = prepare(planned, briefing, setup.lineup, sources=sources.head, notes=_notes(route))
    reads, calls, egress = _ask_all(steps, prepared.jobs, briefing, setup.lineup)
    found = [
        *findings_of(reads, change, sources, setup.lineup),
        *(finding_of(evidence, change) for evidence in analysis.evidence),
    ]
    selection = select(
        found,
        min_severity=Severity(policy.review.min_severity),
        max_findings=policy.review.max_findings,
    )
    coverage = coverage_of(change, planned, reads, prepared.left_out, setup.lineup)
    review = Review(
        id=review_id,
        change=change,
        route=route,
        findings=tuple(with_fingerprint(finding) for finding in selection.findings),
        coverage=coverage,
        calls=calls,
        cost=summarize(calls, all_claude_usd=_all_claude(setup, briefing, calls, coverage, now)),
        created_at=now,
        egress=egress,
        walkthrough=tuple(
            dict.fromkeys(read.answer.walkthrough for read in reads if read.answer.walkthrough)
        ),
        attention=(*planned.attention, *_unread(coverage, route, change)),
        notes=(
            *fetched.notes,
            *setup.lineup.notes,
            *route.notes,
            *analysis.notices,
            *dict.fromkeys(f"{c.model}: {said}" for c in calls for said in c.warnings),
        ),
        dropped=selection.dropped,
    )
    steps.record(review)
    steps.publish(review)
    return review


def _briefing(fetched: Fetched, policy: Policy, analysis: Analysis) -> Briefing:
    by_path: dict[str, list[Evidence]] = {}
    for evidence in analysis.evidence:
        by_path.setdefault(evidence.path, []).append(evidence)
    return Briefing(
        change=fetched.change,
        guidelines=fetched.guidelines if policy.review.guidelines else (),
        instructions=policy.review.instructions,
        path_instructions=_instructions(policy, fetched.change),
        language=policy.review.language,
        evidence=by_path,
    )


def _instructions(policy: Policy, change: Change) -> dict[str, str]:
    """path → the policy's instructions for it."""
    texts: dict[str, list[str]] = {}
    for entry in policy.review.path_instructions:
        spec = GitIgnoreSpec.from_lines(entry.paths)
        for file in change.files:
            if spec.match_file(file.path):
                texts.setdefault(file.path, []).append(entry.text)
    return {path: "\n".join(found) for path, found in texts.items()}


def _notes(route: Route) -> dict[str, str]:
    """path → why it was flagged, for the file's heading in the prompt."""
    return {
        file.path: "; ".join(dict.fromkeys(match.why for match in file.reasons[:3]))
        for file in route.files
        if file.reasons
    }


def _ask_all(
    steps: Steps, jobs: Sequence[Job], briefing: Briefing, lineup: Lineup
) -> tuple[list[Read], tuple[Call, ...], tuple[EgressEntry, ...]]:
    """Ask in rounds until every job has a reply that nothing more can be done about.

    Raises EngineError where a service denies access: the operator must act, and no review that
    silently lacks a model should stand for a real one.
    """
    reads: list[Read] = []
    calls: list[Call] = []
    egress: list[EgressEntry] = []
    while jobs:
        waiting: list[Job] = []
        for job, (reply, made) in zip(
            jobs, steps.ask([job.ask(briefing.change) for job in jobs]), strict=True
        ):
            calls += made
            if lineup.engines[job.role].external:
                egress += job.composed.egress
            if reply.outcome is Outcome.DENIED:
                raise EngineError(
                    f"{lineup.engines[job.role].name}: {reply.detail or 'access denied'}"
                )
            more = follow_ups(job, reply, briefing, lineup)
            waiting += more
            if not more:
                reads.append(Read.of(job, reply))
        jobs = waiting
    return reads, tuple(calls), receipt(egress)


def _unread(coverage: Sequence[Coverage], route: Route, change: Change) -> list[str]:
    """What failed, for the top of the review: an outage never looks like a clean review."""
    lines = []
    failed = [
        entry
        for entry in coverage
        if entry.engine == "none" and entry.status is CoverageStatus.SKIPPED
    ]
    tiers = {file.path: file.tier for file in route.files}
    wanted = [
        entry
        for entry in failed
        if tiers[entry.path] is not Tier.SKIP and not _unreadable(entry, change)
    ]
    for reason, paths in _by_reason(wanted).items():
        risky = sum(tiers[path] is Tier.CLAUDE for path in paths)
        word = f"NOT REVIEWED ({risky} risky)" if risky else "NOT REVIEWED"
        lines.append(f"{word}: {_listed(paths)}: {reason}")
    partial = [entry for entry in coverage if entry.status is CoverageStatus.PARTIAL]
    for reason, paths in _by_reason(partial).items():
        lines.append(f"REVIEWED IN PART: {_listed(paths)}: {reason}")
    no_model = [entry.path for entry in coverage if entry.engine == NO_MODEL]
    if no_model:
        lines.append(f"NO MODEL READ: {_listed(no_model)} (analysers only)")
    if change.missing_files:
        lines.append(
            f"NOT LISTED BY THE HOST: {change.missing_files} files over its limit, not reviewed"
        )
    return lines


def _unreadable(entry: Coverage, change: Change) -> bool:
    file = change.by_path[entry.path]
    return file.is_binary or file.is_submodule


def _by_reason(entries: Sequence[Coverage]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for entry in entries:
        grouped.setdefault(entry.reason, []).append(entry.path)
    return grouped


def _listed(paths: Sequence[str]) -> str:
    shown = ", ".join(paths[:5])
    return shown + (f" and {len(paths) - 5} more" if len(paths) > 5 else "")


def _all_claude(
    setup: Setup,
    briefing: Briefing,
    calls: Sequence[Call],
    coverage: Sequence[Coverage],
    now: datetime,
) -> Decimal:
    """Claude's own calls at their cost, other models' prompts at the Claude model's price with
    the measured lengths, and files that no model read as they would be packed for it."""

    def price(prompt_tokens: int, output_tokens: int) -> Decimal:
        return setup.prices.estimate(
            "anthropic", setup.claude_model, prompt_tokens, output_tokens, at=now
        )

    total = Decimal(0)
    for call in calls:
        if call.provider == "anthropic" and call.model_asked == setup.claude_model:
            total += Decimal(0) if call.unknown else call.usd
        elif call.usage is not None:
            usage = call.usage
            prompt = usage.input + usage.cache_read + usage.cache_write_5m + usage.cache_write_1h
            total += price(prompt, usage.output)
    unread = {entry.path for entry in coverage if entry.engine == NO_MODEL}
    files = [file for file in briefing.change.files if file.path in unread]
    if files:
        context = setup.claude_context_tokens
        tokens, units = planned_prompt_tokens(files, briefing, context_tokens=context)
        total += price(tokens, units * ASSUMED_OUTPUT_TOKENS)
    return total

"""The whole flow as one function over `Steps`: the same for terminal, Action and service.

What is not a step is pure and deterministic, so that a durable runner can replay it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from pathspec import GitIgnoreSpec

from reviewbot.change.model import Change, Sources
from reviewbot.change.source import Fetched
from reviewbot.config.documents import load_document, validate
from reviewbot.config.policy import Policy, narrow, without_policy
from reviewbot.costs.calls import Call
from reviewbot.costs.comparison import all_claude_usd
from reviewbot.costs.prices import PriceBook
from reviewbot.costs.summary import CostSummary, summarize
from reviewbot.errors import DocumentError, EngineError
from reviewbot.privacy.egress import EgressEntry, NeverSend, receipt
from reviewbot.publishing.fingerprint import with_fingerprint
from reviewbot.publishing.result import Review
from reviewbot.review.answer import Severity
from reviewbot.review.assemble import Read, coverage_of, finding_of, findings_of
from reviewbot.review.attention import unread
from reviewbot.review.engine import Ask, Lineup, Outcome, Reply
from reviewbot.review.evidence import Analysis, Evidence
from reviewbot.review.finding import Coverage, CoverageStatus
from reviewbot.review.plan import plan
from reviewbot.review.prompt import Briefing
from reviewbot.review.select import select
from reviewbot.review.work import Job, follow_ups, prepare
from reviewbot.routing.ignored import ignored
from reviewbot.routing.model import Route, Tier
from reviewbot.routing.override import overridden
from reviewbot.routing.router import decide
from reviewbot.routing.rules import RuleSet


class Asked(NamedTuple):
    """The final reply to one question, and every call that it took."""

    reply: Reply
    calls: tuple[Call, ...]
    sends: int
    """How often the prompt was sent: once for each call, or more."""


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
    automatic: bool = False
    """Nobody asked for this review: drafts and what the policy ignores are routed only."""
    tier: Tier | None = None
    """Where a person wants the change to go; None for what the router says."""
    dismissed: frozenset[str] = frozenset()
    """Fingerprints of findings that people do not want to see again."""
    tolerant: bool = False
    """A repository's broken policy is reported on the review, which goes on without it."""


class Effective(NamedTuple):
    """The policy that holds for a change."""

    policy: Policy
    problem: str = ""
    """What is wrong with the repository's own, and what holds instead."""


def effective_policy(setup: Setup, fetched: Fetched) -> Effective:
    """The operator's policy, narrowed by the repository's.

    Raises DocumentError if that is wrong and the setup is not tolerant.
    """
    if fetched.policy is None:
        return Effective(setup.policy)
    text, path = fetched.policy.text, fetched.policy.path
    try:
        return Effective(narrow(setup.policy, validate(Policy, load_document(text, path))))
    except DocumentError as error:
        if setup.tolerant:
            kept, how = without_policy(text, path)
            problem = f"the policy is broken and does not hold: {error}. Until it is mended {how}"
            return Effective(narrow(setup.policy, kept), problem)
        where = "read from the base of the change, not from the change itself"
        hint = f"{error.hint}; {where}" if error.hint else where
        raise DocumentError(error.source, error.line, error.problem, hint) from None


def route_change(fetched: Fetched, setup: Setup, policy: Policy) -> Route:
    """Only the decision."""
    route = decide(
        fetched.change, setup.rules, policy, local_context_tokens=setup.local_context_tokens
    )
    return overridden(route, setup.tier) if setup.tier else route


def review_change(steps: Steps, setup: Setup, *, review_id: str, now: datetime) -> Review:
    """Fetch, route, read, anchor, price, record and publish one change."""
    fetched = steps.fetch()
    policy, broken = effective_policy(setup, fetched)
    change, sources = fetched.change, fetched.sources
    route = route_change(fetched, setup, policy)
    if why := _left_alone(fetched, setup, policy, route):
        review = _routed_only(fetched, route, why, broken, review_id, now)
        steps.record(review)
        steps.publish(review)
        return review
    analysis = steps.analyze(
        change,
        sources,
        skip={file.path for file in route.files if file.tier is Tier.SKIP},
        sql_dialect=policy.review.sql_dialect,
    )
    never_send = NeverSend(policy.route.never_send)
    planned = plan(change, route, setup.lineup, never_send.covers)
    briefing = _briefing(fetched, policy, analysis, never_send)
    prepared = prepare(planned, briefing, setup.lineup, sources=sources.head, notes=_notes(route))
    answers = _ask_all(steps, prepared.jobs, briefing, setup.lineup)
    reads, calls = [read for read, _ in answers.reads], answers.calls
    found = [
        *findings_of(reads, change, sources, setup.lineup),
        *(finding_of(evidence, change) for evidence in analysis.evidence),
    ]
    silenced = [with_fingerprint(finding) for finding in found]
    selection = select(
        [finding for finding in silenced if finding.fingerprint not in setup.dismissed],
        min_severity=Severity(policy.review.min_severity),
        max_findings=policy.review.max_findings,
    )
    coverage = coverage_of(change, planned, reads, prepared.left_out, setup.lineup)
    review = Review(
        id=review_id,
        change=change,
        route=route,
        findings=selection.findings,
        coverage=coverage,
        calls=calls,
        cost=summarize(
            calls,
            all_claude_usd=all_claude_usd(
                answers.reads,
                coverage,
                briefing,
                setup.prices,
                model=setup.claude_model,
                context_tokens=setup.claude_context_tokens,
                at=now,
            ),
        ),
        created_at=now,
        egress=answers.egress,
        walkthrough=tuple(
            dict.fromkeys(read.answer.walkthrough for read in reads if read.answer.walkthrough)
        ),
        attention=(
            *([broken] if broken else []),
            *planned.attention,
            *unread(coverage, route, change),
        ),
        notes=(
            *fetched.notes,
            *setup.lineup.notes,
            *route.notes,
            *analysis.notices,
            *dict.fromkeys(f"{c.model}: {said}" for c in calls for said in c.warnings),
        ),
        dropped=selection.dropped,
        worst=selection.worst,
    )
    steps.record(review)
    steps.publish(review)
    return review


def _left_alone(fetched: Fetched, setup: Setup, policy: Policy, route: Route) -> str:
    """Why a change is routed only; empty if it is reviewed. A risky one always is."""
    if not setup.automatic:
        return ""
    if fetched.draft and not policy.review.drafts:
        return "a draft: it is reviewed when it is ready, or when somebody asks"
    if route.tier is Tier.CLAUDE:
        return ""
    return ignored(
        policy,
        author=fetched.author,
        labels=fetched.labels,
        branch=fetched.branch,
        title=fetched.change.title,
    )


def _routed_only(
    fetched: Fetched, route: Route, why: str, broken: str, review_id: str, now: datetime
) -> Review:
    return Review(
        id=review_id,
        change=fetched.change,
        route=route,
        findings=(),
        coverage=tuple(
            Coverage(file.path, CoverageStatus.SKIPPED, "none", why)
            for file in fetched.change.files
        ),
        calls=(),
        cost=CostSummary(),
        created_at=now,
        attention=(broken,) if broken else (),
        notes=fetched.notes,
        left_alone=why,
    )


def _briefing(
    fetched: Fetched, policy: Policy, analysis: Analysis, never_send: NeverSend
) -> Briefing:
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
        never_send=frozenset(file.path for file in fetched.change.files if never_send.covers(file)),
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


@dataclass(frozen=True)
class _Answers:
    """What all questions came to."""

    reads: tuple[tuple[Read, tuple[Call, ...]], ...]
    """Each job with its final reply, and the calls that took."""
    calls: tuple[Call, ...]
    egress: tuple[EgressEntry, ...]


def _ask_all(steps: Steps, jobs: Sequence[Job], briefing: Briefing, lineup: Lineup) -> _Answers:
    """Ask in rounds until every job has a reply that nothing more can be done about.

    Raises EngineError where nothing was answered and a service denied access: the operator must
    act. Where some was, the review says which part is missing.
    """
    reads: list[tuple[Read, tuple[Call, ...]]] = []
    calls: list[Call] = []
    egress: list[EgressEntry] = []
    while jobs:
        waiting: list[Job] = []
        asked = steps.ask([job.ask(briefing.change) for job in jobs])
        for job, (reply, made, sends) in zip(jobs, asked, strict=True):
            calls += made
            if lineup.engines[job.role].external:
                egress += job.composed.egress * sends
            more = follow_ups(job, reply, briefing, lineup)
            waiting += more
            if not more:
                reads.append((Read.of(job, reply), made))
        jobs = waiting
    denied = [read for read, _ in reads if read.reply.outcome is Outcome.DENIED]
    if denied and all(read.nothing_read for read, _ in reads):
        name = lineup.engines[denied[0].job.role].name
        raise EngineError(f"{name}: {denied[0].reply.detail or 'access denied'}")
    return _Answers(tuple(reads), tuple(calls), receipt(egress))

"""The whole flow as one function over `Steps`: the same for terminal, Action and service.

What is not a step is pure and deterministic, so that a durable runner can replay it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from reviewbot.change.model import Change, Sources
from reviewbot.change.source import Fetched
from reviewbot.config.documents import load_document, validate
from reviewbot.config.policy import Policy, narrow, without_policy
from reviewbot.costs.calls import Call
from reviewbot.costs.comparison import all_claude_usd
from reviewbot.costs.prices import PriceBook
from reviewbot.costs.summary import summarize
from reviewbot.errors import DocumentError, EngineError
from reviewbot.privacy.egress import EgressEntry, NeverSend, receipt
from reviewbot.publishing.fingerprint import with_fingerprint
from reviewbot.publishing.result import Review
from reviewbot.review.anchor import Anchors
from reviewbot.review.answer import Severity
from reviewbot.review.assemble import Read, coverage_of, finding_of, findings_of
from reviewbot.review.attention import unread
from reviewbot.review.briefing import briefing_of, file_notes
from reviewbot.review.doubt import doubt_job, opinion_of, settled, with_uncertain
from reviewbot.review.engine import Ask, Counted, Lineup, Outcome, Prompt, Reply, Role
from reviewbot.review.evidence import Analysis
from reviewbot.review.finding import Coverage, CoverageStatus
from reviewbot.review.passes import Part, agreed, parts_of
from reviewbot.review.plan import plan
from reviewbot.review.prompt import Briefing
from reviewbot.review.select import select
from reviewbot.review.verify import Standing, trial
from reviewbot.review.work import Job, follow_ups, prepare
from reviewbot.routing.ignored import ignored
from reviewbot.routing.model import Route, Tier
from reviewbot.routing.override import overridden
from reviewbot.routing.router import areas_of, decide
from reviewbot.routing.rules import RuleSet, policy_rules


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

    def count(self, role: Role, prompt: Prompt, texts: Sequence[str]) -> Counted | None:
        """Exact tokens by the vocabulary of the role's engine; None where they can't be had.
        Asked only where its `EngineFacts` say that it counts."""
        ...

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
    """Fetch, route, read, anchor, judge, price, record and publish one change."""
    fetched = steps.fetch()
    policy, broken = effective_policy(setup, fetched)
    change, sources = fetched.change, fetched.sources
    never_send = NeverSend(policy.route.never_send)
    talk = _Talk(steps, change, setup.lineup)
    route, why = _route(talk, fetched, setup, policy, never_send)
    if why:
        review = _routed_only(fetched, route, why, broken, talk, review_id, now)
        steps.record(review)
        steps.publish(review)
        return review
    analysis = steps.analyze(
        change,
        sources,
        skip={file.path for file in route.files if file.tier is Tier.SKIP},
        sql_dialect=policy.review.sql_dialect,
    )
    planned = plan(change, route, setup.lineup, never_send.covers)
    briefing = briefing_of(fetched, policy, analysis, never_send)
    prepared = prepare(
        planned,
        briefing,
        setup.lineup,
        sources=sources.head,
        notes=file_notes(route),
        count=steps.count,
        passes=policy.review.passes,
        again=policy.review.verify,
    )
    answers = _ask_all(talk, prepared.jobs, briefing)
    parts = parts_of(read for read, _ in answers)
    reads = [part.best for part in parts]
    judged = _judged(talk, parts, fetched, setup, policy)
    found = [with_fingerprint(finding_of(evidence, change)) for evidence in analysis.evidence]
    selection = select(
        [*judged.findings, *(f for f in found if f.fingerprint not in setup.dismissed)],
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
        calls=tuple(talk.calls),
        cost=summarize(
            talk.calls,
            all_claude_usd=all_claude_usd(
                [answer for answer in answers if any(answer[0] is read for read in reads)],
                coverage,
                briefing,
                setup.prices,
                model=setup.claude_model,
                context_tokens=setup.claude_context_tokens,
                at=now,
            ),
        ),
        created_at=now,
        egress=receipt(talk.egress),
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
            *(part.shortfall for part in parts if part.shortfall),
            *judged.notes,
            *dict.fromkeys(f"{c.model}: {said}" for c in talk.calls for said in c.warnings),
        ),
        dropped={**(+judged.dropped), **selection.dropped},
        worst=selection.worst,
    )
    steps.record(review)
    steps.publish(review)
    return review


def _route(
    talk: "_Talk", fetched: Fetched, setup: Setup, policy: Policy, never_send: NeverSend
) -> tuple[Route, str]:
    """Where the change goes, and why it is routed only; empty if it is reviewed."""
    route = route_change(fetched, setup, policy)
    if why := _left_alone(fetched, setup, policy, route):
        return route, why
    if policy.route.uncertain == "ask" and route.certainty == "uncertain" and not setup.tier:
        route = _asked(talk, fetched, setup, policy, never_send, route)
    return route, _left_alone(fetched, setup, policy, route)


def _asked(
    talk: "_Talk",
    fetched: Fetched,
    setup: Setup,
    policy: Policy,
    never_send: NeverSend,
    route: Route,
) -> Route:
    """The route of a change that the rules leave in doubt: as it is, with Claude, unless the
    local model says clearly that it needs no careful review."""
    spared = route_change(fetched, setup, with_uncertain(policy, "local"))
    if [file.tier for file in spared.files] == [file.tier for file in route.files]:
        return route
    areas = areas_of((setup.rules, policy_rules(policy.route.rules)), policy)
    briefing = briefing_of(fetched, policy, Analysis(), never_send)
    local = setup.lineup.get("local")
    job = doubt_job(
        route, areas, briefing, local, sources=fetched.sources.head, count=talk.steps.count
    )
    if isinstance(job, str):
        return settled(route, spared, job)
    try:
        [asked] = talk.ask([job])
    except EngineError as error:
        return settled(route, spared, f"it failed: {error}")
    return settled(route, spared, opinion_of(asked.reply))


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
    fetched: Fetched,
    route: Route,
    why: str,
    broken: str,
    talk: "_Talk",
    review_id: str,
    now: datetime,
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
        calls=tuple(talk.calls),
        cost=summarize(talk.calls),
        created_at=now,
        egress=receipt(talk.egress),
        attention=(broken,) if broken else (),
        notes=fetched.notes,
        left_alone=why,
    )


@dataclass
class _Talk:
    """Questions put to engines, what they cost, and what left for them."""

    steps: Steps
    change: Change
    lineup: Lineup
    calls: list[Call] = field(default_factory=list)
    egress: list[EgressEntry] = field(default_factory=list)

    def ask(self, jobs: Sequence[Job]) -> list[Asked]:
        """One answer for each job, in order. Raises EngineError as engines do."""
        asked = self.steps.ask([job.ask(self.change) for job in jobs])
        for job, (_, made, sends) in zip(jobs, asked, strict=True):
            self.calls += made
            if self.lineup.engines[job.role].external:
                self.egress += job.composed.egress * sends
        return asked


def _ask_all(
    talk: _Talk, jobs: Sequence[Job], briefing: Briefing
) -> list[tuple[Read, tuple[Call, ...]]]:
    """Ask in rounds until every job has a reply that nothing more can be done about: each job
    with its final reply, and the calls that took.

    Raises EngineError where nothing was answered and a service denied access: the operator must
    act. Where some was, the review says which part is missing.
    """
    reads: list[tuple[Read, tuple[Call, ...]]] = []
    while jobs:
        waiting: list[Job] = []
        for job, (reply, made, _) in zip(jobs, talk.ask(jobs), strict=True):
            more = follow_ups(job, reply, briefing, talk.lineup)
            waiting += more
            if not more:
                reads.append((Read.of(job, reply), made))
        jobs = waiting
    denied = [read for read, _ in reads if read.reply.outcome is Outcome.DENIED]
    if denied and all(read.nothing_read for read, _ in reads):
        name = talk.lineup.engines[denied[0].job.role].name
        raise EngineError(f"{name}: {denied[0].reply.detail or 'access denied'}")
    return reads


def _judged(
    talk: _Talk,
    parts: Sequence[Part],
    fetched: Fetched,
    setup: Setup,
    policy: Policy,
) -> Standing:
    """What the passes over each part agree on and, where the policy asks for it, what the local
    model stands by when it is asked again."""
    standing, trials = Standing(), []
    anchors = Anchors(fetched.change, fetched.sources.head)
    for part in parts:
        said = [
            [with_fingerprint(finding) for finding in findings_of(read, anchors, setup.lineup)]
            for read in part.answers
        ]
        agreement = agreed(said)
        standing.dropped["no agreement"] += agreement.alone
        wanted = [f for f in agreement.findings if f.fingerprint not in setup.dismissed]
        job = part.best.job
        if policy.review.verify and job.role == "local" and wanted:
            trials.append(trial(job, wanted, setup.lineup.engines[job.role]))
        else:
            standing.findings += wanted
    if trials:
        try:
            replies = [asked.reply for asked in talk.ask([each.job for each in trials])]
            standing.judged(trials, replies)
        except EngineError as error:
            standing.unjudged(trials, str(error))
    return standing

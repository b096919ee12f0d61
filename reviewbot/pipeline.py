"""The whole flow as one function over `Steps`: the same for terminal, Action and service.

What is not a step is pure and deterministic, so that a durable runner can replay it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple, Protocol

from reviewbot.change.model import Change, Sources
from reviewbot.change.source import Fetched
from reviewbot.comparing import Comparison, compare, is_sampled
from reviewbot.config.documents import load_document, validate
from reviewbot.config.policy import Budget, Policy, narrow, without_policy
from reviewbot.costs.budget import Payer, Spending
from reviewbot.costs.calls import Call
from reviewbot.costs.comparison import all_claude_usd
from reviewbot.costs.prices import PriceBook
from reviewbot.costs.summary import summarize
from reviewbot.errors import DocumentError, EngineError
from reviewbot.escalating import second_opinions
from reviewbot.privacy.egress import NeverSend, receipt
from reviewbot.publishing.fingerprint import with_fingerprint
from reviewbot.publishing.result import Review
from reviewbot.publishing.spending import budget_notes
from reviewbot.reading import Asked, Talk, ask_all, judged
from reviewbot.refining import with_drafts
from reviewbot.review.answer import Severity
from reviewbot.review.assemble import Read, coverage_of, finding_of
from reviewbot.review.attention import held_line, over_budget, unread
from reviewbot.review.briefing import briefing_of, file_notes
from reviewbot.review.doubt import doubt_job, opinion_of, settled, with_uncertain
from reviewbot.review.engine import Ask, Counted, Lineup, Outcome, Prompt, Reply, Role
from reviewbot.review.evidence import Analysis
from reviewbot.review.finding import Coverage, CoverageStatus
from reviewbot.review.passes import Part, parts_of
from reviewbot.review.plan import Plan, plan
from reviewbot.review.prompt import Briefing
from reviewbot.review.select import select
from reviewbot.review.verify import Standing
from reviewbot.review.work import Job, follow_ups, prepare, read_here
from reviewbot.routing.ignored import ignored
from reviewbot.routing.model import Route, Tier
from reviewbot.routing.override import overridden
from reviewbot.routing.router import areas_of, decide
from reviewbot.routing.rules import RuleSet, policy_rules


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

    def too_dear(self, asks: Sequence[Ask]) -> str:
        """Why the budget would not cover these questions together; empty if it does."""
        ...

    def spending(self, payer: Payer, budget: Budget) -> Spending:
        """What is spent by now, this review included, and the caps that hold."""
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
    talk = Talk(steps, fetched, setup.lineup, policy)
    route, why = _route(talk, fetched, setup, policy, never_send)
    if why:
        review = replace(_nothing_read(talk, route, broken, review_id, now), left_alone=why)
        return _ended(steps, replace(review, coverage=_skipped(change, why)))
    analysis = steps.analyze(
        change,
        sources,
        skip={file.path for file in route.files if file.tier is Tier.SKIP},
        sql_dialect=policy.review.sql_dialect,
    )
    lineup = setup.lineup.using(policy.route.engines)
    planned = plan(change, route, lineup, never_send.covers)
    briefing = briefing_of(fetched, policy, analysis, never_send)
    prepared = prepare(
        planned,
        briefing,
        setup.lineup,
        sources=talk.texts,
        notes=file_notes(route),
        count=steps.count,
        passes=policy.review.passes,
        again=policy.review.verify,
    )
    if why := _too_dear(steps, talk, prepared.jobs):
        review = _nothing_read(talk, route, broken, review_id, now)
        spending = steps.spending(talk.payer, policy.budget)
        return _ended(steps, _held(review, planned, spending, why))

    reading = _read(talk, setup, prepared.jobs, briefing, route)
    reads, standing, compared = reading.reads, reading.standing, reading.compared
    found = [with_fingerprint(finding_of(evidence, change)) for evidence in analysis.evidence]
    selection = select(
        [*compared.findings, *(f for f in found if f.fingerprint not in setup.dismissed)],
        min_severity=Severity(policy.review.min_severity),
        max_findings=policy.review.max_findings,
    )
    coverage = coverage_of(change, planned, reads, prepared.left_out, setup.lineup)
    spending = steps.spending(talk.payer, policy.budget)
    held = _held_back(reads, policy)
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
                [each for each in reading.answers if any(each[0] is read for read in reads)],
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
            *([held_line(held)] if held else []),
            *planned.attention,
            *over_budget(reads),
            *unread(coverage, route, change),
        ),
        notes=(
            *fetched.notes,
            *lineup.notes,
            *route.notes,
            *analysis.notices,
            *(part.shortfall for part in reading.parts if part.shortfall),
            *standing.notes,
            *([compared.note] if compared.note else []),
            *budget_notes(spending, change.repository or ""),
            *dict.fromkeys(f"{c.model}: {said}" for c in talk.calls for said in c.warnings),
        ),
        dropped={**(+standing.dropped), **selection.dropped},
        worst=selection.worst,
        spending=spending,
        held=held,
        regret=compared.regret,
    )
    return _ended(steps, review)


class _Reading(NamedTuple):
    """What the models said."""

    answers: Sequence[tuple[Read, tuple[Call, ...]]]
    """Every final reply, with the calls that it took."""
    parts: Sequence[Part]
    reads: Sequence[Read]
    """The reading that stands for each part."""
    standing: Standing
    compared: Comparison


def _read(
    talk: Talk, setup: Setup, jobs: Sequence[Job], briefing: Briefing, route: Route
) -> _Reading:
    """Put all questions; what the budget does not cover goes to the local model, unless it is to be
    held."""
    policy, lineup = talk.policy, setup.lineup
    jobs, refined = with_drafts(talk, jobs, briefing, file_notes(route))

    def more_after(job: Job, reply: Reply) -> Sequence[Job]:
        more = follow_ups(job, reply, briefing, lineup)
        if more or policy.budget.when_exhausted == "hold":
            return more
        passes, again = policy.review.passes, policy.review.verify
        return read_here(job, reply, briefing, lineup, passes=passes, again=again)

    answers = ask_all(talk, jobs, more_after)
    parts = parts_of(read for read, _ in answers)
    reads = [part.best for part in parts]
    standing = judged(talk, parts, setup.dismissed)
    second_opinions(talk, standing, briefing)
    standing.notes += [refined] if refined else []
    compared = Comparison(tuple(standing.findings), None, "")
    if setup.automatic and is_sampled(talk, route):
        compared = compare(talk, reads, standing.findings, briefing, route, setup.dismissed)
    return _Reading(answers, parts, reads, standing, compared)


def _ended(steps: Steps, review: Review) -> Review:
    steps.record(review)
    steps.publish(review)
    return review


def _too_dear(steps: Steps, talk: Talk, jobs: Sequence[Job]) -> str:
    """Why the review is not begun: it would not be done as the policy wants it."""
    paid = [job for job in jobs if talk.lineup.engines[job.role].external]
    if not paid or talk.policy.budget.when_exhausted != "hold":
        return ""
    return steps.too_dear(talk.questions(paid))


def _held_back(reads: Sequence[Read], policy: Policy) -> str:
    """Why parts of a review that has begun wait for a person."""
    if policy.budget.when_exhausted != "hold":
        return ""
    unpaid = (read.reply for read in reads if read.reply.outcome is Outcome.OVER_BUDGET)
    return next((reply.detail for reply in unpaid), "")


def _route(
    talk: Talk, fetched: Fetched, setup: Setup, policy: Policy, never_send: NeverSend
) -> tuple[Route, str]:
    """Where the change goes, and why it is routed only; empty if it is reviewed."""
    route = route_change(fetched, setup, policy)
    if why := _left_alone(fetched, setup, policy, route):
        return route, why
    if policy.route.uncertain == "ask" and route.certainty == "uncertain" and not setup.tier:
        route = _asked(talk, fetched, setup, policy, never_send, route)
    return route, _left_alone(fetched, setup, policy, route)


def _asked(
    talk: Talk,
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
    job = doubt_job(route, areas, briefing, local, sources=talk.texts, count=talk.steps.count)
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


def _nothing_read(talk: Talk, route: Route, broken: str, review_id: str, now: datetime) -> Review:
    """What is known of a change that no model has read."""
    return Review(
        id=review_id,
        change=talk.change,
        route=route,
        findings=(),
        coverage=(),
        calls=tuple(talk.calls),
        cost=summarize(talk.calls),
        created_at=now,
        egress=receipt(talk.egress),
        attention=(broken,) if broken else (),
        notes=talk.fetched.notes,
    )


def _skipped(change: Change, why: str) -> tuple[Coverage, ...]:
    return tuple(Coverage(file.path, CoverageStatus.SKIPPED, "none", why) for file in change.files)


def _held(review: Review, planned: Plan, spending: Spending, why: str) -> Review:
    """A review that waits for a person, since the budget does not cover it."""
    settled = {entry.path: entry for entry in planned.coverage}
    waiting = _skipped(review.change, "held: budget used up")
    return replace(
        review,
        held=why,
        coverage=tuple(settled.get(entry.path, entry) for entry in waiting),
        attention=(*review.attention, held_line(why)),
        notes=(
            *review.notes,
            *review.route.notes,
            *budget_notes(spending, review.change.repository or ""),
        ),
        spending=spending,
    )

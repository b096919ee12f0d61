"""The whole flow as one function over `Steps`: the same for terminal, Action and service.

What is not a step is pure and deterministic, so that a durable runner can replay it.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple, Protocol

from reviewbot.change.identity import followed
from reviewbot.change.model import Change, Sources
from reviewbot.change.source import Fetched
from reviewbot.comparing import Comparison, compare, is_sampled
from reviewbot.config.policy import Budget, Policy
from reviewbot.costs.budget import Payer, Spending
from reviewbot.costs.calls import Call
from reviewbot.costs.comparison import all_claude_usd
from reviewbot.costs.summary import summarize
from reviewbot.deciding import Effective, Setup, decided, effective_policy, route_change
from reviewbot.escalating import second_opinions
from reviewbot.fixing import with_fixes
from reviewbot.privacy.egress import NeverSend, receipt
from reviewbot.publishing.fingerprint import with_fingerprint
from reviewbot.publishing.life import Seen, lived
from reviewbot.publishing.result import Review
from reviewbot.publishing.rounds import Earlier, listed_only, progressed
from reviewbot.publishing.spending import budget_notes
from reviewbot.reading import Asked, Talk, ask_all, judged
from reviewbot.refining import with_drafts
from reviewbot.review.already import ReadBefore, left_to_read, read_now, whole, with_before
from reviewbot.review.answer import Severity
from reviewbot.review.assemble import Read, coverage_of, finding_of
from reviewbot.review.attention import held_line, over_budget, unread
from reviewbot.review.briefing import briefing_of, file_notes
from reviewbot.review.engine import Ask, Counted, Outcome, Prompt, Reply, Role
from reviewbot.review.evidence import Analysis
from reviewbot.review.finding import Coverage, CoverageStatus
from reviewbot.review.passes import Part, parts_of
from reviewbot.review.plan import Plan, plan
from reviewbot.review.prompt import Briefing
from reviewbot.review.select import select
from reviewbot.review.strategy import strategy_name
from reviewbot.review.verify import Standing
from reviewbot.review.work import Job, follow_ups, prepare, read_here
from reviewbot.routing.model import Route, Tier

__all__ = ["Effective", "Setup", "Steps", "effective_policy", "review_change", "route_change"]


class Steps(Protocol):
    """What touches the world, in the order of the flow."""

    def earlier(self) -> Earlier:
        """What earlier reviews of the pull request left behind; nothing where nobody knows."""
        ...

    def fetch(self, also: Collection[str]) -> Fetched:
        """The change, and the texts of the files `also` where they are not part of it."""
        ...

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


def review_change(steps: Steps, setup: Setup, *, review_id: str, now: datetime) -> Review:
    """Fetch, route, read, anchor, judge, price, record and publish one change."""
    earlier = steps.earlier()
    fetched = steps.fetch(earlier.paths)
    policy, broken = effective_policy(setup, fetched)
    change, sources = fetched.change, fetched.sources
    never_send = NeverSend(policy.route.never_send)
    talk = Talk(steps, fetched, setup.lineup, policy)
    before = earlier.read if setup.automatic else ReadBefore()  # who asks wants all of it read
    route, why = decided(talk, fetched, setup, policy, never_send, before)
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
    left = left_to_read(change, plan(change, route, lineup, never_send.covers), before)
    planned = left.plan
    briefing = replace(
        briefing_of(fetched, policy, analysis, never_send), in_part=left.some_was_read
    )
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
    seen = Seen(change, sources, followed(change, earlier.read.edits), setup.dismissed)
    if why := _too_dear(steps, talk, prepared.jobs):
        review = _nothing_read(talk, route, broken, review_id, now)
        progress = progressed(earlier, lived(earlier.lives, (), seen), seen)
        spending = steps.spending(talk.payer, policy.budget)
        return _ended(steps, _held(replace(review, progress=progress), planned, spending, why))

    reading = _read(talk, setup, prepared.jobs, briefing, route, planned)
    reads, standing, compared = reading.reads, reading.standing, reading.compared
    found = [with_fingerprint(finding_of(evidence, change)) for evidence in analysis.evidence]
    coverage = with_before(
        coverage_of(change, planned, reads, prepared.left_out, setup.lineup), left.before
    )
    seen = seen._replace(
        read=whole(coverage, reads), ran=frozenset(analysis.ran), analyzed=analysis.paths
    )
    said = [*compared.findings, *(f for f in found if f.fingerprint not in setup.dismissed)]
    lives = lived(earlier.lives, said, seen)
    selection = select(
        lives.new,
        min_severity=Severity(policy.review.min_severity),
        max_findings=policy.review.max_findings,
    )
    fixed = with_fixes(talk, selection.findings, briefing)
    findings = fixed.findings
    progress = progressed(
        earlier,
        lives,
        seen,
        review_id=review_id,
        findings=findings,
        read=read_now(change, left, coverage, reads, earlier.read),
    )
    spending = steps.spending(talk.payer, policy.budget)
    held = _held_back(reads, policy)
    review = Review(
        id=review_id,
        change=change,
        route=route,
        findings=findings,
        coverage=coverage,
        calls=tuple(talk.calls),
        cost=summarize(
            talk.calls,
            all_claude_usd=all_claude_usd(
                [
                    *(each for each in reading.answers if any(each[0] is read for read in reads)),
                    *fixed.answers,
                ],
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
            *([fixed.note] if fixed.note else []),
            *budget_notes(spending, change.repository or ""),
            *dict.fromkeys(f"{c.model}: {said}" for c in talk.calls for said in c.warnings),
        ),
        dropped={
            **(+standing.dropped),
            **selection.dropped,
            **listed_only(findings, progress),
        },
        worst=selection.worst,
        spending=spending,
        held=held,
        regret=compared.regret,
        strategy=strategy_name(
            (read.job.role for read in reads if not read.nothing_read), policy, setup.lineup
        ),
        progress=progress,
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
    talk: Talk,
    setup: Setup,
    jobs: Sequence[Job],
    briefing: Briefing,
    route: Route,
    planned: Plan,
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
    if setup.automatic and reads and is_sampled(talk, route):
        files = [file for each in planned.assignments for file in each.files]
        compared = compare(talk, files, reads, standing.findings, briefing, route, setup.dismissed)
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

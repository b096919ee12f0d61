"""Where a change goes, and whether it is reviewed at all: by rules and policy, whole, before any
model reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from reviewbot.change.source import Fetched
from reviewbot.config.documents import load_document, validate
from reviewbot.config.policy import Policy, narrow, without_policy
from reviewbot.costs.prices import PriceBook
from reviewbot.errors import DocumentError, EngineError
from reviewbot.privacy.egress import NeverSend
from reviewbot.reading import Talk
from reviewbot.review.already import ReadBefore, left_to_read
from reviewbot.review.briefing import briefing_of
from reviewbot.review.doubt import (
    about_code,
    doubt_job,
    opinion_of,
    raised,
    settled,
    unchanged,
    with_uncertain,
)
from reviewbot.review.engine import Lineup, Role
from reviewbot.review.evidence import Analysis
from reviewbot.review.plan import plan
from reviewbot.review.risk import Opinion
from reviewbot.routing.ignored import ignored
from reviewbot.routing.model import Route, Tier
from reviewbot.routing.override import overridden
from reviewbot.routing.router import areas_of, decide
from reviewbot.routing.rules import Area, RuleSet, policy_rules, switched_on

#: `route.uncertain` → the role that is asked about a change in doubt, and its name for people.
ASKED: Mapping[str, tuple[Role, str]] = {
    "ask": ("local", "the local model"),
    "ask_claude": ("claude", "Claude"),
}


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
        where = "read from the default branch or the base commit, not from the change itself"
        hint = f"{error.hint}; {where}" if error.hint else where
        raise DocumentError(error.source, error.line, error.problem, hint) from None


def route_change(fetched: Fetched, setup: Setup, policy: Policy) -> Route:
    """Only the decision."""
    route = decide(
        fetched.change, setup.rules, policy, local_context_tokens=setup.local_context_tokens
    )
    return overridden(route, setup.tier) if setup.tier else route


def decided(
    talk: Talk,
    fetched: Fetched,
    setup: Setup,
    policy: Policy,
    never_send: NeverSend,
    before: ReadBefore,
) -> tuple[Route, str]:
    """Where the change goes, and why it is routed only; empty if it is reviewed."""
    route = route_change(fetched, setup, policy)
    if why := _left_alone(fetched, setup, policy, route):
        return route, why
    if setup.tier:
        return route, ""
    doubt = _Doubt(talk, fetched, setup, policy, never_send, before)
    if policy.route.uncertain in ASKED and route.certainty == "uncertain":
        route = doubt.settled(route)
    elif policy.route.ordinary == "ask" and route.tier is Tier.LOCAL:
        route = doubt.raised(route)
    return route, _left_alone(fetched, setup, policy, route)


@dataclass(frozen=True)
class _Doubt:
    """What a model is asked of a change before it is read. It is not asked about what has been read."""

    talk: Talk
    fetched: Fetched
    setup: Setup
    policy: Policy
    never_send: NeverSend
    before: ReadBefore

    def settled(self, route: Route) -> Route:
        """The route of a change that the rules leave in doubt: as it is, with Claude, unless the
        model that is asked says clearly that it needs no careful review."""
        spared = route_change(self.fetched, self.setup, with_uncertain(self.policy, "local"))
        if [file.tier for file in spared.files] == [file.tier for file in route.files]:
            return route
        if self._nothing_is_new(spared):
            return unchanged(spared)
        role, who = ASKED[self.policy.route.uncertain]
        return settled(route, spared, self._opinion(route, role), who=who)

    def raised(self, route: Route) -> Route:
        """The route of a change that the rules send to the local model: as it is, unless that says
        clearly that it needs a careful review. It is asked about the files that rules look at, and
        nobody is where there is none of them or no local model."""
        shown = about_code(self.fetched.change, route)
        if shown.tier is Tier.SKIP or self.setup.lineup.get("local") is None:
            return route
        if self._nothing_is_new(route):
            return unchanged(route)
        return raised(route, self._opinion(shown, "local"), self._areas())

    def _nothing_is_new(self, route: Route) -> bool:
        if not self.before.files:
            return False
        lineup = self.setup.lineup.using(self.policy.route.engines)
        planned = plan(self.fetched.change, route, lineup, self.never_send.covers)
        return left_to_read(self.fetched.change, planned, self.before).nothing

    def _opinion(self, route: Route, role: Role) -> Opinion | str:
        """What the engine of a role says, or why it says nothing."""
        briefing = briefing_of(self.fetched, self.policy, Analysis(), self.never_send)
        facts, steps = self.setup.lineup.get(role), self.talk.steps
        job = doubt_job(
            route,
            self._areas(),
            briefing,
            role,
            facts,
            sources=self.talk.texts,
            count=steps.count,
        )
        if isinstance(job, str):
            return job
        try:
            [asked] = self.talk.ask([job])
        except EngineError as error:
            return f"it failed: {error}"
        return opinion_of(asked.reply)

    def _areas(self) -> dict[str, Area]:
        route = self.policy.route
        shipped = switched_on(self.setup.rules, frozenset(route.also))
        return areas_of((shipped, policy_rules(route.rules)), self.policy)


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

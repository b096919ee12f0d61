"""One merged change, put through the real router and prompt packer under every strategy.

No model is asked. Token counts are estimates (docs/decisions/0002-token-estimates.md); what
analysers would add to a prompt is left out, some tokens a file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from reviewbot.change.model import Change, FileChange, Sources
from reviewbot.change.source import Document, Fetched
from reviewbot.config.policy import Policy, RoutePolicy
from reviewbot.privacy.egress import NeverSend
from reviewbot.review.engine import EngineFacts, Lineup, Role
from reviewbot.review.plan import plan
from reviewbot.review.prompt import Briefing
from reviewbot.review.units import Section, sections_of
from reviewbot.review.work import planned_prompt_tokens
from reviewbot.routing.ignored import ignored
from reviewbot.routing.model import Route, Tier
from reviewbot.routing.override import overridden
from reviewbot.routing.router import decide
from reviewbot.routing.rules import RuleSet, optional_alone

#: Context of every paid model in the forecast, tokens: a unit of a review needs no more.
PAID_CONTEXT_TOKENS = 100_000


class Strategy(StrEnum):
    """Who reads what."""

    CLAUDE = "claude"
    """Claude reads everything."""
    PULL_REQUEST = "hybrid_pull_request"
    """Claude reads every change that a rule flags, the local model the others."""
    FILE = "hybrid_file"
    """Claude reads the flagged files, the local model all others."""
    CHEAP_PULL_REQUEST = "cheap_pull_request"
    """As `PULL_REQUEST`, with a cheap Claude model in place of the local one."""
    CHEAP_FILE = "cheap_file"
    LOCAL = "local"
    """The local model reads everything."""
    DIFFICULTY = "difficulty"
    """As `PULL_REQUEST`, and Claude reads difficult changes, too: the optional areas are on."""
    NAMED = "named"
    """As the policy's granularity says, with the engines that are named for areas, languages and
    tiers; only where there are such."""


#: Those that have a local model.
WITH_HARDWARE = frozenset(
    {Strategy.PULL_REQUEST, Strategy.FILE, Strategy.LOCAL, Strategy.DIFFICULTY, Strategy.NAMED}
)


class Prompts(NamedTuple):
    """What one engine is asked for one change."""

    calls: int = 0
    tokens: int = 0
    """Estimated tokens of all prompts."""


@dataclass(frozen=True)
class Replayed:
    """What one merged change would take."""

    sha: str
    at: datetime
    """When it was merged, UTC."""
    tier: Tier
    """Where the whole change goes."""
    areas: tuple[str, ...]
    ignored: bool
    """The policy leaves it unreviewed: a bot's, usually. Nothing is asked."""
    prompts: Mapping[Strategy, Mapping[Role, Prompts]]
    """By strategy, for each role that reads something."""
    difficult: bool = False
    """Nothing else sends it to Claude, and an optional area would."""

    def asked(self, strategy: Strategy, role: Role) -> Prompts:
        """What the engine of a role is asked; nothing if it reads nothing."""
        return self.prompts.get(strategy, {}).get(role, Prompts())

    def to_json(self) -> dict[str, Any]:
        """Plain data, which `from_json` reads back."""
        return {
            "sha": self.sha,
            "at": self.at.isoformat(),
            "tier": self.tier.value,
            "areas": list(self.areas),
            "ignored": self.ignored,
            "difficult": self.difficult,
            "prompts": {strategy.value: by_role for strategy, by_role in self.prompts.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Replayed":
        """Raises KeyError, TypeError or ValueError for what `to_json` did not write."""
        return cls(
            sha=data["sha"],
            at=datetime.fromisoformat(data["at"]),
            tier=Tier(data["tier"]),
            areas=tuple(data["areas"]),
            ignored=data["ignored"],
            difficult=data["difficult"],
            prompts={
                Strategy(strategy): {role: Prompts(*asked) for role, asked in by_role.items()}
                for strategy, by_role in data["prompts"].items()
            },
        )


@dataclass(frozen=True)
class Replayer:
    """Replays the changes of one repository."""

    rules: RuleSet
    policy: Policy
    """The operator's, narrowed by the repository's own of today."""
    guidelines: tuple[Document, ...]
    local_context_tokens: int
    named: Lineup = field(default_factory=Lineup)
    """The engines that the operator names, and what each is for."""

    def replay(self, fetched: Fetched, at: datetime) -> Replayed:
        """What the change would take, merged `at`."""
        change = fetched.change
        by_file = decide(
            change, self.rules, self._by_file(), local_context_tokens=self.local_context_tokens
        )
        whole = whole_change(by_file)
        alone = whole.tier is not Tier.CLAUDE and ignored(
            self.policy, author=fetched.author, branch=fetched.branch, title=change.title
        )
        skip = alone or whole.tier is Tier.SKIP
        usual = skip or whole.tier is Tier.CLAUDE
        difficult = not usual and self._is_difficult(change)
        return Replayed(
            sha=change.head or "",
            at=at,
            tier=whole.tier,
            areas=whole.areas,
            ignored=bool(alone),
            prompts={} if skip else self._prompts(fetched, by_file, whole, difficult),
            difficult=difficult,
        )

    def _is_difficult(self, change: Change) -> bool:
        rules = optional_alone(self.rules)
        route = RoutePolicy(areas=self.policy.route.areas, also=tuple(rules.areas))
        policy = Policy(ignore=self.policy.ignore, route=route)
        context = self.local_context_tokens
        return bool(decide(change, rules, policy, local_context_tokens=context).areas)

    def _by_file(self) -> Policy:
        route = self.policy.route.model_copy(update={"granularity": "file"})
        return self.policy.model_copy(update={"route": route})

    def _prompts(
        self, fetched: Fetched, by_file: Route, whole: Route, difficult: bool
    ) -> dict[Strategy, dict[Role, Prompts]]:
        routes = {
            Strategy.CLAUDE: overridden(by_file, Tier.CLAUDE),
            Strategy.PULL_REQUEST: whole,
            Strategy.FILE: by_file,
            Strategy.CHEAP_PULL_REQUEST: whole,
            Strategy.CHEAP_FILE: by_file,
            Strategy.LOCAL: overridden(by_file, Tier.LOCAL),
            Strategy.DIFFICULTY: overridden(by_file, Tier.CLAUDE) if difficult else whole,
        }
        if uses_names(self.named, self.policy):
            by_files = self.policy.route.granularity == "file"
            routes[Strategy.NAMED] = by_file if by_files else whole
        if self.policy.review.context == "diff":
            fetched = replace(fetched, sources=Sources())
        never_send = NeverSend(self.policy.route.never_send)
        packer = _Packer(fetched, self._briefing(fetched))
        lineups = {strategy: self._lineup(strategy) for strategy in routes}
        return {
            strategy: {
                each.role: packer.prompts(
                    each.files, lineups[strategy].engines[each.role].context_tokens
                )
                for each in plan(
                    fetched.change, route, lineups[strategy], never_send.covers
                ).assignments
            }
            for strategy, route in routes.items()
        }

    def _briefing(self, fetched: Fetched) -> Briefing:
        review = self.policy.review
        return Briefing(
            change=fetched.change,
            guidelines=self.guidelines if review.guidelines else (),
            instructions=review.instructions,
            language=review.language,
            checklists=review.checklists,
            fixes=review.fixes,
        )

    def _lineup(self, strategy: Strategy) -> Lineup:
        claude = EngineFacts("claude", "", True, "anthropic", PAID_CONTEXT_TOKENS)
        local = EngineFacts("local", "", False, None, self.local_context_tokens)
        engines: dict[Role, EngineFacts] = {}
        if strategy is not Strategy.LOCAL:
            engines["claude"] = claude
        if strategy in WITH_HARDWARE:
            engines["local"] = local
        if strategy in (Strategy.CHEAP_PULL_REQUEST, Strategy.CHEAP_FILE):
            engines["low"] = claude
        if strategy is Strategy.NAMED:
            named = {**engines, **self.named.engines}
            return replace(self.named, engines=named).using(self.policy.route.engines)
        return Lineup(engines)


def uses_names(named: Lineup, policy: Policy) -> bool:
    """Something is read by an engine that is named: by the operator's choice or the policy's."""
    offered = {role[2:] for role in named.engines}
    return not offered.isdisjoint(named.using(policy.route.engines).choice.names())


def whole_change(by_file: Route) -> Route:
    """The route that granularity `pull_request` gives, made of that of granularity `file`:
    a flagged area takes every file along. Saves matching all rules a second time."""
    return overridden(by_file, Tier.CLAUDE) if by_file.areas else by_file


class _Packer:
    """Counts the prompts of one change; each file is rendered once where it fits a prompt."""

    def __init__(self, fetched: Fetched, briefing: Briefing) -> None:
        self._fetched, self._briefing = fetched, briefing
        self._packed: dict[tuple[int, tuple[str, ...]], Prompts] = {}
        self._whole: dict[str, list[Section]] = {}

    def prompts(self, files: tuple[FileChange, ...], context: int) -> Prompts:
        """What an engine with so many tokens of context is asked."""
        key = (context, tuple(file.path for file in files))
        if key not in self._packed:
            tokens, calls = planned_prompt_tokens(
                files,
                self._briefing,
                context_tokens=context,
                sources=self._fetched.sources.head,
                render=self._render,
            )
            self._packed[key] = Prompts(calls, tokens)
        return self._packed[key]

    def _render(
        self, file: FileChange, budget: int, source: str | None, note: str
    ) -> list[Section]:
        """A file that fits whole reads the same in every room that is large enough."""
        known = self._whole.get(file.path)
        if known and known[0].tokens <= budget:
            return known
        made = sections_of(file, budget, source, note)
        if len(made) == 1:
            self._whole[file.path] = made
        return made

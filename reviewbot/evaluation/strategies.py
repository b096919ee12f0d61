"""Ways to review that can be set beside each other, by name.

A name is who reads, then what is done besides: `routed`, `local+passes3+verify`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reviewbot.config.policy import Policy
from reviewbot.errors import UsageError
from reviewbot.review.engine import Lineup, Role, stands_for
from reviewbot.routing.model import Tier

#: Who reads → (roles that may, tier that all goes to, granularity of the route, what that is).
BASES: Mapping[str, tuple[tuple[Role, ...], Tier | None, str | None, str]] = {
    "analyzers": ((), Tier.LOCAL, None, "no model, only the analysers"),
    "claude": (("claude", "fallback"), Tier.CLAUDE, None, "Claude reads everything"),
    "cheap": (("low",), Tier.LOCAL, None, "the cheap Claude model reads everything"),
    "local": (("local",), Tier.LOCAL, None, "the local model reads everything"),
    "routed": (
        ("claude", "fallback", "local"),
        None,
        "pull_request",
        "the rules decide, for each pull request",
    ),
    "routed-file": (
        ("claude", "fallback", "local"),
        None,
        "file",
        "the rules decide, for each file",
    ),
    "routed-cheap": (
        ("claude", "fallback", "low"),
        None,
        "pull_request",
        "the rules decide, with the cheap Claude model in place of the local one",
    ),
}
#: What is done besides → (keys of the policy, what that is). `passesN` is read apart.
EXTRAS: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "verify": ({"review": {"verify": True}}, "the local model judges its own findings"),
    "checklists": (
        {"review": {"checklists": True}},
        "models are given short lists of questions to go through",
    ),
    "fixes": (
        {"review": {"fixes": True}},
        "what is wrong is decided first; a change for each finding is asked for after that",
    ),
    "diff": ({"review": {"context": "diff"}}, "models see the diff without the function around"),
    "ask": (
        {"route": {"uncertain": "ask"}},
        "the local model is asked whether a change in doubt needs Claude",
    ),
    "ask_claude": (
        {"route": {"uncertain": "ask_claude"}},
        "Claude is asked whether a change in doubt needs it, on the doubtful blocks alone",
    ),
    "ask_ordinary": (
        {"route": {"ordinary": "ask"}},
        "the local model is asked about each change that no rule sends to Claude",
    ),
    "escalate": (
        {"escalate": {"severity": "low", "confidence_below": 0.8, "max_per_pr": 10}},
        "up to ten findings that the local model is not sure of are put to Claude",
    ),
    "refine": ({"strategy": "refine"}, "Claude reads after the local model, with its drafts"),
}
#: Engines that are asked besides.
_ASKED_BY: Mapping[str, tuple[Role, ...]] = {
    "ask": ("local",),
    "ask_claude": ("claude",),
    "ask_ordinary": ("local",),
    "escalate": ("claude",),
    "refine": ("local",),
}
#: Only where the rules decide there is a doubt.
_OF_ROUTES = frozenset({"ask", "ask_claude", "ask_ordinary"})
_PASSES = re.compile(r"passes([2-5])")


@dataclass(frozen=True)
class Strategy:
    """One way to review."""

    name: str
    roles: tuple[Role, ...]
    """Engines that may be used; all must be there but for the one that is asked after a refusal."""
    tier: Tier | None
    """Where all goes; None: where the rules say."""
    adjust: Callable[[Policy], Policy]
    """The operator's policy as it holds under this strategy."""

    @property
    def needs(self) -> tuple[Role, ...]:
        """Engines without which it is another strategy."""
        return tuple(role for role in self.roles if role != "fallback")

    def lineup(self, lineup: Lineup) -> Lineup:
        """The engines of a line-up that it uses. Raises UsageError where one is missing."""
        for role in self.needs:
            if role not in lineup.engines:
                raise UsageError(f"strategy {self.name}: {_HOW[role]}")
        kept = {r: facts for r, facts in lineup.engines.items() if stands_for(r) in self.roles}
        return Lineup(kept, (), lineup.choice)


_HOW: Mapping[Role, str] = {
    "claude": "there is no Claude: set ANTHROPIC_API_KEY",
    "low": "there is no cheap Claude model: set ANTHROPIC_API_KEY",
    "local": "there is no local model: `reviewbot model list`, or set REVIEWBOT_LOCAL_URL",
}


def strategy_of(name: str) -> Strategy:
    """The strategy of this name. Raises UsageError for an unknown one, with those there are."""
    base, *extras = name.strip().split("+")
    if base not in BASES:
        raise UsageError(f"no strategy is called {base!r}: {', '.join(BASES)}")
    roles, tier, granularity, _ = BASES[base]
    if extras and not roles:
        raise UsageError(f"strategy {name}: {base} has no model that could do more")
    if tier is not None and (alien := sorted(_OF_ROUTES.intersection(extras))):
        raise UsageError(f"strategy {name}: {alien[0]} goes with routed ones, where rules decide")
    keys: list[Mapping[str, Any]] = []
    for extra in extras:
        asked = _ASKED_BY.get(extra, ())
        if "low" in roles and "local" in asked:  # it would read in the cheap model's place
            raise UsageError(f"strategy {name}: {extra} asks the local model, {base} is without it")
        roles += tuple(role for role in asked if role not in roles)
    if granularity:
        keys.append({"route": {"granularity": granularity}})
    for extra in extras:
        if passes := _PASSES.fullmatch(extra):
            keys.append({"review": {"passes": int(passes[1])}})
        elif extra in EXTRAS:
            keys.append(EXTRAS[extra][0])
        else:
            known = ", ".join(["passes2 … passes5", *EXTRAS])
            raise UsageError(f"strategy {name}: nothing is called {extra!r}: {known}")

    def adjust(policy: Policy) -> Policy:
        for part in keys:
            policy = _with(policy, part)
        return policy

    return Strategy(name.strip(), roles, tier, adjust)


def strategies_of(names: str) -> tuple[Strategy, ...]:
    """The strategies of a list with commas, each once. Raises UsageError."""
    wanted = dict.fromkeys(name for name in names.split(",") if name.strip())
    if not wanted:
        raise UsageError(f"name at least one strategy: {', '.join(BASES)}")
    return tuple(strategy_of(name) for name in wanted)


def _with(policy: Policy, keys: Mapping[str, Any]) -> Policy:
    news = {
        name: getattr(policy, name).model_copy(update=dict(values))
        if isinstance(values, Mapping)
        else values
        for name, values in keys.items()
    }
    return policy.model_copy(update=news)

"""What a review asks of an engine, and what comes back: the port that every engine fills."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

from reviewbot.config.engines_document import EngineChoice

if TYPE_CHECKING:
    from reviewbot.config.policy import Budget


@dataclass(frozen=True)
class Prompt:
    """One question to a model, in the order of how long each part stays the same."""

    system: str
    """Instructions: the same for every review."""
    shared: str
    """The change's title, outline and guidelines: the same for all units of a change."""
    unit: str
    """The part of the change to read now: the same for all that is asked about it."""
    schema: Mapping[str, Any]
    """JSON schema of the answer."""
    max_output_tokens: int
    paths: tuple[str, ...] = ()
    """The unit's own paths, for engines that bind an answer to them."""
    lines: tuple[tuple[int, int], ...] = ()
    """The unit's own line numbers, likewise: (first, last) of each block."""
    choices: tuple[str, ...] = ()
    """What else an answer may name, likewise: numbers of findings, names of areas."""
    sample: int = 0
    """0 for the likeliest answer; from 1 on for as many independent ones, on engines that can be
    told to draw: the same number is the same draw."""
    question: str = ""
    """What is asked about the unit, where that is more than what `system` says."""
    again: bool = False
    """More will be asked about the unit, `system` and `shared` being the same: for other samples, or
    with a `question`. An engine that can keeps what it has computed."""
    cache_prefix: bool = False
    """The same `system` and `shared` will be sent again within minutes, after this call: a paid
    cache write of them pays off."""

    @property
    def text(self) -> str:
        """Everything that is sent, for counting."""
        return f"{self.system}\n{self.shared}\n{self.about}"

    @property
    def about(self) -> str:
        """The unit and what is asked about it, as one text."""
        return f"{self.unit}\n\n{self.question}" if self.question else self.unit


class Outcome(StrEnum):
    """How one model call ended. Only `answered` and `truncated` carry an answer's text."""

    ANSWERED = "answered"
    TRUNCATED = "truncated"
    """Cut off by the output limit or the context: what is whole of it counts."""
    REFUSED = "refused"
    """The model declined to answer."""
    MALFORMED = "malformed"
    """An answer that is not of the asked form."""
    RATE_LIMITED = "rate_limited"
    """Try again after `retry_after` seconds; without it, a spending limit: don't."""
    OVERLOADED = "overloaded"
    """The service is busy or failing (5xx, 529): try again later."""
    TIMED_OUT = "timed_out"
    """No whole answer in time; it may have been paid for."""
    UNREACHABLE = "unreachable"
    """No connection, or one that broke before an answer."""
    TOO_LONG = "too_long"
    """The prompt exceeds the model's context or the service's size limit."""
    DENIED = "denied"
    """Wrong key, no permission, no such model: the operator must act."""
    REJECTED = "rejected"
    """Any other final error of the service."""
    OVER_BUDGET = "over_budget"
    """Not asked: what it may cost does not fit under a cap. Never billed."""


@dataclass(frozen=True)
class Usage:
    """Tokens of one call, as the provider counted them. Cache reads and writes are not in `input`."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    estimated: bool = False
    """True where the engine gave no count and these are our own estimates."""


@dataclass(frozen=True)
class Reply:
    """What one call came to."""

    outcome: Outcome
    model: str
    """The model that answered, as the service names it (the asked one if it names none)."""
    seconds: float
    """Wall time of the call."""
    text: str = ""
    """The answer: JSON, if `outcome` is answered."""
    usage: Usage | None = None
    """None where nothing tells what was used (a failed or timed-out call)."""
    raw: Mapping[str, Any] = field(default_factory=dict)
    """The provider's reply without its content: model, usage, service tier … kept for pricing."""
    retry_after: float | None = None
    """Seconds the service asks us to wait."""
    joules: float | None = None
    """Measured energy of the call; None where it can't be measured."""
    detail: str = ""
    """A short reason for people: never holds a secret."""
    sends: int = 1
    """How often the prompt was sent: again where a server did not take its form, not at all where
    it would not fit into the budget."""
    scripted: bool = False
    """The server says that its answers are written by hand (a demonstration)."""


class Engine(Protocol):
    """Turns a prompt into an answer. One call, one reply: waiting and retrying is the caller's."""

    @property
    def name(self) -> str:
        """`claude`, `openai` or `llama`: the ledger's and the coverage table's word."""
        ...

    @property
    def model(self) -> str: ...

    @property
    def external(self) -> bool:
        """Its host is not ours: redaction, never_send, egress receipt and a price apply."""
        ...

    @property
    def provider(self) -> str | None:
        """The price library's provider id; None for an engine on our own hardware."""
        ...

    @property
    def context_tokens(self) -> int:
        """Prompt and answer together must fit in it."""
        ...

    def ask(self, prompt: Prompt, *, timeout: float) -> Reply:
        """Send one prompt; wait at most `timeout` seconds.

        Raises EngineError only for what no other prompt would survive either and no reply can
        carry (a URL that is none). Every answer of a service is a Reply.
        """
        ...


class Counted(NamedTuple):
    """Exact numbers of tokens."""

    prompt: int
    """Of a whole prompt, with all that the engine puts around and between its parts."""
    texts: tuple[int, ...]
    """Of each text by itself."""


@runtime_checkable
class CountsTokens(Protocol):
    """An engine of our own that knows its model's vocabulary."""

    def count(self, prompt: Prompt, texts: Sequence[str]) -> Counted:
        """Exact tokens. Raises EngineError where they can't be had."""
        ...


Role = str
"""What an engine is there for: `claude`, risky changes; `local`, the rest; `low`, the rest where no
local model is (a cheap Claude model); `fallback`, asked after a refusal of Claude. One that the operator
has named stands in for Claude or for the local model: `c:NAME`, `l:NAME`."""


def named_role(tier: str, name: str) -> Role:
    """The role of an engine that the operator has named."""
    return f"{tier[0]}:{name}"


def stands_for(role: Role) -> Role:
    """The role that a named engine stands in for; any other itself."""
    return {"c": "claude", "l": "local"}[role[0]] if role[1:2] == ":" else role


@dataclass(frozen=True)
class EngineFacts:
    """What must be known of an engine to plan for it."""

    name: str
    model: str
    external: bool
    provider: str | None
    context_tokens: int
    counts: bool = False
    """It is asked for exact numbers of tokens (`CountsTokens`)."""

    @classmethod
    def of(cls, engine: Engine) -> "EngineFacts":
        return cls(
            engine.name,
            engine.model,
            engine.external,
            engine.provider,
            engine.context_tokens,
            isinstance(engine, CountsTokens),
        )


@dataclass(frozen=True)
class Lineup:
    """Which engine fills which role; a role without an engine is missing from `engines`."""

    engines: Mapping[Role, EngineFacts] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """Why each was chosen, or what is missing and how to get it."""
    choice: EngineChoice = field(default_factory=EngineChoice)
    """Which named engine is for what."""

    def using(self, choice: EngineChoice) -> "Lineup":
        """The same with what a repository's policy chooses; a note on names that nobody offers."""
        offered = {role[2:] for role in self.engines if stands_for(role) != role}
        unknown = sorted(set(choice.names()) - offered)
        merged = EngineChoice(
            areas={**self.choice.areas, **choice.areas},
            languages={**self.choice.languages, **choice.languages},
            tiers={**self.choice.tiers, **choice.tiers},
        )
        said = f"the policy names engines that are not offered here: {', '.join(unknown)}"
        return replace(self, choice=merged, notes=(*self.notes, *([said] if unknown else [])))

    def named(
        self, role: Role, areas: Sequence[str], language: str | None, usable: Callable[[Role], bool]
    ) -> Role:
        """The named engine that reads such a file in place of `role`'s, or `role` itself."""
        choice = self.choice
        names = [choice.areas.get(area) for area in areas]
        names.append(choice.languages.get(language or ""))
        names += [name for tier, name in choice.tiers.items() if tier == role]
        for name in names:
            if name and usable(wanted := named_role(role, name)):
                return wanted
        return role

    def get(self, role: Role) -> EngineFacts | None:
        return self.engines.get(role)


@dataclass(frozen=True)
class Ask:
    """One question to the engine of a role."""

    role: Role
    unit: int
    prompt: Prompt
    repository: str | None = None
    number: int | None = None
    """Pull request number: both are the ledger's."""
    purpose: str = "review"
    repository_id: int | None = None
    """The host's, which outlives a rename; the ledger's as well."""
    budget: "Budget | None" = None
    """The caps of the repository's policy."""

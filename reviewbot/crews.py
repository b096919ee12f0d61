"""Settings → engines; the only module that constructs them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reviewbot import operator_files
from reviewbot.config.engines_document import EngineChoice, NamedEngine, parse_engines
from reviewbot.config.settings import Settings
from reviewbot.errors import EngineError, SettingsError
from reviewbot.operator_files import read_text
from reviewbot.review.engine import Engine, EngineFacts, Lineup, Role, named_role

if TYPE_CHECKING:
    from reviewbot.engines.claude import ClaudeEngine
    from reviewbot.engines.openai_compatible import OpenAICompatibleEngine

#: Longest wait for a local server to name its models, seconds.
DISCOVERY_SECONDS = 10.0


@dataclass(frozen=True)
class Crew:
    """The engines that there are, by role, and why."""

    engines: Mapping[Role, Engine]
    notes: tuple[str, ...]
    choice: EngineChoice = field(default_factory=EngineChoice)
    """Which named engine is for what."""

    @property
    def lineup(self) -> Lineup:
        """What the flow must know of them."""
        facts = {role: EngineFacts.of(engine) for role, engine in self.engines.items()}
        return Lineup(facts, self.notes, self.choice)


def engines(settings: Settings, *, low: bool = False) -> Crew:
    """The engine of each role, as the settings say, and in words which were chosen and why; with
    `low` the cheap Claude model beside a local one, too."""
    chosen: dict[Role, Engine] = {}
    notes: list[str] = []
    key = settings.anthropic_api_key.get_secret_value() if settings.anthropic_api_key else ""
    if key:
        chosen["claude"] = claude_engine(settings, key, settings.claude_model)
        if settings.claude_fallback_model:
            chosen["fallback"] = claude_engine(settings, key, settings.claude_fallback_model)
    else:
        notes.append("no Claude: set ANTHROPIC_API_KEY to have risky changes reviewed by it")
    local, note = _local(settings)
    notes.append(note)
    if local:
        chosen["local"] = local
    if key and (low or (not local and settings.without_local == "claude")):
        chosen["low"] = claude_engine(settings, key, settings.claude_model_low)
    if settings.engines is None:
        return Crew(chosen, tuple(notes))
    named = parse_engines(read_text(settings.engines, "REVIEWBOT_ENGINES"), str(settings.engines))
    for name, wanted in named.engines.items():
        if engine := _named(settings, key, wanted):
            chosen[named_role(wanted.tier, name)] = engine
        else:
            notes.append(f"engine {name}: no Claude, set ANTHROPIC_API_KEY")
    for tier, name in named.use.tiers.items():  # it is that tier's engine, whatever else there is
        if engine := chosen.get(named_role(tier, name)):
            chosen[tier] = engine
    return Crew(chosen, tuple(notes), named.use)


def offered(settings: Settings) -> Lineup:
    """The engines that the settings name, as a forecast must know them. Raises DocumentError,
    SettingsError, PriceError."""
    if settings.engines is None:
        return Lineup()
    from reviewbot.engines.named import named_lineup
    from reviewbot.reporting.replay import PAID_CONTEXT_TOKENS

    text = read_text(settings.engines, "REVIEWBOT_ENGINES")
    named = parse_engines(text, str(settings.engines))
    lineup = named_lineup(named, claude_context=PAID_CONTEXT_TOKENS)
    book = operator_files.prices(settings)
    for facts in lineup.engines.values():
        if facts.provider:
            book.price_of(facts.provider, facts.model)
    return lineup


def _named(settings: Settings, key: str, wanted: NamedEngine) -> Engine | None:
    """An engine of the engines file; None where Claude's key is missing."""
    if wanted.tier == "claude":
        return claude_engine(settings, key, wanted.model) if key else None
    secret = read_text(wanted.key_file, "key_file").strip() if wanted.key_file else None
    return _server(wanted.url, wanted.model, secret, wanted.context_tokens, wanted.private)


def claude_engine(settings: Settings, key: str, model: str) -> "ClaudeEngine":
    """Claude, by the settings; asks nobody. Raises EngineError for a key or URL that can't be one."""
    from reviewbot.engines.claude import ClaudeEngine

    context = operator_files.prices(settings).context_window("anthropic", model) or 200_000
    return ClaudeEngine(
        key=key, model=model, url=settings.anthropic_api_url, context_tokens=context
    )


def _local(settings: Settings) -> tuple[Engine | None, str]:
    """The engine of the local tier and why it is that one; or why there is none."""
    if settings.local_engine == "none":
        return None, "no local model: switched off by REVIEWBOT_LOCAL_ENGINE=none"
    why_not = "no server is asked"
    if settings.local_engine in ("auto", "llama"):
        from reviewbot.engines.llama.choice import choose_local
        from reviewbot.engines.llama.engine import LlamaEngine

        chosen = choose_local(settings)
        if chosen.plan:
            return LlamaEngine(chosen.plan), chosen.note
        why_not = chosen.note
    if not settings.local_url:
        if settings.local_engine == "openai":
            raise SettingsError("REVIEWBOT_LOCAL_ENGINE=openai needs REVIEWBOT_LOCAL_URL")
        return None, (
            f"no local model: {why_not}; or set REVIEWBOT_LOCAL_URL to an OpenAI-compatible"
            " server, such as http://127.0.0.1:8000/v1"
        )
    engine = local_server(settings)
    if not engine.model:
        try:
            engine.discover_model(timeout=DISCOVERY_SECONDS)
        except EngineError as error:
            if settings.local_engine == "openai":
                raise
            return None, f"no local model: {error}"
    how = "outside: redacted and priced" if engine.external else "ours: nothing leaves"
    return engine, f"local engine: {engine.model} at {settings.local_url} ({how})"


def local_server(settings: Settings) -> "OpenAICompatibleEngine":
    """The server of REVIEWBOT_LOCAL_URL; asks nobody. Raises SettingsError, EngineError."""
    from reviewbot.engines.address import is_loopback

    if not settings.local_url:
        raise SettingsError("REVIEWBOT_LOCAL_ENGINE=openai needs REVIEWBOT_LOCAL_URL")
    private = settings.local_url_private or is_loopback(settings.local_url)
    if not private and not settings.local_model:
        raise SettingsError("REVIEWBOT_LOCAL_URL is outside: its price needs REVIEWBOT_LOCAL_MODEL")
    return _server(
        settings.local_url,
        settings.local_model,
        settings.local_api_key.get_secret_value() if settings.local_api_key else None,
        settings.local_context_tokens,
        settings.local_url_private,
    )


def _server(
    url: str, model: str, key: str | None, context_tokens: int, private: bool
) -> "OpenAICompatibleEngine":
    from reviewbot.engines.named import server_provider
    from reviewbot.engines.openai_compatible import OpenAICompatibleEngine

    return OpenAICompatibleEngine(
        url=url,
        model=model,
        key=key,
        context_tokens=context_tokens,
        provider=server_provider(url, private=private),
        private=private,
    )


def energy_of(settings: Settings, crew: Crew) -> Callable[[], float] | None:
    """The meter of the machine that the local engine runs on, if that is this one."""
    from reviewbot.engines.address import is_loopback
    from reviewbot.engines.energy import energy_meter

    local = crew.engines.get("local")
    if local is None or not (local.name == "llama" or is_loopback(settings.local_url)):
        return None
    return energy_meter()

"""What is known of the engines that an operator names, before any of them is made: no key is needed,
and nobody is asked."""

from urllib.parse import urlsplit

from reviewbot.config.engines_document import EnginesFile, NamedEngine
from reviewbot.engines.address import is_loopback
from reviewbot.review.engine import EngineFacts, Lineup, Role, named_role


def named_lineup(named: EnginesFile, *, claude_context: int) -> Lineup:
    """The engines by role, and what each is for; `claude_context` tokens fit a Claude model."""
    engines: dict[Role, EngineFacts] = {
        named_role(wanted.tier, name): _facts(wanted, claude_context)
        for name, wanted in named.engines.items()
    }
    return Lineup(engines, choice=named.use)


def server_provider(url: str, *, private: bool) -> str | None:
    """Whose prices hold for a server: an outside host is priced by its own name (the price library
    knows some, the prices file the rest); None for one of ours."""
    return None if private or is_loopback(url) else urlsplit(url).hostname


def _facts(wanted: NamedEngine, claude_context: int) -> EngineFacts:
    if wanted.tier == "claude":
        return EngineFacts("claude", wanted.model, True, "anthropic", claude_context)
    provider = server_provider(wanted.url, private=wanted.private)
    return EngineFacts(
        "openai", wanted.model, provider is not None, provider, wanted.context_tokens
    )

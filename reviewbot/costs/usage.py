"""What a reply says it used and how it was served, and what is odd about that."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from reviewbot.costs import price_library as library
from reviewbot.errors import PriceError
from reviewbot.review.engine import Usage

if TYPE_CHECKING:
    from genai_prices.types import Usage as LibraryUsage

#: Counts that reviewbot's prices cover. Anything else in a reply may cost extra.
PRICED_COUNTS = frozenset(
    {
        "input_tokens",
        "output_tokens",
        "output_reasoning_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "cache_write_5m_tokens",
        "cache_write_1h_tokens",
    }
)
#: Service tiers that are billed at the plain price.
PLAIN = frozenset(("", "standard", "default", "auto"))
#: Values of Anthropic's `inference_geo` that carry no surcharge.
ANYWHERE = frozenset(("", "global", "not_available"))


class Counted(NamedTuple):
    """Tokens to price, in the library's form."""

    tokens: "LibraryUsage"
    warnings: tuple[str, ...]
    estimated: bool


class Conditions(NamedTuple):
    """How a call was served, as far as that changes its price."""

    context: Mapping[str, str]
    applied: Mapping[str, str]
    """The part of `context` that has a price of its own."""
    warnings: tuple[str, ...]


def counted_usage(provider: str, raw: Mapping[str, Any], usage: Usage | None) -> Counted:
    """The tokens of a reply: as the library reads it, else as the engine did.

    Raises PriceError where neither knows.
    """
    problems: list[str] = []
    try:
        tokens = library.count_tokens_of(provider, raw)
    except ValueError as error:
        tokens = None
        problems.append(f"the price library can't read the reply's usage: {error}")
    if tokens is not None and usage is not None and (odd := _writes_without_total(tokens)):
        tokens = None
        problems.append(odd)
    if tokens is not None:
        measured = None if usage is None or usage.estimated else usage
        return Counted(tokens, tuple(_oddities(tokens, measured)), estimated=False)
    if usage is None:
        raise PriceError("; ".join(problems) or "the reply does not say what it used")
    try:
        own = library.library_usage(usage)
    except ValueError as error:
        raise PriceError(f"the reply's usage makes no sense: {error}") from None
    return Counted(own, tuple(problems), usage.estimated)


def plain_usage(counted: Counted) -> Usage:
    """Library counts in our form, where cached tokens are apart from the input."""
    count = counted.tokens.reported_value
    written = int(count("cache_write_tokens"))
    hour = int(count("cache_write_1h_tokens"))
    read = int(count("cache_read_tokens"))
    return Usage(
        input=int(count("input_tokens")) - read - written,
        output=int(count("output_tokens")),
        cache_read=read,
        cache_write_5m=written - hour,
        cache_write_1h=hour,
        estimated=counted.estimated,
    )


def pricing_conditions(raw: Mapping[str, Any], tariff: library.Tariff) -> Conditions:
    """What the reply says of service tier, speed and region."""
    used = raw.get("usage")
    used = used if isinstance(used, Mapping) else {}
    served, speed = _word(raw, used, "service_tier"), _word(raw, used, "speed")
    context: dict[str, str] = {}
    if served:
        context["processing" if served == "batch" else "service_tier"] = served
    if speed:
        context["speed"] = speed
    applied = {name: value for name, value in context.items() if tariff.knows((name, value))}
    warnings = [
        f"{name} {value} has no price of its own; the plain price was used"
        for name, value in context.items()
        if name not in applied and value not in PLAIN
    ]
    region = _word(raw, used, "inference_geo")
    if region not in ANYWHERE:
        warnings.append(f"served in {region}: a surcharge for the region is not in the price")
    return Conditions(
        context, {k: v for k, v in applied.items() if v not in PLAIN}, tuple(warnings)
    )


def _word(raw: Mapping[str, Any], used: Mapping[str, Any], name: str) -> str:
    value = raw.get(name) or used.get(name)
    return value[:60] if isinstance(value, str) else ""


def _writes_without_total(tokens: "LibraryUsage") -> str:
    """What is wrong with a count of cache writes whose parts exceed their total."""
    count = tokens.reported_value
    written = int(count("cache_write_tokens"))
    by_time = int(count("cache_write_5m_tokens")) + int(count("cache_write_1h_tokens"))
    if by_time <= written:
        return ""
    return f"the reply counts {written} tokens written to the cache, but {by_time} by lifetime"


def _oddities(tokens: "LibraryUsage", usage: Usage | None) -> list[str]:
    found = [
        f"the reply also counts {name} {value}; that may cost extra"
        for name, value in vars(tokens).items()
        if name not in PRICED_COUNTS and value
    ]
    if usage is not None:
        count = tokens.reported_value
        theirs = (count("input_tokens"), count("output_tokens"))
        ours = usage.input + usage.cache_read + usage.cache_write_5m + usage.cache_write_1h
        if theirs != (ours, usage.output):
            found.append(
                f"the price library counts {theirs[0]} tokens in and {theirs[1]} out,"
                f" the engine {ours} and {usage.output}"
            )
    return found

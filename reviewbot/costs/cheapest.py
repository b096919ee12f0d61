"""The cheapest model of a provider for prompts of a given size."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from reviewbot.costs import price_library as library
from reviewbot.costs.prices import Price, PriceBook
from reviewbot.costs.rates import MTOK
from reviewbot.errors import PriceError


def cheapest_price(
    prices: PriceBook,
    provider: str,
    *,
    prompt_tokens: int,
    output_tokens: int,
    at: datetime,
    context_tokens: int,
    others: Iterable[str] = (),
) -> Price:
    """The price of the model for which one such call costs least, among those of the price list
    with a context of at least `context_tokens`, and `others`, which an operator has named.

    A price list may still name models that are no longer sold; those it marks as deprecated are
    left out. Raises PriceError if there is none.
    """
    found: list[tuple[Decimal, str, Price]] = []
    known = library.find_provider(provider)
    names = [
        info.id
        for info in (known.models if known else ())
        if not info.deprecated and (info.context_window or 0) >= context_tokens
    ]
    for name in dict.fromkeys([*names, *others]):
        try:
            price = prices.price_of(provider, name, prompt_tokens=prompt_tokens, at=at)
        except PriceError:
            continue
        found.append((call_usd(price, prompt_tokens, output_tokens), name, price))
    if not found:
        raise PriceError(f"no model of {provider} has a price")
    return min(found, key=lambda each: each[:2])[2]


def call_usd(price: Price, prompt_tokens: int, output_tokens: int) -> Decimal:
    """What one call of this size costs without caching, USD."""
    return (prompt_tokens * price.input + output_tokens * price.output) / MTOK

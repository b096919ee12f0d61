"""Rates of one price list entry: at a prompt length, and the dearest there can be."""

from decimal import Decimal
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice, TieredPrices

MTOK = Decimal(1_000_000)

Cache = Literal["none", "5m", "1h"]
"""Whether a prompt may be written to the provider's cache, and for how long."""

_WRITES: dict[Cache, tuple[str, ...]] = {
    "none": (),
    "5m": ("cache_write_mtok", "cache_write_5m_mtok"),
    "1h": ("cache_write_mtok", "cache_write_5m_mtok", "cache_write_1h_mtok"),
}


def rate_at(rate: "Decimal | TieredPrices | None", prompt_tokens: int) -> Decimal | None:
    """The rate at this prompt length: passing a threshold changes the price of all tokens."""
    if rate is None or isinstance(rate, Decimal):
        return rate
    passed = [tier.price for tier in rate.tiers if prompt_tokens > tier.start]
    return passed[-1] if passed else rate.base


def tier_passed(rates: "ModelPrice", prompt_tokens: int) -> int | None:
    """The highest threshold that a prompt of this length passes."""
    rate = rates.input_mtok
    if rate is None or isinstance(rate, Decimal):
        return None
    return max((tier.start for tier in rate.tiers if prompt_tokens > tier.start), default=None)


def most(rates: "ModelPrice", input_tokens: int, output_tokens: int, cache: Cache) -> Decimal:
    """The dearest that at most this many tokens can be, whatever part of them is cached, USD."""

    def dearest(*names: str) -> Decimal:
        found = (_dearest(getattr(rates, name), input_tokens) for name in names)
        return max((rate for rate in found if rate is not None), default=Decimal(0))

    given = input_tokens * dearest("input_mtok", "cache_read_mtok", *_WRITES[cache])
    written = output_tokens * dearest("output_mtok")
    return (given + written) / MTOK + dearest("requests_kcount") / 1000


def _dearest(rate: "Decimal | TieredPrices | None", input_tokens: int) -> Decimal | None:
    if rate is None or isinstance(rate, Decimal):
        return rate
    return max([rate.base, *(tier.price for tier in rate.tiers if input_tokens > tier.start)])

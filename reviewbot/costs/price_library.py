"""genai-prices as reviewbot uses it: its shipped data only, never the network.

The library can fetch newer prices; reviewbot never starts that, and reads its own snapshot of
the shipped data, so that nobody else in the process can change a price either. The library is
imported when first used: it takes 0.4 s.
"""

import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from reviewbot.costs.operator_prices import OperatorPrice
from reviewbot.errors import PriceError
from reviewbot.review.engine import Usage

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo, ModelPrice, Provider
    from genai_prices.types import Usage as LibraryUsage

#: `warnings.catch_warnings` is for the whole process, so one thread at a time.
_one_at_a_time = threading.Lock()


class Tariff(NamedTuple):
    """The price list of one model."""

    provider: str
    model: str
    """Its name in the price list."""
    source: str
    """`genai-prices 0.2.3`, or `operator price`."""
    info: "ModelInfo"
    conditional: bool
    """Service tiers and the like apply: the model is the provider's own, not another's resold."""

    def rates(self, at: datetime, context: Mapping[str, str]) -> "ModelPrice":
        """The prices in force at `at`. Raises PriceError if there is none per token."""
        prices = self.info.get_prices(at, context if self.conditional else None)
        if prices.input_mtok is None or prices.output_mtok is None:
            raise PriceError(f"{self.model} of {self.provider} has no price per token")
        return prices

    def knows(self, condition: tuple[str, str]) -> bool:
        """Whether some price is tied to this condition, for example (`speed`, `fast`)."""
        variants = self.info.price_variants or () if self.conditional else ()
        return any(condition in variant.when.items() for variant in variants)

    def service_tiers(self) -> list[dict[str, str]]:
        """The service tiers that a provider may choose on its own."""
        variants = self.info.price_variants or () if self.conditional else ()
        return [dict(variant.when) for variant in variants if set(variant.when) == {"service_tier"}]


@cache
def snapshot() -> "DataSnapshot":
    """The prices that were shipped with the library."""
    from genai_prices.data import providers
    from genai_prices.data_snapshot import DataSnapshot

    return DataSnapshot(providers=providers, from_auto_update=False)


@cache
def library_version() -> str:
    """The library and its version; prices and code have one version."""
    from genai_prices import __version__

    return f"genai-prices {__version__}"


def find_provider(provider: str) -> "Provider | None":
    """The library's provider of this id or host name, or None.

    The library's own look-up by id takes any name that contains, say, `openai`; a proxy of that
    name may charge otherwise, so only an exact id or the provider's own address counts here.
    """
    for each in snapshot().providers:
        if each.id == provider.lower():
            return each
    try:
        return snapshot().find_provider(None, None, f"https://{provider.lower()}")
    except LookupError:
        return None


def find_tariff(provider: str, model: str) -> Tariff | None:
    """The library's price list for a model, or None."""
    found = find_provider(provider)
    if found is None:
        return None
    try:
        _, info = snapshot().find_provider_model(model, found, None, None)
    except LookupError:
        return None
    own = any(info is each for each in found.models)
    return Tariff(found.id, info.id, library_version(), info, own)


def operator_tariff(price: OperatorPrice) -> Tariff:
    """The operator's price in the library's form, so that one calculation serves both."""
    from genai_prices.types import ClauseEquals, ModelInfo, ModelPrice

    writes = price.cache_write_5m_per_mtok
    if writes is None and price.cache_write_1h_per_mtok is not None:
        writes = price.input_per_mtok
    prices = ModelPrice(
        input_mtok=price.input_per_mtok,
        output_mtok=price.output_per_mtok,
        cache_read_mtok=price.cache_read_per_mtok,
        cache_write_mtok=writes,
        cache_write_1h_mtok=price.cache_write_1h_per_mtok,
    )
    info = ModelInfo(id=price.model, match=ClauseEquals(equals=price.model), prices=prices)
    return Tariff(price.provider, price.model, "operator price", info, conditional=False)


def count_tokens_of(provider: str, raw: Mapping[str, Any]) -> "LibraryUsage | None":
    """What a raw reply says it used, by the library's own reading of this provider's replies.

    None where the library can't read them or there is no usage in it. Raises ValueError for
    a usage that makes no sense.
    """
    used, found = raw.get("usage"), find_provider(provider)
    if not isinstance(used, Mapping) or found is None:
        return None
    flavors = [extractor.api_flavor for extractor in found.extractors or ()]
    wanted = ("chat", "default") if "prompt_tokens" in used else ("default", "responses")
    flavor = next((each for each in wanted if each in flavors), None)
    return None if flavor is None else found.extract_usage(raw, api_flavor=flavor)[1]


def library_usage(usage: Usage) -> "LibraryUsage":
    """Our counts in the library's form, where cached tokens are part of the input."""
    from genai_prices.types import Usage as LibraryUsage

    written = usage.cache_write_5m + usage.cache_write_1h
    return LibraryUsage(
        input_tokens=usage.input + usage.cache_read + written,
        output_tokens=usage.output,
        cache_read_tokens=usage.cache_read,
        cache_write_tokens=written,
        cache_write_5m_tokens=usage.cache_write_5m,
        cache_write_1h_tokens=usage.cache_write_1h,
    )


@contextmanager
def collected_warnings() -> Iterator[list[str]]:
    """Collect what the library warns about; other code's warnings go their usual way."""
    texts: list[str] = []
    with _one_at_a_time:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                yield texts
            finally:
                texts += [str(each.message) for each in caught if each.category is UserWarning]
                others = [each for each in caught if each.category is not UserWarning]
        for each in others:
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)

"""What a call may cost, costs, and would have cost."""

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from reviewbot.change.tokens import most_tokens
from reviewbot.costs import price_library as library
from reviewbot.costs.money import at_least, decimal_text, exact
from reviewbot.costs.operator_prices import OperatorPrice
from reviewbot.costs.rates import Cache, most, rate_at, tier_passed
from reviewbot.costs.usage import counted_usage, plain_usage, pricing_conditions
from reviewbot.errors import PriceError
from reviewbot.review.engine import Usage

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice

#: Input tokens that a service may add to what we send: roles, separators, its own instructions
#: for structured answers. Services add some hundred; the schema itself is counted apart.
FRAMING_TOKENS = 2_000
#: A service may repeat the schema in its instructions.
SCHEMA_COPIES = 2
#: Some prices change with the hour: a reserve covers calls that end up to this much later.
LONGEST_CALL = timedelta(hours=1)


@dataclass(frozen=True)
class Price:
    """Prices of one model as used, USD per million tokens."""

    provider: str
    model: str
    """The model's name in the price list."""
    input: Decimal
    output: Decimal
    cache_read: Decimal | None
    """None: billed as input; likewise for writes."""
    cache_write_5m: Decimal | None
    cache_write_1h: Decimal | None
    source: str
    """Price list and its version: `genai-prices 0.2.3` or `operator price`."""
    conditions: str = ""
    """What made it other than the plain price: `processing=batch`, `prompt over 100000 tokens`."""

    def to_json(self) -> dict[str, str | None]:
        """USD per million tokens as decimal strings."""
        rates = {
            "input": self.input,
            "output": self.output,
            "cache_read": self.cache_read,
            "cache_write_5m": self.cache_write_5m,
            "cache_write_1h": self.cache_write_1h,
        }
        return {
            "model": self.model,
            **{name: None if r is None else decimal_text(r) for name, r in rates.items()},
            "source": self.source,
            "conditions": self.conditions,
        }


class Cost(NamedTuple):
    """What a call cost, and how sure that is."""

    usd: Decimal
    price: Price
    usage: Usage
    warnings: tuple[str, ...]
    """Odd things about the reply or its price; the bill may differ."""
    estimated: bool
    """The provider gave no count: `usd` is no bill."""


class PriceBook:
    """Prices of all models: the operator's own, then the price library's."""

    def __init__(self, operator_prices: Iterable[OperatorPrice] = ()) -> None:
        self._operator = {price.key: price for price in operator_prices}

    def price_of(
        self, provider: str, model: str, *, prompt_tokens: int = 0, at: datetime | None = None
    ) -> Price:
        """The plain price for prompts of `prompt_tokens`. Raises PriceError for an unknown model."""
        tariff = self._tariff(provider, model)
        return _price(tariff, tariff.rates(at or _now(), {}), prompt_tokens, {})

    def settle(
        self,
        provider: str,
        model: str,
        raw: Mapping[str, Any],
        usage: Usage | None = None,
        at: datetime | None = None,
    ) -> Cost:
        """The cost of an answered call, read from the provider's raw reply.

        `usage` is the engine's own reading: compared with the library's, and used alone where
        the library can't read this provider's replies. Raises PriceError where no price is known
        or nothing tells what was used.
        """
        with library.collected_warnings() as warned:
            counted = counted_usage(provider, raw, usage)
            tariff, notes = self._tariff_of_reply(provider, model, raw)
            conditions = pricing_conditions(raw, tariff)
            rates = tariff.rates(at or _now(), conditions.context)
            usd = _calculate(rates, counted.tokens, tariff)
            prompt_tokens = int(counted.tokens.reported_value("input_tokens"))
            price = _price(tariff, rates, prompt_tokens, conditions.applied)
        remarks = (*counted.warnings, *notes, *conditions.warnings, *warned)
        return Cost(
            usd, price, plain_usage(counted), tuple(dict.fromkeys(remarks)), counted.estimated
        )

    def reserve(
        self,
        provider: str,
        model: str,
        text: str,
        max_output_tokens: int,
        *,
        schema: Mapping[str, Any] | None = None,
        cache: Cache = "1h",
        at: datetime | None = None,
    ) -> Decimal:
        """An upper bound of what one call with this prompt can cost, USD.

        Input: a token for each UTF-8 byte of `text`, the schema twice, and `FRAMING_TOKENS`, all
        at the dearest price that input can have at that length: `cache` says whether the prompt
        may be written to the provider's cache, and for how long. Output: all of
        `max_output_tokens`. Service tiers that the provider may choose by itself count.
        """
        tariff, start = self._tariff(provider, model), at or _now()
        tokens = most_tokens(text) + FRAMING_TOKENS
        if schema is not None:
            tokens += SCHEMA_COPIES * most_tokens(json.dumps(schema))
        bounds = [
            most(tariff.rates(when, context), tokens, max_output_tokens, cache)
            for when in (start, start + LONGEST_CALL)
            for context in ({}, *tariff.service_tiers())
        ]
        return at_least(max(bounds))

    def estimate(
        self,
        provider: str,
        model: str,
        input_tokens: int,
        output_tokens: int,
        *,
        at: datetime | None = None,
    ) -> Decimal:
        """What a call of this size would cost without caching, USD."""
        tariff = self._tariff(provider, model)
        usage = library.library_usage(Usage(input=input_tokens, output=output_tokens))
        return _calculate(tariff.rates(at or _now(), {}), usage, tariff)

    def context_window(self, provider: str, model: str) -> int | None:
        """Tokens that the model takes at most, prompt and answer together; None if not known."""
        tariff = library.find_tariff(provider, model)
        return tariff.info.context_window if tariff else None

    def _tariff(self, provider: str, model: str) -> library.Tariff:
        found = self._own(provider, model) or library.find_tariff(provider, model)
        if found is None:
            raise PriceError(self._unknown(provider, model))
        return found

    def _own(self, provider: str, model: str) -> library.Tariff | None:
        known = library.find_provider(provider)
        for name in (provider, known.id if known else provider):
            if own := self._operator.get((name.lower(), model.lower())):
                return library.operator_tariff(own)
        return None

    def _tariff_of_reply(
        self, provider: str, model: str, raw: Mapping[str, Any]
    ) -> tuple[library.Tariff, list[str]]:
        """The price list of the model that answered, else of the one that was asked."""
        replied = raw.get("model")
        if not isinstance(replied, str) or not replied or replied.lower() == model.lower():
            return self._tariff(provider, model), []
        names = ((provider, replied), (provider, model))
        own = [self._own(*name) for name in names]
        listed = [library.find_tariff(*name) for name in names]
        found = next((tariff for tariff in (*own, *listed) if tariff), None)
        if found is None:
            raise PriceError(self._unknown(provider, replied))
        if replied.lower().startswith(model.lower()):  # the same model with its date
            return found, []
        return found, [f"asked {model}, {replied[:100]} answered; priced as {found.model}"]

    def _unknown(self, provider: str, model: str) -> str:
        known = library.find_provider(provider)
        names = [info.id for info in known.models] if known else []
        names += [price.model for price in self._operator.values()]
        near = difflib.get_close_matches(model.lower(), names, 3, 0.5)
        hint = f"; near names: {', '.join(near)}" if near else ""
        whose = f"of {provider}" if known else f"of {provider}, a provider without a price list"
        return (
            f"no price is known for the model {model} {whose} ({library.library_version()}){hint}."
            " If the name is right, put its price into the file that REVIEWBOT_PRICES_FILE names"
        )


def _calculate(rates: "ModelPrice", usage: Any, tariff: library.Tariff) -> Decimal:
    try:
        return exact(rates.calc_price(usage)["total_price"])
    except ValueError as error:
        raise PriceError(f"the price of a call to {tariff.model} can't be told: {error}") from None


def _price(
    tariff: library.Tariff, rates: "ModelPrice", prompt_tokens: int, conditions: Mapping[str, str]
) -> Price:
    def rate(name: str) -> Decimal | None:
        return rate_at(getattr(rates, name), prompt_tokens)

    given, written, output = rate("input_mtok"), rate("cache_write_mtok"), rate("output_mtok")
    if given is None or output is None:  # `Tariff.rates` has made sure
        raise PriceError(f"{tariff.model} has no price per token")
    steps = [f"{name}={value}" for name, value in conditions.items()]
    over = tier_passed(rates, prompt_tokens)
    plain = Price(
        provider=tariff.provider,
        model=tariff.model,
        input=given,
        output=output,
        cache_read=rate("cache_read_mtok"),
        cache_write_5m=written if (r := rate("cache_write_5m_mtok")) is None else r,
        cache_write_1h=written if (r := rate("cache_write_1h_mtok")) is None else r,
        source=tariff.source,
    )
    steps += [f"prompt over {over} tokens"] if over is not None else []
    return replace(plain, conditions=", ".join(steps))


def _now() -> datetime:
    return datetime.now(UTC)

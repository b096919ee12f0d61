"""The ledger's figures against a calculator of our own, written from the published prices."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from hypothesis import example, given, settings
from hypothesis import strategies as st

from reviewbot.costs.prices import PriceBook
from reviewbot.review.engine import Usage

TODAY = datetime(2026, 11, 21, tzinfo=UTC)
BOOK = PriceBook()


class Listed(NamedTuple):
    """USD per million tokens."""

    input: str
    output: str
    read: str
    write_5m: str
    write_1h: str


#: model → (longest prompt at this price, price), ascending.
PUBLISHED: dict[str, list[tuple[float, Listed]]] = {
    "claude-opus-5-5": [(float("inf"), Listed("4", "20", "0.2", "5", "8"))],
    "claude-haiku-4-5": [(float("inf"), Listed("1", "5", "0.1", "1.25", "2"))],
    "claude-haiku-5-5": [
        (100_000, Listed("0.1", "0.5", "0.01", "0.125", "0.2")),
        (float("inf"), Listed("0.5", "2.5", "0.05", "0.625", "1")),
    ],
}

tokens = st.integers(0, 150_000)
usages = st.builds(
    Usage, tokens, tokens, cache_read=tokens, cache_write_5m=tokens, cache_write_1h=tokens
)


def by_hand(model: str, usage: Usage, *, batch: bool) -> Fraction:
    prompt = usage.input + usage.cache_read + usage.cache_write_5m + usage.cache_write_1h
    price = next(listed for most, listed in PUBLISHED[model] if prompt <= most)
    pairs = [
        (usage.input, price.input),
        (usage.output, price.output),
        (usage.cache_read, price.read),
        (usage.cache_write_5m, price.write_5m),
        (usage.cache_write_1h, price.write_1h),
    ]
    usd = sum((count * Fraction(rate) for count, rate in pairs), Fraction(0)) / 1_000_000
    return usd / 2 if batch else usd


def reply(model: str, usage: Usage, *, batch: bool = False) -> dict[str, Any]:
    return {
        "model": model,
        "usage": {
            "input_tokens": usage.input,
            "output_tokens": usage.output,
            "cache_read_input_tokens": usage.cache_read,
            "cache_creation_input_tokens": usage.cache_write_5m + usage.cache_write_1h,
            "cache_creation": {
                "ephemeral_5m_input_tokens": usage.cache_write_5m,
                "ephemeral_1h_input_tokens": usage.cache_write_1h,
            },
            "service_tier": "batch" if batch else "standard",
        },
    }


@settings(deadline=None)
@given(st.sampled_from(sorted(PUBLISHED)), usages, st.booleans())
def test_every_usage_costs_what_the_published_prices_say(
    model: str, usage: Usage, batch: bool
) -> None:
    raw = reply(model, usage, batch=batch)

    cost = BOOK.settle("anthropic", model, raw, usage, TODAY)

    expected = by_hand(model, usage, batch=batch)
    assert abs(Fraction(cost.usd) - expected) <= Fraction(1, 10**9)
    assert cost.usage == usage
    assert cost.warnings == ()


shares = st.sampled_from([0.0, 0.3, 1.0])


@settings(deadline=None)
@given(
    st.sampled_from(sorted(PUBLISHED)),
    st.sampled_from(["x", "é", "🦊\n", "\ud800"]),
    st.integers(0, 60_000),
    st.integers(0, 5_000),
    st.sampled_from(["none", "5m", "1h"]),
    st.tuples(shares, shares, shares),
)
@example("claude-haiku-5-5", "x", 100_001, 10, "none", (0.0, 0.0, 1.0))
@example("claude-haiku-5-5", "🦊\n", 60_000, 5_000, "1h", (1.0, 0.0, 1.0))
def test_no_answer_costs_more_than_its_reserve(
    model: str, text: str, repeats: int, most_output: int, cache: Any, parts: tuple[float, ...]
) -> None:
    prompt = text * repeats
    reserve = BOOK.reserve("anthropic", model, prompt, most_output, cache=cache, at=TODAY)
    size = len(prompt.encode("utf-8", "replace"))  # a token for each byte, the worst there is
    written = int(size * parts[0]) if cache != "none" else 0
    cached = int((size - written) * parts[1])
    usage = Usage(
        size - cached - written,
        int(most_output * parts[2]),
        cache_read=cached,
        cache_write_5m=written if cache == "5m" else 0,
        cache_write_1h=written if cache == "1h" else 0,
    )

    cost = BOOK.settle("anthropic", model, reply(model, usage), usage, TODAY)

    assert cost.usd <= reserve


@settings(deadline=None)
@given(st.sampled_from(sorted(PUBLISHED)), tokens, tokens)
def test_an_estimate_is_the_cost_of_an_uncached_call(model: str, given_: int, made: int) -> None:
    usage = Usage(given_, made)

    estimate = BOOK.estimate("anthropic", model, given_, made, at=TODAY)

    assert abs(Fraction(estimate) - by_hand(model, usage, batch=False)) <= Fraction(1, 10**12)


def test_a_reserve_counts_the_schema_and_the_services_own_words() -> None:
    bare = BOOK.reserve("anthropic", "claude-opus-5-5", "", 0, cache="none", at=TODAY)
    schema = {"type": "object", "description": "x" * 1000}
    with_schema = BOOK.reserve(
        "anthropic", "claude-opus-5-5", "", 0, schema=schema, cache="none", at=TODAY
    )

    assert bare == Decimal(2_000) * 4 / 1_000_000
    assert with_schema - bare >= Decimal(2_000) * 4 / 1_000_000


def test_a_reserve_covers_the_tier_that_a_service_may_choose_itself() -> None:
    reserve = BOOK.reserve("openai", "gpt-5.2", "", 1_000_000, cache="none", at=TODAY)
    served = {
        "model": "gpt-5.2",
        "service_tier": "priority",
        "usage": {"prompt_tokens": 0, "completion_tokens": 1_000_000},
    }

    cost = BOOK.settle("openai", "gpt-5.2", served, None, TODAY)

    assert BOOK.estimate("openai", "gpt-5.2", 0, 1_000_000, at=TODAY) < cost.usd <= reserve

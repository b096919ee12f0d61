"""Prices come from a dated list or from the operator, never from a guess."""

import socket
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from genai_prices import data_snapshot
from genai_prices.types import ClauseEquals, ModelInfo, ModelPrice

from reviewbot.costs import price_library
from reviewbot.costs.operator_prices import OperatorPrice
from reviewbot.costs.prices import PriceBook
from reviewbot.errors import PriceError
from reviewbot.review.engine import Usage


def claude_reply(model: str = "claude-opus-5-5", **used: Any) -> dict[str, Any]:
    return {"model": model, "usage": {"input_tokens": 1000, "output_tokens": 100, **used}}


def test_the_default_model_has_its_list_price(book: PriceBook, today: datetime) -> None:
    price = book.price_of("anthropic", "claude-opus-5-5", at=today)

    assert (price.input, price.output) == (4, 20)
    assert (price.cache_read, price.cache_write_5m, price.cache_write_1h) == (Decimal("0.2"), 5, 8)
    assert price.source.startswith("genai-prices ")


def test_an_unknown_model_is_an_error_that_helps(book: PriceBook) -> None:
    with pytest.raises(PriceError) as caught:
        book.price_of("anthropic", "claude-opus-9-9")

    text = str(caught.value)
    assert "claude-opus-9-9" in text
    assert "near names: claude-opus-" in text
    assert "REVIEWBOT_PRICES_FILE" in text


@pytest.mark.parametrize("provider", ["llm.example.com", "my-openai-proxy.example.com"])
def test_a_proxy_is_not_billed_as_the_service_it_is_named_after(
    book: PriceBook, provider: str
) -> None:
    with pytest.raises(PriceError, match="a provider without a price list"):
        book.estimate(provider, "gpt-5.2", 1000, 100)


def test_a_known_service_is_found_by_its_host_name(book: PriceBook, today: datetime) -> None:
    by_host = book.estimate("api.openai.com", "gpt-5.2", 1000, 100, at=today)

    assert by_host == book.estimate("openai", "gpt-5.2", 1000, 100, at=today) > 0


def test_an_answer_is_priced_by_kind_of_token(book: PriceBook, today: datetime) -> None:
    reply = claude_reply(
        model="claude-opus-5-5-20261101",
        cache_read_input_tokens=10_000,
        cache_creation_input_tokens=3_000,
        cache_creation={"ephemeral_5m_input_tokens": 1_000, "ephemeral_1h_input_tokens": 2_000},
        service_tier="standard",
    )
    usage = Usage(1000, 100, cache_read=10_000, cache_write_5m=1_000, cache_write_1h=2_000)

    cost = book.settle("anthropic", "claude-opus-5-5", reply, usage, today)

    assert cost.usd == Decimal("0.004") + Decimal("0.002") + Decimal("0.002") + Decimal(
        "0.005"
    ) + Decimal("0.016")
    assert cost.usage == usage
    assert cost.warnings == ()


@pytest.mark.parametrize(
    ("tokens", "usd", "conditions"),
    [(100_000, "0.0105", ""), (100_001, "0.0525005", "prompt over 100000 tokens")],
)
def test_a_long_prompt_changes_the_price_of_every_token(
    book: PriceBook, today: datetime, tokens: int, usd: str, conditions: str
) -> None:
    reply = {
        "model": "claude-haiku-5-5",
        "usage": {"input_tokens": tokens, "output_tokens": 1000},
    }

    cost = book.settle("anthropic", "claude-haiku-5-5", reply, None, today)

    assert cost.usd == Decimal(usd)
    assert cost.price.conditions == conditions


@pytest.mark.parametrize(
    ("served", "usd", "conditions"),
    [
        ({"service_tier": "standard"}, "0.006", ""),
        ({"service_tier": "batch"}, "0.003", "processing=batch"),
        ({"speed": "fast"}, "0.012", "speed=fast"),
    ],
)
def test_how_a_call_was_served_changes_its_price(
    book: PriceBook, today: datetime, served: dict[str, str], usd: str, conditions: str
) -> None:
    cost = book.settle("anthropic", "claude-opus-5-5", claude_reply(**served), None, today)

    assert (cost.usd, cost.price.conditions) == (Decimal(usd), conditions)
    assert cost.warnings == ()


@pytest.mark.parametrize(
    ("odd", "warning"),
    [
        ({"service_tier": "priority"}, "service_tier priority has no price of its own"),
        ({"inference_geo": "us"}, "served in us"),
        ({"server_tool_use": {"web_search_requests": 2}}, "web_searches 2"),
        ({"cache_read_input_tokens": 5}, "the price library counts 1005 tokens in"),
    ],
)
def test_what_may_make_the_bill_differ_is_said(
    book: PriceBook, today: datetime, odd: dict[str, Any], warning: str
) -> None:
    cost = book.settle("anthropic", "claude-opus-5-5", claude_reply(**odd), Usage(1000, 100), today)

    assert any(warning in each for each in cost.warnings)


def test_the_price_librarys_own_warnings_are_kept(
    monkeypatch: pytest.MonkeyPatch, book: PriceBook, today: datetime
) -> None:
    prices = ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(2), thought_mtok=Decimal(3))
    info = ModelInfo(id="strange", match=ClauseEquals(equals="strange"), prices=prices)
    tariff = price_library.Tariff("anthropic", "strange", "test", info, conditional=True)
    monkeypatch.setattr(price_library, "find_tariff", lambda provider, model: tariff)

    cost = book.settle("anthropic", "strange", claude_reply("strange"), None, today)

    assert cost.warnings == ("Unsupported price key for standard pricing: thought_mtok",)


def test_another_model_answering_is_priced_as_itself_and_said(
    book: PriceBook, today: datetime
) -> None:
    cost = book.settle(
        "anthropic", "claude-opus-5-5", claude_reply("claude-haiku-4-5"), None, today
    )

    assert cost.price.model == "claude-haiku-4-5"
    assert cost.warnings == (
        "asked claude-opus-5-5, claude-haiku-4-5 answered; priced as claude-haiku-4-5",
    )


def test_an_answer_by_an_unlisted_model_is_priced_as_the_one_asked(
    book: PriceBook, today: datetime
) -> None:
    cost = book.settle("anthropic", "claude-opus-5-5", claude_reply("secret-1"), None, today)

    assert cost.usd == Decimal("0.006")
    assert "priced as claude-opus-5-5" in cost.warnings[0]


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"model": "claude-opus-5-5"},
        {"model": "claude-opus-5-5", "usage": None},
        {"model": "claude-opus-5-5", "usage": {"output_tokens": 5}},
        {"model": "claude-opus-5-5", "usage": {"input_tokens": -1, "output_tokens": 5}},
        {"model": "claude-opus-5-5", "usage": {"input_tokens": "many", "output_tokens": 5}},
        {"usage": {"prompt_tokens": 3, "cached_tokens": 9, "completion_tokens": 1}},
        {
            "usage": {
                "input_tokens": 3,
                "output_tokens": 1,
                "cache_creation": {"ephemeral_5m_input_tokens": 8},
            }
        },
    ],
)
def test_an_answer_that_does_not_tell_what_it_used_has_no_price(
    book: PriceBook, today: datetime, raw: dict[str, Any]
) -> None:
    with pytest.raises(PriceError):
        book.settle("anthropic", "claude-opus-5-5", raw, None, today)


def test_where_the_library_cant_read_a_reply_the_engines_count_is_priced(
    book: PriceBook, today: datetime
) -> None:
    raw = claude_reply(cache_creation={"ephemeral_5m_input_tokens": 1_000})
    usage = Usage(1000, 100, cache_write_5m=1_000)

    cost = book.settle("anthropic", "claude-opus-5-5", raw, usage, today)

    assert cost.usd == Decimal("0.011")
    assert "by lifetime" in cost.warnings[0]


def test_an_estimated_count_is_no_bill(book: PriceBook, today: datetime) -> None:
    cost = book.settle("openai", "gpt-5.2", {}, Usage(1000, 100, estimated=True), today)

    assert cost.estimated
    assert cost.usd > 0


def test_the_operators_price_wins_and_is_marked(today: datetime) -> None:
    own = OperatorPrice(
        provider="Anthropic",
        model="Claude-Opus-5-5",
        input_per_mtok=Decimal("3.5"),
        output_per_mtok=Decimal(10),
        cache_write_1h_per_mtok=Decimal(7),
    )
    reply = claude_reply(
        model="claude-opus-5-5-20261101",
        cache_creation_input_tokens=3_000,
        cache_read_input_tokens=500,
        cache_creation={"ephemeral_5m_input_tokens": 1_000, "ephemeral_1h_input_tokens": 2_000},
    )

    cost = PriceBook([own]).settle("anthropic", "claude-opus-5-5", reply, None, today)

    assert cost.price.source == "operator price"
    # input, read and five-minute writes at the input price, one-hour writes at their own
    assert cost.usd == Decimal("0.0035") * Decimal("2.5") + Decimal("0.014") + Decimal("0.001")


def test_the_operators_price_makes_an_unknown_server_payable(today: datetime) -> None:
    own = OperatorPrice(
        provider="llm.example.com", model="big-coder", input_per_mtok=1, output_per_mtok=2
    )
    book, usage = PriceBook([own]), Usage(1_000_000, 500_000)
    raw = {"model": "big-coder", "usage": {"prompt_tokens": 1_000_000}}

    assert book.settle("llm.example.com", "big-coder", raw, usage, today).usd == 2
    assert book.estimate("llm.example.com", "big-coder", 1_000_000, 0) == 1


def test_prices_never_touch_the_network(monkeypatch: pytest.MonkeyPatch, today: datetime) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a price look-up opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    price_library.snapshot.cache_clear()

    PriceBook().settle("anthropic", "claude-opus-5-5", claude_reply(), None, today)

    assert price_library.snapshot().from_auto_update is False


def test_nobody_else_in_the_process_can_change_a_price(
    monkeypatch: pytest.MonkeyPatch, book: PriceBook, today: datetime
) -> None:
    empty = data_snapshot.DataSnapshot(providers=[], from_auto_update=True)
    monkeypatch.setattr(data_snapshot, "_custom_snapshot", empty)

    assert book.price_of("anthropic", "claude-opus-5-5", at=today).input == 4


@pytest.mark.parametrize(("day", "usd"), [(12, "1.8"), (13, "0.9")])
def test_the_price_of_the_day_of_the_call_counts(book: PriceBook, day: int, usd: str) -> None:
    # from 13 March 2026 on, this model has no dearer price for prompts over 200 000 tokens
    at = datetime(2026, 3, day, tzinfo=UTC)
    raw = {
        "model": "claude-sonnet-4-6",
        "usage": {"input_tokens": 300_000, "output_tokens": 0},
    }

    settled = book.settle("anthropic", "claude-sonnet-4-6", raw, None, at)

    assert settled.usd == Decimal(usd)
    assert book.estimate("anthropic", "claude-sonnet-4-6", 300_000, 0, at=at) == Decimal(usd)
    listed = book.price_of("anthropic", "claude-sonnet-4-6", prompt_tokens=300_000, at=at)
    assert listed.input == settled.price.input


def test_the_models_context_is_known_where_the_library_knows_it(book: PriceBook) -> None:
    assert book.context_window("anthropic", "claude-opus-5-5") == 1_000_000
    assert book.context_window("llm.example.com", "big-coder") is None

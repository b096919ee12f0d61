"""The Claude engine against a loopback API that checks what it is sent."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from model_servers import Answer, Asked, ClaudeServer, HangUp, Refusal

from reviewbot.change.tokens import estimate_tokens
from reviewbot.engines.claude import ClaudeEngine
from reviewbot.errors import EngineError
from reviewbot.review.answer import parse_answer
from reviewbot.review.engine import Engine, Outcome, Prompt, Usage


@pytest.fixture
def engine(claude_server: ClaudeServer) -> ClaudeEngine:
    return ClaudeEngine(key=claude_server.key, model="claude-opus-5-5", url=claude_server.url)


def test_a_good_answer_arrives_with_its_usage_and_bill(
    engine: ClaudeEngine, claude_server: ClaudeServer, prompt: Prompt, one_finding: str
) -> None:
    claude_server.play(Answer(one_finding))

    reply = engine.ask(prompt, timeout=10)

    assert reply.outcome is Outcome.ANSWERED
    assert parse_answer(reply.text).remarks[0].title == "Refunds lose cents"
    [charge] = claude_server.bill
    assert reply.usage == Usage(input=charge.input, output=charge.output)
    assert reply.model == "claude-opus-5-5"
    assert reply.raw["usage"]["service_tier"] == "standard"
    assert reply.raw["stop_reason"] == "end_turn"
    assert "content" not in reply.raw
    assert reply.seconds > 0
    assert not reply.scripted
    assert reply.detail == ""


def test_the_request_is_what_the_api_wants_and_no_more(
    engine: ClaudeEngine, claude_server: ClaudeServer, prompt: Prompt
) -> None:
    engine.ask(prompt, timeout=10)

    [asked] = claude_server.asked
    assert asked.body.keys() == {"model", "max_tokens", "system", "messages", "output_config"}
    assert asked.body["max_tokens"] == 1_000
    assert [block["text"] for block in asked.body["system"]] == [prompt.system]
    [message] = asked.body["messages"]
    assert [block["text"] for block in message["content"]] == [prompt.shared, prompt.unit]
    schema = asked.body["output_config"]["format"]["schema"]
    assert schema["properties"]["findings"]["items"]["properties"]["line"]["type"] == "integer"


def test_keywords_that_the_api_refuses_become_words_in_descriptions(
    engine: ClaudeEngine, prompt: Prompt, claude_server: ClaudeServer
) -> None:
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer", "minimum": 1}},
        "required": ["n"],
    }

    reply = engine.ask(replace(prompt, schema=schema), timeout=10)

    assert reply.outcome is Outcome.ANSWERED
    sent = claude_server.asked[0].body["output_config"]["format"]["schema"]
    assert "minimum: 1" in sent["properties"]["n"]["description"]


def test_a_prompt_without_a_shared_part_sends_no_empty_block(
    engine: ClaudeEngine, prompt: Prompt
) -> None:
    assert engine.ask(replace(prompt, shared=""), timeout=10).outcome is Outcome.ANSWERED


def test_a_prefix_worth_caching_is_written_once_and_read_afterwards(
    engine: ClaudeEngine, prompt: Prompt, claude_server: ClaudeServer
) -> None:
    long = replace(prompt, shared="guideline\n" * 4_000, cache_prefix=True)

    first = engine.ask(long, timeout=10)
    second = engine.ask(replace(long, unit="another part"), timeout=10)

    assert first.usage is not None
    assert second.usage is not None
    assert first.usage.cache_write_5m > 9_000
    assert second.usage.cache_read == first.usage.cache_write_5m
    assert [charge.cache_read for charge in claude_server.bill] == [0, second.usage.cache_read]


@pytest.mark.parametrize(("shared", "hint"), [("short", True), ("guideline\n" * 4_000, False)])
def test_nothing_is_cached_unasked_or_below_the_minimum(
    engine: ClaudeEngine, prompt: Prompt, claude_server: ClaudeServer, shared: str, hint: bool
) -> None:
    engine.ask(replace(prompt, shared=shared, cache_prefix=hint), timeout=10)

    assert "cache_control" not in json.dumps(claude_server.asked[0].body)


def test_an_answer_may_name_another_model_and_unknown_usage(
    engine: ClaudeEngine, prompt: Prompt, claude_server: ClaudeServer
) -> None:
    odd = {"service_tier": "priority", "dream_tokens": 7, "server_tool_use": {"web_searches": 1}}
    claude_server.play(Answer(model="claude-opus-5-5-20261001", usage=odd))

    reply = engine.ask(prompt, timeout=10)

    assert reply.model == "claude-opus-5-5-20261001"
    assert {**reply.raw["usage"], **odd} == reply.raw["usage"]


def test_an_hour_long_cache_write_is_told_apart(
    engine: ClaudeEngine, prompt: Prompt, claude_server: ClaudeServer
) -> None:
    written = {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 30}
    claude_server.play(
        Answer(usage={"cache_creation_input_tokens": 35, "cache_creation": written}),
        Answer(usage={"cache_creation_input_tokens": 35, "cache_creation": None}),
        Answer(usage=None),
    )

    split, whole, none = (engine.ask(prompt, timeout=10).usage for _ in range(3))

    assert split is not None
    assert (split.cache_write_5m, split.cache_write_1h) == (5, 30)
    assert whole is not None
    assert (whole.cache_write_5m, whole.cache_write_1h) == (35, 0)
    assert none is None


def test_a_hand_written_answer_says_so(
    engine: ClaudeEngine, prompt: Prompt, claude_server: ClaudeServer
) -> None:
    claude_server.play(Answer(scripted=True))

    assert engine.ask(prompt, timeout=10).scripted


def test_eight_threads_each_get_their_own_answer(
    engine: ClaudeEngine, prompt: Prompt, claude_server: ClaudeServer
) -> None:
    claude_server.answering = lambda asked: asked.user.rsplit("\n", 1)[-1]
    prompts = [replace(prompt, unit=f"part\nnumber {number}") for number in range(8)]

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda each: engine.ask(each, timeout=20), prompts))

    assert [reply.text for reply in replies] == [f"number {number}" for number in range(8)]
    assert len(claude_server.bill) == 8


def test_a_refused_prompt_can_be_asked_of_another_model(
    engine: ClaudeEngine, prompt: Prompt, claude_server: ClaudeServer
) -> None:
    claude_server.answering = lambda asked: (
        Refusal() if asked.body["model"] == "claude-opus-5-5" else Answer()
    )
    fallback = ClaudeEngine(key=claude_server.key, model="claude-haiku-4-5", url=claude_server.url)

    outcomes = [each.ask(prompt, timeout=10).outcome for each in (engine, fallback)]

    assert outcomes == [Outcome.REFUSED, Outcome.ANSWERED]


def test_tokens_are_counted_by_the_free_endpoint_or_estimated_high(
    engine: ClaudeEngine, prompt: Prompt, claude_server: ClaudeServer
) -> None:
    counted = engine.count_prompt_tokens(prompt, timeout=10)

    assert counted is not None
    assert counted > 10
    assert claude_server.asked == []
    assert engine.count_tokens(prompt.text) > estimate_tokens(prompt.text)


def test_a_count_that_fails_is_none(prompt: Prompt, claude_server: ClaudeServer) -> None:
    stranger = ClaudeEngine(key="sk-ant-wrong", model="claude-opus-5-5", url=claude_server.url)

    assert stranger.count_prompt_tokens(prompt, timeout=10) is None


def test_a_broken_call_does_not_harm_the_next(
    engine: ClaudeEngine, prompt: Prompt, claude_server: ClaudeServer
) -> None:
    claude_server.play(HangUp(after=5))

    outcomes = [engine.ask(prompt, timeout=10).outcome for _ in range(2)]

    assert outcomes == [Outcome.UNREACHABLE, Outcome.ANSWERED]


def test_the_engine_fills_the_port_and_is_always_external(engine: ClaudeEngine) -> None:
    port: Engine = engine

    assert (port.name, port.external, port.provider) == ("claude", True, "anthropic")


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "schlüssel"])
def test_a_key_that_cannot_be_one_is_refused_unseen(key: str) -> None:
    with pytest.raises(EngineError) as refused:
        ClaudeEngine(key=key, model="claude-opus-5-5")

    assert not key or key not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["http://api.example.com", "ftp://127.0.0.1", "https://user:pw@api.example.com", "api"]
)
def test_a_url_that_no_key_should_go_to_is_refused(url: str) -> None:
    with pytest.raises(EngineError):
        ClaudeEngine(key="sk-ant-1", model="claude-opus-5-5", url=url)


def test_importing_the_engines_loads_no_sdk() -> None:
    script = (
        "import sys, reviewbot.engines.claude, reviewbot.engines.openai_compatible\n"
        "print([name for name in ('anthropic', 'httpx2', 'requests') if name in sys.modules])"
    )

    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert loaded.stdout.strip() == "[]"


def test_the_server_checks_shapes_as_the_api_does(
    prompt: Prompt, claude_server: ClaudeServer, engine: ClaudeEngine
) -> None:
    bad = replace(prompt, unit=" ", max_output_tokens=0)

    reply = engine.ask(bad, timeout=10)

    assert reply.outcome is Outcome.REJECTED
    assert claude_server.problems == [
        "max_tokens: must be from 1 to 128000",
        "messages.0.content.1: text content blocks must be non-empty",
    ]
    assert isinstance(claude_server.requests[0], Asked)
    claude_server.problems.clear()

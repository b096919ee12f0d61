"""The OpenAI-compatible engine against a loopback server that checks what it is sent."""

import logging
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from model_servers import Answer, Fail, OpenAIServer

from reviewbot.change.tokens import estimate_tokens
from reviewbot.engines.openai_compatible import OpenAICompatibleEngine
from reviewbot.errors import EngineError
from reviewbot.review.answer import parse_answer
from reviewbot.review.engine import Engine, Outcome, Prompt, Usage

MODEL = "qwen2.5-coder-32b-instruct"


@pytest.fixture
def engine(openai_server: OpenAIServer) -> OpenAICompatibleEngine:
    return OpenAICompatibleEngine(url=openai_server.url, model=MODEL)


def test_a_good_answer_arrives_with_its_usage(
    engine: OpenAICompatibleEngine, openai_server: OpenAIServer, prompt: Prompt, one_finding: str
) -> None:
    openai_server.play(Answer(one_finding))

    reply = engine.ask(prompt, timeout=10)

    assert reply.outcome is Outcome.ANSWERED
    assert parse_answer(reply.text).remarks[0].line == 12
    [charge] = openai_server.bill
    assert reply.usage == Usage(input=charge.input, output=charge.output)
    assert reply.raw["finish_reason"] == "stop"
    assert "choices" not in reply.raw
    assert (reply.model, reply.scripted, reply.detail) == (MODEL, False, "")


def test_the_request_binds_the_answer_to_the_schema(
    engine: OpenAICompatibleEngine, openai_server: OpenAIServer, prompt: Prompt
) -> None:
    engine.ask(prompt, timeout=10)

    [asked] = openai_server.asked
    assert asked.body["response_format"]["json_schema"]["schema"] == prompt.schema
    assert asked.body["temperature"] == 0
    assert asked.body["max_tokens"] == 1_000
    assert asked.system == prompt.system
    assert asked.user == f"{prompt.shared}\n\n{prompt.unit}"
    assert "authorization" not in asked.headers


def test_further_answers_are_drawn_each_with_its_own_seed(
    engine: OpenAICompatibleEngine, openai_server: OpenAIServer, prompt: Prompt
) -> None:
    for sample in (0, 1, 2):
        engine.ask(replace(prompt, sample=sample), timeout=10)

    bodies = [asked.body for asked in openai_server.asked]
    assert [body["temperature"] > 0 for body in bodies] == [False, True, True]
    assert [body.get("seed") for body in bodies] == [None, 1, 2]


def test_a_server_without_schemas_gets_words_instead_and_is_remembered(
    engine: OpenAICompatibleEngine, openai_server: OpenAIServer, prompt: Prompt
) -> None:
    openai_server.takes_schema = False

    replies = [engine.ask(prompt, timeout=10) for _ in range(2)]

    assert [reply.outcome for reply in replies] == [Outcome.ANSWERED, Outcome.ANSWERED]
    assert [reply.sends for reply in replies] == [2, 1]
    assert len(openai_server.requests) == 3
    assert "response_format" not in openai_server.asked[-1].body
    assert '"findings"' in openai_server.asked[-1].system


def test_a_server_that_takes_other_parameters_is_spoken_to_in_its_way(
    engine: OpenAICompatibleEngine, openai_server: OpenAIServer, prompt: Prompt
) -> None:
    openai_server.takes_temperature = False
    openai_server.limit_name = "max_completion_tokens"

    reply = engine.ask(prompt, timeout=10)

    assert reply.outcome is Outcome.ANSWERED
    assert openai_server.asked[-1].body["max_completion_tokens"] == 1_000
    assert "response_format" in openai_server.asked[-1].body


def test_a_complaint_that_only_looks_like_one_about_schemas_is_not_remembered(
    engine: OpenAICompatibleEngine, openai_server: OpenAIServer, prompt: Prompt
) -> None:
    openai_server.play(Fail(400, "bad grammar"), Fail(400, "bad grammar"))

    first = engine.ask(prompt, timeout=10)
    engine.ask(prompt, timeout=10)

    assert first.outcome is Outcome.REJECTED
    assert "response_format" in openai_server.asked[-1].body


def test_without_a_name_the_servers_first_model_is_asked_once(
    openai_server: OpenAIServer, prompt: Prompt
) -> None:
    engine = OpenAICompatibleEngine(url=openai_server.url)
    before = engine.model

    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda _: engine.ask(prompt, timeout=20), range(4)))

    assert (before, engine.model) == ("", MODEL)
    assert {reply.model for reply in replies} == {MODEL}
    assert [asked.path for asked in openai_server.requests].count("/v1/models") == 1


def test_a_server_without_models_is_a_clear_error(
    openai_server: OpenAIServer, prompt: Prompt
) -> None:
    openai_server.models = ()
    engine = OpenAICompatibleEngine(url=openai_server.url)

    assert engine.ask(prompt, timeout=10).outcome is Outcome.DENIED
    with pytest.raises(EngineError, match="the server lists no model; start it or set its name"):
        engine.discover_model(timeout=10)


def test_without_counts_usage_is_an_estimate_and_says_so(
    engine: OpenAICompatibleEngine, openai_server: OpenAIServer, prompt: Prompt
) -> None:
    openai_server.play(Answer(usage=None))

    usage = engine.ask(prompt, timeout=10).usage

    assert usage is not None
    assert usage.estimated
    assert usage.input == estimate_tokens(prompt.text)


def test_cached_prompt_tokens_are_told_apart(
    engine: OpenAICompatibleEngine, openai_server: OpenAIServer, prompt: Prompt
) -> None:
    details = {"prompt_tokens": 100, "prompt_tokens_details": {"cached_tokens": 64}}
    openai_server.play(Answer(usage={**details, "completion_tokens": 9}))

    assert engine.ask(prompt, timeout=10).usage == Usage(input=36, output=9, cache_read=64)


def test_a_hand_written_answer_says_so(
    engine: OpenAICompatibleEngine, openai_server: OpenAIServer, prompt: Prompt
) -> None:
    openai_server.play(Answer(scripted=True))

    assert engine.ask(prompt, timeout=10).scripted


def test_eight_threads_each_get_their_own_answer(
    engine: OpenAICompatibleEngine, openai_server: OpenAIServer, prompt: Prompt
) -> None:
    openai_server.answering = lambda asked: asked.user.rsplit("\n", 1)[-1]
    prompts = [replace(prompt, unit=f"part\nnumber {number}") for number in range(8)]

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda each: engine.ask(each, timeout=20), prompts))

    assert [reply.text for reply in replies] == [f"number {number}" for number in range(8)]


def test_no_proxy_and_no_netrc_of_the_environment_is_used(
    openai_server: OpenAIServer, prompt: Prompt, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password hunter2\n")
    os.chmod(netrc, 0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    engine = OpenAICompatibleEngine(url=openai_server.url, model=MODEL)
    with OpenAIServer() as trap:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, trap.root)

        reply = engine.ask(prompt, timeout=10)

        assert trap.requests == []
    assert reply.outcome is Outcome.ANSWERED
    assert "authorization" not in openai_server.requests[0].headers


def test_the_key_goes_to_the_server_and_nowhere_else(
    openai_server: OpenAIServer,
    prompt: Prompt,
    canary: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    openai_server.key = "local-secret-42"
    engine = OpenAICompatibleEngine(url=openai_server.url, model=MODEL, key="local-secret-42")
    stranger = OpenAICompatibleEngine(url=openai_server.url, model=MODEL, key="wrong-secret-43")
    openai_server.play(Answer(), Fail(400, "local-secret-42"), Fail(400, f"see {canary}"))

    replies = [each.ask(prompt, timeout=10) for each in (engine, engine, engine, stranger)]

    assert [reply.outcome for reply in replies] == [
        Outcome.ANSWERED, Outcome.REJECTED, Outcome.REJECTED, Outcome.DENIED,
    ]  # fmt: skip
    told = f"{replies!r} {engine!r} {caplog.text}"
    assert "local-secret-42" not in told
    assert canary not in told


class TestWhereTheHostIs:
    """Only this machine, or what the operator calls theirs, is not external."""

    def test_this_machine_has_no_price(self) -> None:
        port: Engine = OpenAICompatibleEngine(url="http://127.0.0.1:8000/v1", provider="openai")

        assert (port.name, port.external, port.provider) == ("openai", False, None)

    def test_a_host_declared_private_is_ours(self) -> None:
        engine = OpenAICompatibleEngine(url="http://gpu.lan:8000/v1", key="k-1", private=True)

        assert (engine.external, engine.provider) == (False, None)

    def test_any_other_is_external_and_has_the_given_price(self) -> None:
        engine = OpenAICompatibleEngine(url="https://api.openai.com/v1", provider="openai")

        assert (engine.external, engine.provider) == (True, "openai")

    def test_a_key_goes_to_a_foreign_host_only_over_tls(self) -> None:
        with pytest.raises(EngineError, match="https"):
            OpenAICompatibleEngine(url="http://models.example.com/v1", key="k-1")

"""Every way in which a call to an OpenAI-compatible server can end has its own outcome."""

import json
import socket
from typing import Any

import pytest
from model_servers import (
    Answer,
    Behaviour,
    Drip,
    Fail,
    Hang,
    HangUp,
    OpenAIServer,
    Oversize,
    Redirect,
    Refusal,
)

from reviewbot.engines.openai_compatible import OpenAICompatibleEngine
from reviewbot.engines.wire import MAX_REPLY_BYTES
from reviewbot.review.engine import Outcome, Prompt

MODEL = "qwen2.5-coder-32b-instruct"


@pytest.fixture
def engine(openai_server: OpenAIServer) -> OpenAICompatibleEngine:
    return OpenAICompatibleEngine(url=openai_server.url, model=MODEL)


def said(status: int, data: Any) -> Fail:
    """An error in the words of a real server."""
    return Fail(status, body=json.dumps(data).encode())


VLLM_TOO_LONG = {
    "object": "error",
    "message": "This model's maximum context length is 4096 tokens. However, you requested 5000.",
    "type": "BadRequestError",
    "param": None,
    "code": 400,
}
LLAMA_TOO_LONG = {
    "error": {
        "code": 400,
        "message": "the request exceeds the available context size, try increasing it",
        "type": "exceed_context_size_error",
        "n_prompt_tokens": 5000,
        "n_ctx": 4096,
    }
}
#: Several answers have filled a cache that they share.
LLAMA_FULL = {
    "error": {"code": 500, "message": "Context size has been exceeded.", "type": "server_error"}
}
LLAMA_LOADING = {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}
OLLAMA_NO_MODEL = {"error": {"message": 'model "qwen" not found, try pulling it first', "type": ""}}
OPENAI_TOO_LONG = {"error": {"message": "Too long.", "code": "context_length_exceeded"}}


@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [
        (Refusal(), Outcome.REFUSED),
        (Refusal(style="filter"), Outcome.REFUSED),
        (Answer(text=None), Outcome.MALFORMED),
        (Answer(text=None, ending="tool_calls"), Outcome.MALFORMED),
        (Answer(ending="tool_calls"), Outcome.MALFORMED),
        (Answer(ending="something_new"), Outcome.MALFORMED),
        (Oversize(MAX_REPLY_BYTES), Outcome.MALFORMED),
        (Fail(200, body=b"<html>busy</html>"), Outcome.MALFORMED),
        (said(200, {"choices": []}), Outcome.MALFORMED),
        (said(200, {"choices": [7]}), Outcome.MALFORMED),
        (said(400, VLLM_TOO_LONG), Outcome.TOO_LONG),
        (said(400, LLAMA_TOO_LONG), Outcome.TOO_LONG),
        (said(400, OPENAI_TOO_LONG), Outcome.TOO_LONG),
        (said(500, {"error": "input length exceeds maximum context length"}), Outcome.TOO_LONG),
        (Fail(413), Outcome.TOO_LONG),
        (said(500, LLAMA_FULL), Outcome.TOO_LONG),
        (said(503, LLAMA_LOADING), Outcome.OVERLOADED),
        (said(404, OLLAMA_NO_MODEL), Outcome.DENIED),
        (Fail(400, "The model `qwen` does not exist."), Outcome.DENIED),
        (Fail(401), Outcome.DENIED),
        (Fail(403), Outcome.DENIED),
        (Fail(429), Outcome.RATE_LIMITED),
        (Fail(400, "something else"), Outcome.REJECTED),
        (Fail(422, body=b"[]"), Outcome.REJECTED),
        (Fail(500), Outcome.OVERLOADED),
        (Fail(502, body=b"<html>"), Outcome.OVERLOADED),
        (HangUp(after=0), Outcome.UNREACHABLE),
        (HangUp(after=40), Outcome.UNREACHABLE),
        (Hang(seconds=0.01), Outcome.UNREACHABLE),
    ],
    ids=str,
)
def test_each_ending_has_its_outcome(
    engine: OpenAICompatibleEngine,
    openai_server: OpenAIServer,
    prompt: Prompt,
    behaviour: Behaviour,
    outcome: Outcome,
) -> None:
    openai_server.play(behaviour)

    reply = engine.ask(prompt, timeout=10)

    assert reply.outcome is outcome
    assert reply.text == ""
    assert reply.detail
    assert reply.model == MODEL
    assert len(openai_server.asked) == 1


@pytest.mark.parametrize(
    "behaviour", [Hang(), Drip(), Drip(headers=True)], ids=["silence", "slow body", "slow headers"]
)
def test_waiting_ends_in_time_however_the_server_stalls(
    engine: OpenAICompatibleEngine,
    openai_server: OpenAIServer,
    prompt: Prompt,
    behaviour: Behaviour,
) -> None:
    openai_server.play(behaviour)

    reply = engine.ask(prompt, timeout=0.4)

    assert (reply.outcome, reply.usage) == (Outcome.TIMED_OUT, None)


def test_a_server_that_is_not_there_is_unreachable(prompt: Prompt) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"

        named = OpenAICompatibleEngine(url=url, model=MODEL).ask(prompt, timeout=5)
        unnamed = OpenAICompatibleEngine(url=url).ask(prompt, timeout=5)

    assert [named.outcome, unnamed.outcome] == [Outcome.UNREACHABLE, Outcome.UNREACHABLE]
    assert "127.0.0.1" in named.detail


def test_a_cut_answer_is_handed_on_as_truncated(
    engine: OpenAICompatibleEngine, openai_server: OpenAIServer, prompt: Prompt
) -> None:
    openai_server.play(Answer('{"walkthrough": "x", "fin', ending="limit"))

    reply = engine.ask(prompt, timeout=10)

    assert (reply.outcome, reply.text) == (Outcome.TRUNCATED, '{"walkthrough": "x", "fin')


def test_a_rate_limit_says_how_long_to_wait(
    engine: OpenAICompatibleEngine, openai_server: OpenAIServer, prompt: Prompt
) -> None:
    openai_server.play(Fail(429, headers={"Retry-After": "7"}), Fail(429))

    waits = [engine.ask(prompt, timeout=10).retry_after for _ in range(2)]

    assert waits == [7.0, None]


def test_a_redirect_is_not_followed(
    engine: OpenAICompatibleEngine, openai_server: OpenAIServer, prompt: Prompt
) -> None:
    with OpenAIServer() as elsewhere:
        openai_server.play(Redirect(f"{elsewhere.url}/chat/completions"))

        reply = engine.ask(prompt, timeout=10)

        assert reply.outcome is Outcome.REJECTED
        assert elsewhere.requests == []


def test_the_servers_own_limits_come_back_as_outcomes(prompt: Prompt) -> None:
    with OpenAIServer(context_tokens=20) as small:
        long = OpenAICompatibleEngine(url=small.url, model=MODEL)
        absent = OpenAICompatibleEngine(url=small.url, model="another")

        outcomes = [each.ask(prompt, timeout=10).outcome for each in (long, absent)]

    assert outcomes == [Outcome.TOO_LONG, Outcome.DENIED]

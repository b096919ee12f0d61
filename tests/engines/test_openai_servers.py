"""vLLM, llama-server and Ollama: each answers and refuses in its own way, one engine reads them."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from model_servers import Answer, LlamaCppServer, LocalServer, OllamaServer, VllmServer

from reviewbot.engines.openai_compatible import OpenAICompatibleEngine
from reviewbot.review.answer import parse_answer
from reviewbot.review.engine import Outcome, Prompt
from reviewbot.review.retrying import retry_delay

SERVERS = [VllmServer, LlamaCppServer, OllamaServer]


@pytest.fixture(params=SERVERS, ids=lambda kind: kind.__name__)
def server(request: pytest.FixtureRequest) -> Iterator[LocalServer]:
    """Each in turn. The test fails if any request had a shape that none of them takes."""
    with request.param() as started:
        yield started
    assert started.problems == []


@pytest.fixture
def engine(server: LocalServer) -> OpenAICompatibleEngine:
    return OpenAICompatibleEngine(url=server.url)


@pytest.fixture
def vllm() -> Iterator[VllmServer]:
    with VllmServer(context_tokens=2_048) as started:
        yield started


@pytest.fixture
def llama_cpp() -> Iterator[LlamaCppServer]:
    with LlamaCppServer(context_tokens=2_048) as started:
        yield started


@pytest.fixture
def ollama() -> Iterator[OllamaServer]:
    with OllamaServer(context_tokens=2_048) as started:
        yield started


@pytest.fixture
def long_prompt(prompt: Prompt) -> Prompt:
    """More than the small servers have room for."""
    return replace(prompt, unit=prompt.unit + "\n9 +x = 1" * 1_200)


def engine_of(server: LocalServer, context_tokens: int = 2_048) -> OpenAICompatibleEngine:
    return OpenAICompatibleEngine(url=server.url, model=server.model, context_tokens=context_tokens)


def test_each_is_bound_to_the_schema_and_gives_the_same_remarks(
    engine: OpenAICompatibleEngine, server: LocalServer, prompt: Prompt, one_finding: str
) -> None:
    server.play(Answer(one_finding))

    reply = engine.ask(prompt, timeout=10)

    assert (reply.outcome, reply.model, reply.sends) == (Outcome.ANSWERED, server.model, 1)
    assert parse_answer(reply.text) == parse_answer(one_finding)
    [asked] = server.asked
    assert asked.body["response_format"]["json_schema"]["schema"] == prompt.schema
    assert asked.body["stream"] is False
    [charge] = server.bill
    assert reply.usage is not None
    assert reply.usage.input + reply.usage.cache_read == charge.input
    assert not reply.usage.estimated


def test_each_says_when_an_answer_ran_into_its_limit(
    engine: OpenAICompatibleEngine, prompt: Prompt, server: LocalServer, one_finding: str
) -> None:
    server.play(Answer(one_finding))

    reply = engine.ask(replace(prompt, max_output_tokens=20), timeout=10)

    assert reply.outcome is Outcome.TRUNCATED
    assert reply.text == one_finding[:80]


def test_a_prompt_that_does_not_fit_is_too_long_for_each(
    vllm: VllmServer, llama_cpp: LlamaCppServer, ollama: OllamaServer, long_prompt: Prompt
) -> None:
    replies = [
        engine_of(server).ask(long_prompt, timeout=10) for server in (vllm, llama_cpp, ollama)
    ]

    assert [reply.outcome for reply in replies] == [Outcome.TOO_LONG] * 3
    assert [reply.text for reply in replies] == [""] * 3
    assert [len(server.asked) for server in (vllm, llama_cpp, ollama)] == [0, 0, 1]


def test_ollama_with_less_context_than_expected_is_the_operators_to_mend(
    ollama: OllamaServer, prompt: Prompt
) -> None:
    reply = engine_of(ollama, context_tokens=16_384).ask(prompt, timeout=10)

    assert reply.outcome is Outcome.DENIED
    assert "2048 tokens of context" in reply.detail
    assert "OLLAMA_CONTEXT_LENGTH=16384" in reply.detail
    assert reply.detail.endswith("REVIEWBOT_LOCAL_CONTEXT_TOKENS=2048")
    assert reply.usage is not None


def test_an_ollama_that_does_not_tell_its_context_is_believed(
    ollama: OllamaServer, prompt: Prompt
) -> None:
    ollama.tells_context = False

    assert engine_of(ollama, context_tokens=16_384).ask(prompt, timeout=10).text


def test_what_leaves_no_room_for_the_longest_answer_is_refused_by_vllm_alone(
    vllm: VllmServer, llama_cpp: LlamaCppServer, prompt: Prompt
) -> None:
    greedy = replace(prompt, max_output_tokens=2_040)

    outcomes = [engine_of(server).ask(greedy, timeout=10).outcome for server in (vllm, llama_cpp)]

    assert outcomes == [Outcome.TOO_LONG, Outcome.ANSWERED]


@pytest.mark.parametrize("kind", [VllmServer, OllamaServer])
def test_an_unknown_model_is_the_operators_to_mend(kind: type[LocalServer], prompt: Prompt) -> None:
    with kind() as server:
        reply = OpenAICompatibleEngine(url=server.url, model="gpt-9").ask(prompt, timeout=10)

    assert reply.outcome is Outcome.DENIED
    assert "serve or pull it there, or correct REVIEWBOT_LOCAL_MODEL" in reply.detail
    assert "gpt-9" in reply.detail


def test_llama_server_is_waited_for_while_it_loads(
    llama_cpp: LlamaCppServer, prompt: Prompt
) -> None:
    llama_cpp.loading = True
    early = engine_of(llama_cpp).ask(prompt, timeout=10)
    llama_cpp.loading = False
    late = engine_of(llama_cpp).ask(prompt, timeout=10)

    assert (early.outcome, late.outcome) == (Outcome.OVERLOADED, Outcome.ANSWERED)
    waits = [retry_delay(early, attempt) for attempt in (1, 2, 3)]
    assert waits == [20, 20, 20]  # some gigabytes are read from disk


def test_a_busy_ollama_is_asked_again(ollama: OllamaServer, prompt: Prompt) -> None:
    ollama.busy = True

    reply = engine_of(ollama).ask(prompt, timeout=10)

    assert reply.outcome is Outcome.OVERLOADED
    assert retry_delay(reply, 1) is not None


def test_thoughts_are_no_part_of_the_answer(
    engine: OpenAICompatibleEngine, server: LocalServer, prompt: Prompt, one_finding: str
) -> None:
    thoughts = '<think>\n{"findings": [] would be wrong\n</think>\n\n'
    server.play(Answer(thoughts + one_finding))

    reply = engine.ask(prompt, timeout=10)

    assert parse_answer(reply.text) == parse_answer(one_finding)

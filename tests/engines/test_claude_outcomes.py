"""Every way in which a Claude call can end has its own outcome."""

import logging
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from model_servers import (
    Answer,
    Behaviour,
    ClaudeServer,
    Drip,
    Fail,
    Hang,
    HangUp,
    Oversize,
    Redirect,
    Refusal,
)

from reviewbot.engines.claude import ClaudeEngine
from reviewbot.engines.wire import MAX_REPLY_BYTES
from reviewbot.review.answer import parse_answer
from reviewbot.review.engine import Outcome, Prompt, Reply


@pytest.fixture
def engine(claude_server: ClaudeServer) -> ClaudeEngine:
    return ClaudeEngine(key=claude_server.key, model="claude-opus-5-5", url=claude_server.url)


@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [
        (Refusal(), Outcome.REFUSED),
        (Refusal(text="I would rather"), Outcome.REFUSED),
        (Answer(text=None), Outcome.MALFORMED),
        (Answer(text="  "), Outcome.MALFORMED),
        (Answer(ending="pause_turn"), Outcome.MALFORMED),
        (Answer(ending="tool_use"), Outcome.MALFORMED),
        (Answer(ending="something_new"), Outcome.MALFORMED),
        (Oversize(MAX_REPLY_BYTES), Outcome.MALFORMED),
        (Fail(200, body=b"<html>busy</html>"), Outcome.MALFORMED),
        (Fail(200, body=b"[" * 100_000), Outcome.MALFORMED),
        (Fail(401), Outcome.DENIED),
        (Fail(402), Outcome.DENIED),
        (Fail(403), Outcome.DENIED),
        (Fail(404, "model: claude-opus-9"), Outcome.DENIED),
        (Fail(400, "Your credit balance is too low"), Outcome.DENIED),
        (Fail(400, "prompt is too long: 9 tokens > 8 maximum"), Outcome.TOO_LONG),
        (Fail(413), Outcome.TOO_LONG),
        (Fail(400, "messages: something else"), Outcome.REJECTED),
        (Fail(418), Outcome.REJECTED),
        (Fail(408), Outcome.OVERLOADED),
        (Fail(409), Outcome.OVERLOADED),
        (Fail(500), Outcome.OVERLOADED),
        (Fail(504), Outcome.OVERLOADED),
        (Fail(529), Outcome.OVERLOADED),
        (Fail(503, body=b"not json"), Outcome.OVERLOADED),
        (HangUp(after=0), Outcome.UNREACHABLE),
        (HangUp(after=40), Outcome.UNREACHABLE),
        (Hang(seconds=0.01), Outcome.UNREACHABLE),
    ],
    ids=str,
)
def test_each_ending_has_its_outcome(
    engine: ClaudeEngine,
    claude_server: ClaudeServer,
    prompt: Prompt,
    behaviour: Behaviour,
    outcome: Outcome,
) -> None:
    claude_server.play(behaviour)

    reply = engine.ask(prompt, timeout=10)

    assert reply.outcome is outcome
    assert reply.text == ""
    assert reply.detail
    assert len(reply.detail) <= 200
    assert reply.model == "claude-opus-5-5"


@pytest.mark.parametrize(
    "behaviour", [Hang(), Drip(), Drip(headers=True)], ids=["silence", "slow body", "slow headers"]
)
def test_waiting_ends_in_time_however_the_service_stalls(
    engine: ClaudeEngine, claude_server: ClaudeServer, prompt: Prompt, behaviour: Behaviour
) -> None:
    claude_server.play(behaviour)

    reply = engine.ask(prompt, timeout=0.4)

    assert reply.outcome is Outcome.TIMED_OUT
    assert reply.usage is None
    assert len(claude_server.bill) == 1  # the model worked: what was spent is unknown, not nothing


def test_a_service_that_is_not_there_is_unreachable(prompt: Prompt) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"

        reply = ClaudeEngine(key="sk-ant-1", model="claude-opus-5-5", url=url).ask(
            prompt, timeout=5
        )

    assert reply.outcome is Outcome.UNREACHABLE
    assert "no connection to 127.0.0.1" in reply.detail


@pytest.mark.parametrize("ending", ["limit", "context"])
def test_a_cut_answer_keeps_its_whole_findings(
    engine: ClaudeEngine,
    claude_server: ClaudeServer,
    prompt: Prompt,
    one_finding: str,
    ending: str,
) -> None:
    claude_server.play(Answer(one_finding[:-2] + ', {"path": "src/ot', ending=ending))

    reply = engine.ask(prompt, timeout=10)

    assert reply.outcome is Outcome.TRUNCATED
    assert len(parse_answer(reply.text).remarks) == 1
    assert reply.usage is not None


@pytest.mark.parametrize("text", ['{"walkthrough": "x", "findings": [', "Sure! Here it is: {}"])
def test_what_the_model_says_is_handed_on_for_the_parser_to_judge(
    engine: ClaudeEngine, claude_server: ClaudeServer, prompt: Prompt, text: str
) -> None:
    claude_server.play(Answer(text))

    reply = engine.ask(prompt, timeout=10)

    assert (reply.outcome, reply.text) == (Outcome.ANSWERED, text)
    assert not parse_answer(reply.text).whole


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "17"}, 17.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({}, None),
    ],
)
def test_a_rate_limit_says_how_long_to_wait_or_not_at_all(
    engine: ClaudeEngine,
    claude_server: ClaudeServer,
    prompt: Prompt,
    headers: dict[str, str],
    seconds: float | None,
) -> None:
    claude_server.play(Fail(429, "too many", headers=headers))

    reply = engine.ask(prompt, timeout=10)

    assert reply.outcome is Outcome.RATE_LIMITED
    assert reply.retry_after == seconds


def test_a_wait_until_a_date_is_turned_into_seconds(
    engine: ClaudeEngine, claude_server: ClaudeServer, prompt: Prompt
) -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    claude_server.play(Fail(529, headers={"retry-after": until}))

    reply = engine.ask(prompt, timeout=10)

    assert reply.outcome is Outcome.OVERLOADED
    assert reply.retry_after is not None
    assert 3_500 < reply.retry_after <= 3_600


def test_refusals_are_paid_for_and_say_their_category(
    engine: ClaudeEngine, claude_server: ClaudeServer, prompt: Prompt
) -> None:
    claude_server.play(Refusal(category="cyber"))

    reply = engine.ask(prompt, timeout=10)

    assert reply.detail == "the model declined (cyber)"
    assert reply.usage is not None
    assert reply.usage.input == claude_server.bill[0].input


def test_a_redirect_is_not_followed(
    engine: ClaudeEngine, claude_server: ClaudeServer, prompt: Prompt
) -> None:
    with ClaudeServer(key=claude_server.key) as elsewhere:
        claude_server.play(Redirect(f"{elsewhere.url}/v1/messages"))

        reply = engine.ask(prompt, timeout=10)

        assert reply.outcome is Outcome.REJECTED
        assert elsewhere.requests == []


def test_the_servers_own_limits_come_back_as_outcomes(prompt: Prompt) -> None:
    with ClaudeServer(context_tokens=20) as small:
        long = ClaudeEngine(key=small.key, model="claude-opus-5-5", url=small.url)
        absent = ClaudeEngine(key=small.key, model="claude-opus-9", url=small.url)
        stranger = ClaudeEngine(key="sk-ant-wrong", model="claude-opus-5-5", url=small.url)

        outcomes = [each.ask(prompt, timeout=10).outcome for each in (long, absent, stranger)]

    assert outcomes == [Outcome.TOO_LONG, Outcome.DENIED, Outcome.DENIED]


class TestWhatNobodyMayRead:
    """The key and the prompt stay out of everything but the request."""

    def test_what_the_service_says_is_shown_unless_it_repeats_secrets(
        self, engine: ClaudeEngine, claude_server: ClaudeServer, prompt: Prompt, canary: str
    ) -> None:
        claude_server.play(
            Fail(400, "max_tokens: too\nmany\x1b[31m for this model"),
            Fail(401, f"no such key: {claude_server.key}"),
            Fail(400, f"cannot parse {canary}"),
        )

        shown, key, text = (engine.ask(prompt, timeout=10).detail for _ in range(3))

        assert shown.endswith(": max_tokens: too many [31m for this model")
        assert key == "the key was refused (HTTP 401)"
        assert text == "the request was rejected (HTTP 400)"

    @pytest.mark.parametrize("logged", ["debug", "info"])
    def test_logs_replies_and_repr_hold_neither_key_nor_prompt(
        self,
        engine: ClaudeEngine,
        claude_server: ClaudeServer,
        prompt: Prompt,
        canary: str,
        logged: str,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        monkeypatch.setenv("ANTHROPIC_LOG", logged)
        caplog.set_level(logging.DEBUG)
        behaviours: list[Behaviour] = [Fail(401), Fail(400, canary), HangUp(), Answer(), Refusal()]
        claude_server.play(*behaviours)

        replies: list[Reply] = [engine.ask(prompt, timeout=10) for _ in behaviours]

        told = f"{replies!r} {engine!r} {caplog.text}"
        assert claude_server.key not in told
        assert canary not in told
        assert "***" in repr(engine)


class TestEnvironment:
    """Where prompts go is decided by our settings, not by variables that the SDK reads."""

    @pytest.fixture
    def trap(self) -> ClaudeServer:
        return ClaudeServer(key="sk-ant-trap")

    def test_no_variable_redirects_or_changes_a_call(
        self,
        trap: ClaudeServer,
        engine: ClaudeEngine,
        claude_server: ClaudeServer,
        prompt: Prompt,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        with trap:
            monkeypatch.setenv("ANTHROPIC_BASE_URL", trap.url)
            monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-other")
            monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "token-other")
            monkeypatch.setenv("ANTHROPIC_PROFILE", "other")
            monkeypatch.setenv(
                "ANTHROPIC_CUSTOM_HEADERS",
                "Authorization: Bearer evil\nanthropic-beta: evil-1\nX-Evil: 1\nHost: evil.example",
            )
            for name in ("http_proxy", "https_proxy", "all_proxy"):
                monkeypatch.setenv(name, trap.url)
                monkeypatch.setenv(name.upper(), trap.url)

            reply = engine.ask(prompt, timeout=10)

            assert trap.requests == []
        assert reply.outcome is Outcome.ANSWERED
        [asked] = claude_server.requests
        assert asked.headers["authorization"] == f"Bearer {claude_server.key}"
        assert asked.headers["host"] == claude_server.url.removeprefix("http://")
        assert not {"x-evil", "anthropic-beta", "x-api-key", "traceparent"} & asked.headers.keys()

    def test_a_proxy_that_is_none_does_no_harm(
        self, engine: ClaudeEngine, prompt: Prompt, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ALL_PROXY", "socks9://nowhere:-1")

        assert engine.ask(prompt, timeout=10).outcome is Outcome.ANSWERED

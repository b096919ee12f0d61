"""Fixtures for all tests: a fresh model server each, stopped and checked afterwards."""

from collections.abc import Iterator

import pytest

from model_servers.claude import ClaudeServer
from model_servers.openai import OpenAIServer


@pytest.fixture
def claude_server() -> Iterator[ClaudeServer]:
    """A loopback Anthropic API. The test fails if any request had a shape the real one rejects;
    a test that sends such a request on purpose clears `problems`."""
    with ClaudeServer() as server:
        yield server
    assert server.problems == []


@pytest.fixture
def openai_server() -> Iterator[OpenAIServer]:
    """A loopback OpenAI-compatible API, checked likewise."""
    with OpenAIServer() as server:
        yield server
    assert server.problems == []

"""Claude through the anthropic SDK: one call, one typed reply; no tools, no retries, no surprises.

The SDK takes addresses, keys, headers, proxies and tracing from the environment. All of that is
shut off here: where prompts and the key go is decided by our own settings alone.
"""

import logging
import socket
import time
from collections.abc import Mapping
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from reviewbot.change.tokens import estimate_tokens
from reviewbot.engines.address import checked_key, checked_url
from reviewbot.engines.claude_reply import read_reply
from reviewbot.engines.wire import (
    SCRIPTED_HEADER,
    OversizedReply,
    Read,
    json_object,
    read_body,
    retry_after,
    safe_detail,
    within,
)
from reviewbot.review.engine import Outcome, Prompt, Reply

if TYPE_CHECKING:
    import ssl

    import anthropic

#: Press reports say that the vocabulary of newer Claude models makes up to 1.35 times the tokens
#: of the one before; neither is public. Our estimate is taken that much higher, to be safe.
TOKEN_FACTOR = 1.35
#: Longest wait for a connection, seconds: the SDK's own default.
CONNECT_SECONDS = 5.0
#: The largest of Anthropic's minimums for a cached prefix (1,024 to 4,096 tokens by model).
CACHE_MINIMUM_TOKENS = 4_096


class _Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class ClaudeEngine:
    """An `Engine` for the Anthropic Messages API. Safe to use from several threads."""

    name = "claude"
    external = True
    provider: str | None = "anthropic"

    def __init__(
        self,
        *,
        key: str,
        model: str,
        url: str = "https://api.anthropic.com",
        context_tokens: int = 200_000,
        cache_minimum_tokens: int = CACHE_MINIMUM_TOKENS,
    ) -> None:
        """`url` must be https unless it is this machine; `context_tokens` is the model's limit;
        `cache_minimum_tokens` the shortest prefix worth marking for the prompt cache.

        Raises EngineError for a key or URL that can't be one. Asks nobody.
        """
        self._key = checked_key(key, "the Claude key")
        self._url = checked_url(url, "the Claude URL", tls=True)
        self.model = model
        self.context_tokens = context_tokens
        self._cache_minimum = cache_minimum_tokens
        self._lock = Lock()
        self._made: anthropic.Anthropic | None = None

    def __repr__(self) -> str:
        return f"ClaudeEngine(model={self.model!r}, url={self._url!r}, key='***')"

    def count_tokens(self, text: str) -> int:
        """An estimate on the high side (see TOKEN_FACTOR): the vocabulary is not public."""
        return int(estimate_tokens(text) * TOKEN_FACTOR) + 1

    def ask(self, prompt: Prompt, *, timeout: float) -> Reply:
        """Send one prompt; wait at most `timeout` seconds. Every answer is a Reply."""
        client = self._client()
        request = {
            **self._question(prompt),
            "max_tokens": prompt.max_output_tokens,
        }
        call = client.messages.with_streaming_response.create
        started = time.monotonic()
        answer = self._send(call, request, timeout)
        seconds = time.monotonic() - started
        read = answer if isinstance(answer, Read) else read_reply(answer.status, answer.body)
        headers = {} if isinstance(answer, Read) else answer.headers
        model = read.raw.get("model")
        return Reply(
            outcome=read.outcome,
            model=model if isinstance(model, str) and model else self.model,
            seconds=seconds,
            text=read.text,
            usage=read.usage,
            raw=read.raw,
            retry_after=retry_after(headers) if read.outcome is not Outcome.ANSWERED else None,
            detail=safe_detail(read.note, read.said, secret=self._key, prompt=prompt.text),
            scripted=headers.get(SCRIPTED_HEADER) == "1",
        )

    def count_prompt_tokens(self, prompt: Prompt, *, timeout: float) -> int | None:
        """The exact input tokens of `prompt`, by the free counting endpoint; None if it fails.

        It sends the prompt: what may not leave this machine may not be counted there either.
        """
        call = self._client().messages.with_streaming_response.count_tokens
        answer = self._send(call, self._question(prompt), timeout)
        if isinstance(answer, Read) or answer.status != 200:
            return None
        tokens = (json_object(answer.body) or {}).get("input_tokens")
        return tokens if isinstance(tokens, int) else None

    def problem(self, *, timeout: float) -> str:
        """What stands in the way of asking, in words; empty for nothing. The question is free and
        sends nothing of anybody's: GET /v1/models/NAME."""
        call = self._client().models.with_streaming_response.retrieve
        answer = self._send(call, {"model_id": self.model}, timeout)
        if not isinstance(answer, Read):
            if answer.status == 200:
                return ""
            answer = read_reply(answer.status, answer.body)
        return safe_detail(answer.note, answer.said, secret=self._key, prompt="")

    def _question(self, prompt: Prompt) -> dict[str, Any]:
        """The request's body, most lasting part first, as the prompt cache needs it."""
        from anthropic import transform_schema  # loaded late: the SDK takes seconds to import

        shared: list[dict[str, Any]] = []
        if prompt.shared.strip():
            shared.append({"type": "text", "text": prompt.shared})
            prefix = self.count_tokens(prompt.system + prompt.shared)
            if prompt.cache_prefix and prefix >= self._cache_minimum:
                shared[-1]["cache_control"] = {"type": "ephemeral"}
        return {
            "model": self.model,
            "system": [{"type": "text", "text": prompt.system}],
            "messages": [
                {"role": "user", "content": [*shared, {"type": "text", "text": prompt.about}]}
            ],
            "output_config": {
                "format": {"type": "json_schema", "schema": transform_schema(dict(prompt.schema))}
            },
        }

    def _send(self, call: Any, request: Mapping[str, Any], timeout: float) -> "_Answer | Read":
        """The service's answer, or what it means that there is none."""
        import anthropic
        import httpx2

        try:
            return within(timeout, lambda: _exchange(call, request, timeout))
        except OversizedReply:
            return Read(Outcome.MALFORMED, note="the answer is larger than any review")
        except (TimeoutError, anthropic.APIConnectionError, httpx2.HTTPError) as error:
            cause = error.__cause__ if isinstance(error, anthropic.APIConnectionError) else error
            return self._no_answer(cause)

    def _no_answer(self, cause: BaseException | None) -> Read:
        import httpx2

        host = self._url.split("/")[2]
        if isinstance(cause, httpx2.ConnectTimeout | httpx2.PoolTimeout | httpx2.ConnectError):
            return Read(Outcome.UNREACHABLE, note=f"no connection to {host}")
        if isinstance(cause, httpx2.TimeoutException | TimeoutError):
            return Read(Outcome.TIMED_OUT, note="no whole answer in time")
        return Read(
            Outcome.UNREACHABLE, note=f"the connection to {host} broke before a whole answer"
        )

    def _client(self) -> "anthropic.Anthropic":
        with self._lock:
            if self._made is None:
                self._made = _sealed_client(self._key, self._url)
            return self._made


def _sealed_client(key: str, url: str) -> "anthropic.Anthropic":
    """The SDK's client, deaf to the environment: no foreign headers, proxies, redirects, tracing."""
    import anthropic  # loaded late: it takes seconds, and most commands never need it
    import httpx2

    for name in ("anthropic", "httpx2", "httpcore2"):
        # ANTHROPIC_LOG=debug, or a chatty root logger, would write whole prompts to the log.
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.getEffectiveLevel(), logging.WARNING))
    keep_alive = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    if hasattr(socket, "TCP_KEEPIDLE"):  # a minute, so that no router forgets a silent long wait
        keep_alive.append((socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60))
    # A kept connection may be dead when it is used again, and nothing here retries.
    limits = httpx2.Limits(max_keepalive_connections=0)
    transport = httpx2.HTTPTransport(
        verify=_tls(), trust_env=False, limits=limits, socket_options=keep_alive
    )
    client = anthropic.Anthropic(
        api_key=key,
        base_url=url,
        max_retries=0,
        open_telemetry=False,
        http_client=httpx2.Client(trust_env=False, follow_redirects=False, transport=transport),
    )
    # ANTHROPIC_CUSTOM_HEADERS may replace any header, the key included, and no argument stops it.
    client._custom_headers = {}
    return client


@cache
def _tls() -> "ssl.SSLContext":
    """One set of trusted authorities for all engines: reading it takes a quarter of a second."""
    import httpx2

    return httpx2.create_ssl_context(trust_env=False)


def _exchange(call: Any, request: Mapping[str, Any], timeout: float) -> _Answer:
    """One request and its whole answer, whatever its status."""
    import anthropic
    import httpx2

    deadline = time.monotonic() + timeout
    waits = httpx2.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS))
    try:
        with call(**request, timeout=waits) as response:
            body = read_body(response.iter_bytes(), deadline=deadline)
            return _Answer(response.status_code, response.headers, body)
    except anthropic.APIStatusError as error:
        return _Answer(error.status_code, error.response.headers, error.response.content)

"""Any server with the OpenAI chat API: vLLM, llama-server, Ollama, or a paid service."""

import json
import time
from collections.abc import Mapping
from threading import Lock
from typing import Any, NamedTuple

from reviewbot.change.tokens import estimate_tokens
from reviewbot.engines.address import checked_key, checked_url, is_loopback
from reviewbot.engines.openai_reply import (
    OLLAMA,
    Dialect,
    cut_by_ollama,
    first_model,
    listed_models,
    ollama_context,
    read_completion,
)
from reviewbot.engines.wire import (
    SCRIPTED_HEADER,
    OversizedReply,
    Read,
    read_body,
    retry_after,
    safe_detail,
    within,
)
from reviewbot.errors import EngineError
from reviewbot.review.engine import Outcome, Prompt, Reply, Usage

#: Longest wait for a connection, seconds.
CONNECT_SECONDS = 5.0
#: Temperature of the answers after the likeliest one: Qwen's own default.
DRAWING_TEMPERATURE = 0.7
_JSON_ONLY = (
    "Answer with one JSON object and nothing else: no prose around it, no code fence. "
    "It must fit this JSON schema:\n"
)


class _Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class OpenAICompatibleEngine:
    """An `Engine` for the chat API that OpenAI made common. Safe to use from several threads."""

    name = "openai"

    def __init__(
        self,
        *,
        url: str,
        model: str = "",
        key: str | None = None,
        context_tokens: int = 16_384,
        private: bool = False,
        provider: str | None = None,
    ) -> None:
        """`url` is the API's root (`…/v1`). Without `model` the server's first one is asked for
        when it is needed. `private`: the operator says that the host is ours although it is not
        this machine. `provider`: the price library's id, where the engine is external.

        Raises EngineError for a key or URL that can't be one. Asks nobody.
        """
        self.external = not private and not is_loopback(url)
        self._url = checked_url(url, "the local model's URL", tls=self.external and key is not None)
        self._key = checked_key(key, "the local model's key") if key is not None else ""
        self.provider = provider if self.external else None
        self.context_tokens = context_tokens
        self._model = model
        self._dialect = Dialect()
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"OpenAICompatibleEngine(model={self._model!r}, url={self._url!r}, key='***')"

    @property
    def model(self) -> str:
        """The model's name; empty until the server was first asked for it."""
        return self._model

    def discover_model(self, *, timeout: float) -> str:
        """The model's name, asked of the server if none was configured.

        Raises EngineError, saying what to do, if the server can't be reached or lists none.
        """
        found = self._find_model(time.monotonic() + timeout)
        if found is not None:
            detail = safe_detail(found.note, found.said, secret=self._key, prompt="")
            raise EngineError(f"no model at {self._url}: {detail}; start it or set its name")
        return self._model

    def served(self, *, timeout: float) -> tuple[str, ...]:
        """All models that the server lists. Raises EngineError if it can't be asked."""
        answer = self._send("GET", f"{self._url}/models", None, time.monotonic() + timeout)
        if not isinstance(answer, Read):
            if answer.status == 200:
                return listed_models(answer.body)
            answer = read_completion(answer.status, answer.body)
        detail = safe_detail(answer.note, answer.said, secret=self._key, prompt="")
        raise EngineError(f"{self._url}: {detail}")

    def ask(self, prompt: Prompt, *, timeout: float) -> Reply:
        """Send one prompt; wait at most `timeout` seconds. Every answer is a Reply."""
        started = time.monotonic()
        deadline = started + timeout
        sends = 0
        answer: _Answer | Read | None = self._find_model(deadline)
        if answer is None:
            answer, sends = self._complete(prompt, deadline)
        seconds = time.monotonic() - started
        read = answer if isinstance(answer, Read) else read_completion(answer.status, answer.body)
        if read.raw.get("system_fingerprint") == OLLAMA:
            read = self._unless_cut(read, deadline)
        headers = {} if isinstance(answer, Read) else answer.headers
        model = read.raw.get("model")
        return Reply(
            outcome=read.outcome,
            model=model if isinstance(model, str) and model else self._model,
            seconds=seconds,
            text=read.text,
            usage=read.usage or _estimated(prompt, read),
            raw=read.raw,
            retry_after=_wait(headers, read) if read.outcome is not Outcome.ANSWERED else None,
            detail=safe_detail(read.note, read.said, secret=self._key, prompt=prompt.text),
            sends=sends,
            scripted=headers.get(SCRIPTED_HEADER) == "1",
        )

    def _find_model(self, deadline: float) -> Read | None:
        """Learn the model's name if it is not known; what went wrong, or None."""
        if not self._lock.acquire(timeout=max(deadline - time.monotonic(), 0)):
            return Read(Outcome.TIMED_OUT, note="no whole answer in time")
        try:
            if self._model:
                return None
            answer = self._send("GET", f"{self._url}/models", None, deadline)
            if isinstance(answer, Read):
                return answer
            if answer.status != 200:
                return read_completion(answer.status, answer.body)
            self._model = first_model(answer.body)
            return None if self._model else Read(Outcome.DENIED, note="the server lists no model")
        finally:
            self._lock.release()

    def _complete(self, prompt: Prompt, deadline: float) -> "tuple[_Answer | Read, int]":
        """Ask in the dialect known to work; where the server can't take a part of it, without.
        The answer, and how often it was asked."""
        dialect, sends = self._dialect, 0
        while True:
            sends += 1
            body = _body(prompt, self._model, dialect)
            answer = self._send("POST", f"{self._url}/chat/completions", body, deadline)
            if isinstance(answer, Read):
                return answer, sends
            simpler = dialect.without(answer.status, answer.body)
            if simpler is None:
                if answer.status == 200:
                    self._dialect = dialect
                return answer, sends
            dialect = simpler

    def _unless_cut(self, read: Read, deadline: float) -> Read:
        """Ollama throws away the beginning of a prompt that it has no room for, and answers the
        rest as if nothing were missing: such an answer does not count."""
        url = f"{self._url.removesuffix('/v1')}/api/ps"
        answer = self._send("GET", url, None, min(deadline, time.monotonic() + CONNECT_SECONDS))
        if isinstance(answer, Read) or answer.status != 200:
            return read
        room = ollama_context(answer.body, self._model)
        if room is None:
            return read
        if room < self.context_tokens:
            outcome = Outcome.DENIED
            note = (
                f"Ollama gives the model {room} tokens of context, {self.context_tokens} are "
                f"expected: start it with OLLAMA_CONTEXT_LENGTH={self.context_tokens}, or set "
                f"REVIEWBOT_LOCAL_CONTEXT_TOKENS={room}"
            )
        elif cut_by_ollama(read, room):
            outcome, note = Outcome.TOO_LONG, "Ollama has cut the prompt"
        else:
            return read
        return Read(outcome, usage=read.usage, raw=read.raw, note=note)

    def _send(
        self, method: str, url: str, body: Mapping[str, Any] | None, deadline: float
    ) -> "_Answer | Read":
        """The server's answer, or what it means that there is none."""
        import requests  # loaded late: commands that ask no model start faster

        left = max(deadline - time.monotonic(), 0.001)
        host = self._url.split("/")[2]
        try:
            return within(left, lambda: self._exchange(method, url, body, deadline))
        except OversizedReply:
            return Read(Outcome.MALFORMED, note="the answer is larger than any review")
        except requests.ConnectTimeout:
            return Read(Outcome.UNREACHABLE, note=f"no connection to {host}")
        except (TimeoutError, requests.Timeout):
            return Read(Outcome.TIMED_OUT, note="no whole answer in time")
        except requests.RequestException:
            return Read(Outcome.UNREACHABLE, note=f"no connection to {host}, or one that broke")

    def _exchange(
        self, method: str, url: str, body: Mapping[str, Any] | None, deadline: float
    ) -> _Answer:
        """One request and its whole answer, whatever its status."""
        import requests

        left = max(deadline - time.monotonic(), 0.001)
        headers = {"Accept-Encoding": "identity"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        with requests.Session() as session:  # one for each call: a session is not for threads
            session.trust_env = False  # no proxies and no .netrc: the operator's URL is meant
            with session.request(
                method,
                url,
                json=body,
                headers=headers,
                timeout=(min(left, CONNECT_SECONDS), left),
                allow_redirects=False,
                stream=True,
            ) as response:
                whole = read_body(response.iter_content(65_536), deadline=deadline)
                return _Answer(response.status_code, response.headers, whole)


def _body(prompt: Prompt, model: str, dialect: Dialect) -> dict[str, Any]:
    system = prompt.system
    if not dialect.schema:
        system += "\n\n" + _JSON_ONLY + json.dumps(prompt.schema)
    question = "\n\n".join(part for part in (prompt.shared, prompt.about) if part.strip())
    body: dict[str, Any] = {
        "model": model,
        "messages": [
            {"role": "system", "content": system},
            {"role": "user", "content": question},
        ],
        dialect.limit: prompt.max_output_tokens,
        "stream": False,
    }
    if dialect.temperature:
        body["temperature"] = DRAWING_TEMPERATURE if prompt.sample else 0
        if prompt.sample:
            body["seed"] = prompt.sample
    if dialect.schema:
        schema = {"name": "review", "strict": True, "schema": dict(prompt.schema)}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return body


def _wait(headers: Mapping[str, str], read: Read) -> float | None:
    named = retry_after(headers)
    return read.wait if named is None else named


def _estimated(prompt: Prompt, read: Read) -> Usage | None:
    """Our own count of an answer that came without one; None where there was no answer."""
    if not read.text:
        return None
    return Usage(estimate_tokens(prompt.text), estimate_tokens(read.text), estimated=True)

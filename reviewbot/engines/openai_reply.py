"""What an answer of an OpenAI-compatible server means, and what its server can't do.

The shapes of errors are those of OpenAI, vLLM, llama-server and Ollama: `{"error": {…}}`,
`{"error": "…"}` and vLLM's older flat object.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from reviewbot.engines.wire import Read, count, json_object, kept
from reviewbot.review.engine import Outcome, Usage

_KEPT = ("id", "object", "created", "model", "usage", "service_tier", "system_fingerprint")
_DENIED = {
    401: "the key was refused (HTTP 401)",
    403: "the key lacks permission (HTTP 403)",
    404: "no such model or address (HTTP 404): serve or pull it there, or correct "
    "REVIEWBOT_LOCAL_MODEL or REVIEWBOT_LOCAL_URL",
}
_TOO_LONG = re.compile(
    r"maximum context length|context_length_exceeded|exceed_context_size|available context size"
    r"|context (size|window|length)|input length exceeds|prompt is too long|max_model_len"
)
_NO_MODEL = re.compile(r"model\b.{0,80}\b(not found|does not exist|not exist)")
_NO_SCHEMA = re.compile(
    r"response_format|json[_ -]?schema|structured[_ -]?output|grammar|guided|invalid format"
)
#: llama-server says so, and nothing of how long it takes: some gigabytes are read from disk.
_LOADING, LOADING_SECONDS = "loading model", 20.0
#: Ollama signs its answers with it.
OLLAMA = "fp_ollama"
#: It keeps four tokens and perhaps a mark of the beginning, and rounds up.
_KEPT_BY_OLLAMA = 6


@dataclass(frozen=True)
class Dialect:
    """What a server's chat API takes."""

    schema: bool = True
    """It binds answers to a JSON schema."""
    limit: str = "max_tokens"
    """Its name for the output limit."""
    temperature: bool = True
    """It takes a temperature."""

    def without(self, status: int, body: bytes) -> "Dialect | None":
        """The dialect to try next, if this answer complains of a part of ours; else None."""
        if status not in (400, 422, 501):
            return None
        said, marks = _error_of(json_object(body) or {})
        words = f"{said} {marks}".lower()
        if _TOO_LONG.search(words):
            return None
        if self.limit == "max_tokens" and "max_completion_tokens" in words:
            return replace(self, limit="max_completion_tokens")
        if self.temperature and "temperature" in words:
            return replace(self, temperature=False)
        if self.schema and _NO_SCHEMA.search(words):
            return replace(self, schema=False)
        return None


def read_completion(status: int, body: bytes) -> Read:
    """The meaning of one whole answer to a chat request."""
    data = json_object(body)
    if status != 200:
        return _read_error(status, data or {})
    choices = (data or {}).get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if data is None or not isinstance(choice, Mapping) or not isinstance(message, Mapping):
        return Read(
            Outcome.MALFORMED, raw=kept(data or {}, _KEPT), note="the answer is no completion"
        )
    finish = choice.get("finish_reason")
    raw = {**kept(data, _KEPT), **kept(choice, ("finish_reason",))}
    outcome, note = _ending(finish, message)
    content = message.get("content")
    text = _said(content) if isinstance(content, str) and outcome in _WITH_TEXT else ""
    if outcome is Outcome.ANSWERED and not text.strip():
        outcome, text, note = Outcome.MALFORMED, "", "the answer is empty"
    return Read(outcome, text=text, usage=usage_of(data.get("usage")), raw=raw, note=note)


_WITH_TEXT = (Outcome.ANSWERED, Outcome.TRUNCATED)


def _ending(finish: object, message: Mapping[str, Any]) -> tuple[Outcome, str]:
    if message.get("refusal"):
        return Outcome.REFUSED, "the model declined"
    if finish == "content_filter":
        return Outcome.REFUSED, "the service's filter stopped the answer"
    if finish == "length":
        return Outcome.TRUNCATED, "cut off by the output limit or the context"
    if finish == "stop":
        return Outcome.ANSWERED, ""
    if finish in ("tool_calls", "function_call"):
        return Outcome.MALFORMED, "the model called a tool that it was not given"
    return Outcome.MALFORMED, "stopped for an unexpected reason"


def _said(content: str) -> str:
    """An answer without the thoughts before it: some servers leave them in."""
    thought, end, rest = content.partition("</think>")
    return rest if end and thought.lstrip().startswith("<think>") else content


def usage_of(usage: object) -> Usage | None:
    """Tokens as the server counted them; None if it gave no count."""
    if not isinstance(usage, Mapping) or "prompt_tokens" not in usage:
        return None
    details = usage.get("prompt_tokens_details")
    prompt = count(usage, "prompt_tokens")
    cached = min(count(details, "cached_tokens") if isinstance(details, Mapping) else 0, prompt)
    return Usage(input=prompt - cached, output=count(usage, "completion_tokens"), cache_read=cached)


def first_model(body: bytes) -> str:
    """The first model that `GET /models` lists; empty if it lists none."""
    return next(iter(listed_models(body)), "")


def listed_models(body: bytes) -> tuple[str, ...]:
    """The models that `GET /models` lists."""
    models = (json_object(body) or {}).get("data")
    names = [
        entry.get("id") if isinstance(entry, Mapping) else None
        for entry in (models if isinstance(models, list) else [])
    ]
    return tuple(name for name in names if isinstance(name, str))


def ollama_context(body: bytes, model: str) -> int | None:
    """Tokens of context that Ollama has loaded `model` with, of its `GET /api/ps`; None where it
    does not say."""
    models = (json_object(body) or {}).get("models")
    for entry in models if isinstance(models, list) else []:
        if isinstance(entry, Mapping) and entry.get("name") in (model, f"{model}:latest"):
            return count(entry, "context_length") or None
    return None


def cut_by_ollama(read: Read, room: int) -> bool:
    """Whether an answer is to what Ollama left of a longer prompt: the half of its context and the
    few tokens that it keeps of the beginning; in its older versions, all of its context."""
    usage = read.usage or Usage()
    tokens = usage.input + usage.cache_read
    return room // 2 <= tokens <= room // 2 + _KEPT_BY_OLLAMA or tokens >= room - 1


def _read_error(status: int, data: Mapping[str, Any]) -> Read:
    said, marks = _error_of(data)
    words = f"{said} {marks}".lower()
    outcome, note = _error(status, words)
    return Read(outcome, note=note, said=said, wait=LOADING_SECONDS if _LOADING in words else None)


def _error(status: int, words: str) -> tuple[Outcome, str]:
    if status == 413 or (status in (400, 422, 500) and _TOO_LONG.search(words)):
        return Outcome.TOO_LONG, f"the prompt is too long (HTTP {status})"
    if status in _DENIED:
        return Outcome.DENIED, _DENIED[status]
    if status == 400 and _NO_MODEL.search(words):
        return Outcome.DENIED, "no such model (HTTP 400)"
    if status == 429:
        return Outcome.RATE_LIMITED, "rate limit or spending limit (HTTP 429)"
    if status in (408, 409) or status >= 500:
        return Outcome.OVERLOADED, f"the server is busy, loading or failing (HTTP {status})"
    if 300 <= status < 400:
        return Outcome.REJECTED, f"redirected elsewhere (HTTP {status}), not followed"
    return Outcome.REJECTED, f"the request was rejected (HTTP {status})"


def _error_of(data: Mapping[str, Any]) -> tuple[str, str]:
    """An error's message, and its type, code and parameter as words."""
    error = data.get("error", data)
    if isinstance(error, str):
        return error, ""
    if not isinstance(error, Mapping):
        return "", ""
    said = error.get("message", error.get("detail"))
    marks = " ".join(str(error.get(key, "")) for key in ("type", "code", "param"))
    return said if isinstance(said, str) else "", marks

"""What an answer of the Anthropic Messages API means: status, headers and body → outcome."""

import re
from collections.abc import Mapping
from typing import Any

from reviewbot.engines.wire import Read, count, json_object, kept
from reviewbot.review.engine import Outcome, Usage

_KEPT = ("id", "type", "model", "stop_reason", "usage", "service_tier")
_WORD = re.compile(r"[a-z0-9_.-]{1,60}", re.IGNORECASE)
_DENIED = {
    401: "the key was refused (HTTP 401)",
    402: "the account can't be billed (HTTP 402)",
    403: "the key lacks permission (HTTP 403)",
    404: "no such model or address (HTTP 404)",
}
_STOPS = {
    "end_turn": Outcome.ANSWERED,
    "max_tokens": Outcome.TRUNCATED,
    "model_context_window_exceeded": Outcome.TRUNCATED,
    "refusal": Outcome.REFUSED,
}
_NOTES = {
    "max_tokens": "cut off by the output limit",
    "model_context_window_exceeded": "cut off by the model's context",
}


def read_reply(status: int, body: bytes) -> Read:
    """The meaning of one whole answer."""
    data = json_object(body)
    if status == 200:
        return _read_message(data)
    return _read_error(status, data or {})


def _read_message(data: dict[str, Any] | None) -> Read:
    if data is None or data.get("type") != "message" or not isinstance(data.get("content"), list):
        return Read(Outcome.MALFORMED, raw=kept(data or {}, _KEPT), note="the answer is no message")
    raw = kept(data, _KEPT)
    usage = usage_of(data.get("usage"))
    stop = data.get("stop_reason")
    outcome = _STOPS.get(stop, Outcome.MALFORMED) if isinstance(stop, str) else Outcome.MALFORMED
    if outcome is Outcome.REFUSED:
        return Read(outcome, usage=usage, raw=raw, note=_refusal(data))
    if outcome is Outcome.MALFORMED:
        return Read(
            outcome, usage=usage, raw=raw, note=f"stopped for an unexpected reason ({_word(stop)})"
        )
    text = "".join(
        block["text"]
        for block in data["content"]
        if isinstance(block, dict)
        and block.get("type") == "text"
        and isinstance(block.get("text"), str)
    )
    if outcome is Outcome.ANSWERED and not text.strip():
        return Read(Outcome.MALFORMED, usage=usage, raw=raw, note="the answer is empty")
    return Read(outcome, text=text, usage=usage, raw=raw, note=_NOTES.get(str(stop), ""))


def usage_of(usage: object) -> Usage | None:
    """Tokens as the service counted them; None if it gave no count.

    A cache write that no lifetime is named for counts as one of five minutes, the default.
    """
    if not isinstance(usage, Mapping) or "input_tokens" not in usage:
        return None
    written = usage.get("cache_creation")
    lifetimes = written if isinstance(written, Mapping) else {}
    one_hour = count(lifetimes, "ephemeral_1h_input_tokens")
    five_minutes = count(lifetimes, "ephemeral_5m_input_tokens")
    return Usage(
        input=count(usage, "input_tokens"),
        output=count(usage, "output_tokens"),
        cache_read=count(usage, "cache_read_input_tokens"),
        cache_write_5m=max(five_minutes, count(usage, "cache_creation_input_tokens") - one_hour),
        cache_write_1h=one_hour,
    )


def _read_error(status: int, data: Mapping[str, Any]) -> Read:
    error = data.get("error")
    error = error if isinstance(error, Mapping) else {}
    said = error.get("message")
    said = said if isinstance(said, str) else ""
    outcome, note = _error(status, str(error.get("type", "")), said.lower())
    return Read(outcome, note=note, said=said)


def _error(status: int, kind: str, said: str) -> tuple[Outcome, str]:
    if status == 400 and ("credit balance" in said or kind == "billing_error"):
        return Outcome.DENIED, "the account can't be billed (HTTP 400)"
    if status in _DENIED:
        return Outcome.DENIED, _DENIED[status]
    if status == 413 or (status == 400 and _is_too_long(said)):
        return Outcome.TOO_LONG, f"the prompt is too long (HTTP {status})"
    if status == 429:
        return Outcome.RATE_LIMITED, "rate limit or spending limit (HTTP 429)"
    if status in (408, 409) or status >= 500:
        return Outcome.OVERLOADED, f"the service is busy or failing (HTTP {status})"
    if 300 <= status < 400:
        return Outcome.REJECTED, f"redirected elsewhere (HTTP {status}), not followed"
    return Outcome.REJECTED, f"the request was rejected (HTTP {status})"


def _is_too_long(said: str) -> bool:
    return (
        "prompt is too long" in said or "exceed context limit" in said or "context window" in said
    )


def _refusal(data: Mapping[str, Any]) -> str:
    details = data.get("stop_details")
    category = details.get("category") if isinstance(details, Mapping) else None
    return "the model declined" + (f" ({_word(category)})" if category else "")


def _word(value: object) -> str:
    """A service's identifier; anything else may hold text that must not be shown."""
    return value if isinstance(value, str) and _WORD.fullmatch(value) else "unnamed"

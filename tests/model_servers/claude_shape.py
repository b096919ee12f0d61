"""What the Anthropic Messages API demands of a request, version 2026-10-21."""

from collections.abc import Iterator, Mapping
from typing import Any

from model_servers.schema_shape import schema_problems

VERSION = "2026-10-21"
_COUNT_KEYS = {
    "messages", "model", "cache_control", "output_config", "speed", "system", "thinking",
    "tool_choice", "tools",
}  # fmt: skip
_KEYS = _COUNT_KEYS | {
    "max_tokens", "container", "diagnostics", "inference_geo", "metadata", "service_tier",
    "stop_sequences", "stream",
}  # fmt: skip
_SAMPLING = {"temperature", "top_p", "top_k"}
_MAX_OUTPUT = 128_000


def header_problems(headers: Mapping[str, str]) -> Iterator[str]:
    """One credential, the version, and JSON."""
    if ("x-api-key" in headers) == ("authorization" in headers):
        yield "headers: exactly one of x-api-key and authorization is needed"
    if headers.get("anthropic-version") != VERSION:
        yield f"headers: anthropic-version: {headers.get('anthropic-version')!r} is not {VERSION}"
    if headers.get("content-type", "").split(";")[0] != "application/json":
        yield "headers: content-type: must be application/json"


def message_problems(body: Mapping[str, Any], *, counting: bool = False) -> Iterator[str]:
    """Everything wrong with the body of a message, or of a question for its token count."""
    keys = _COUNT_KEYS if counting else _KEYS
    for key in sorted(body.keys() & _SAMPLING):
        yield f"{key}: is not supported in this API version"
    for key in sorted(body.keys() - keys - _SAMPLING):
        yield f"{key}: Extra inputs are not permitted"
    if not isinstance(body.get("model"), str) or not body["model"]:
        yield "model: Field required"
    limit = body.get("max_tokens")
    if not counting and (type(limit) is not int or not 0 < limit <= _MAX_OUTPUT):
        yield f"max_tokens: must be from 1 to {_MAX_OUTPUT}"
    if body.get("stream"):
        yield "stream: this server does not stream"
    system = body.get("system", "-")
    yield from _content_problems(system, "system")
    yield from _conversation_problems(body.get("messages"))
    yield from _output_problems(body.get("output_config", {}))
    if cache_marks(body) > 4:
        yield "cache_control: a maximum of 4 blocks may be marked"


def cache_marks(body: Mapping[str, Any]) -> int:
    """How many blocks are marked for the prompt cache."""
    return sum("cache_control" in block for block in blocks(body))


def blocks(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All content blocks in the order in which they are read, plain strings as text blocks."""
    found: list[dict[str, Any]] = []
    for content in (body.get("system", []), *(m["content"] for m in body.get("messages", []))):
        found += [{"type": "text", "text": content}] if isinstance(content, str) else content
    return found


def _conversation_problems(messages: Any) -> Iterator[str]:
    if not isinstance(messages, list) or not messages:
        yield "messages: at least one message is required"
        return
    for at, message in enumerate(messages):
        if not isinstance(message, dict) or message.keys() != {"role", "content"}:
            yield f"messages.{at}: needs role and content, nothing else"
        elif message["role"] not in ("user", "assistant"):
            yield f"messages.{at}.role: unexpected role"
        else:
            yield from _content_problems(message["content"], f"messages.{at}.content")
    if isinstance(messages[-1], dict) and messages[-1].get("role") == "assistant":
        yield "messages: the conversation must end with a user message"


def _content_problems(content: Any, where: str) -> Iterator[str]:
    if isinstance(content, str):
        if not content:
            yield f"{where}: must not be empty"
        return
    if not isinstance(content, list) or not content:
        yield f"{where}: a string or a list of blocks is needed"
        return
    for at, block in enumerate(content):
        if not isinstance(block, dict) or block.get("type") != "text":
            yield f"{where}.{at}: only text blocks are known here"
            continue
        if not isinstance(block.get("text"), str) or not block["text"].strip():
            yield f"{where}.{at}: text content blocks must be non-empty"
        if block.keys() - {"type", "text", "cache_control", "citations"}:
            yield f"{where}.{at}: Extra inputs are not permitted"
        mark = block.get("cache_control", {"type": "ephemeral"})
        if mark.get("type") != "ephemeral" or mark.get("ttl", "5m") not in ("5m", "1h"):
            yield f"{where}.{at}.cache_control: unknown kind"


def _output_problems(config: Any) -> Iterator[str]:
    if not isinstance(config, dict) or config.keys() - {"effort", "format"}:
        yield "output_config: Extra inputs are not permitted"
        return
    form = config.get("format")
    if form is None:
        return
    if (
        not isinstance(form, dict)
        or form.keys() != {"type", "schema"}
        or form["type"] != "json_schema"
    ):
        yield "output_config.format: needs type json_schema and schema"
        return
    yield from schema_problems(form["schema"], "output_config.format.schema", all_required=False)

"""A loopback Anthropic API: messages, token counts, models; with a prompt cache and a bill."""

from dataclasses import replace
from itertools import count
from typing import Any

from model_servers.behaviours import Answer, Fail, Refusal
from model_servers.claude_shape import blocks, header_problems, message_problems
from model_servers.server import Asked, Charge, ModelServer, Wire, json_wire, tokens

_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_STOPS = {"done": "end_turn", "limit": "max_tokens", "context": "model_context_window_exceeded"}
MAX_BYTES = 32 * 1024 * 1024


class ClaudeServer(ModelServer):
    """The Messages API as reviewbot uses it; `url` is what the SDK takes as its base URL."""

    def __init__(
        self,
        *,
        key: str = "sk-ant-test-0123456789abcdef",
        models: tuple[str, ...] = ("claude-opus-5-5", "claude-haiku-4-5"),
        context_tokens: int = 200_000,
        cache_minimum_tokens: int = 1_024,
    ) -> None:
        super().__init__(key=key, models=models, context_tokens=context_tokens)
        self.cache_minimum_tokens = cache_minimum_tokens
        self._cached: set[tuple[str, str]] = set()
        self._ids = count(1)

    @property
    def url(self) -> str:
        return self.root

    def respond(self, asked: Asked) -> Wire:
        counting = asked.path == "/v1/messages/count_tokens"
        if asked.method == "GET" and asked.path.split("?")[0] == "/v1/models":
            return json_wire(
                200, {"data": [_model(name) for name in self.models], "has_more": False}
            )
        if asked.method == "GET" and asked.path.startswith("/v1/models/"):
            return self._one_model(asked)
        if asked.method != "POST" or (asked.path != "/v1/messages" and not counting):
            return self.error(Fail(404, "Not found"))
        problems = [
            *header_problems(asked.headers),
            *message_problems(asked.body, counting=counting),
        ]
        with self.lock:
            self.problems += problems
        if problems:
            return self.error(Fail(400, problems[0]))
        if failed := self._refused_at_the_door(asked):
            return self.error(failed)
        asked = _with_texts(asked)
        if counting:
            return json_wire(200, {"input_tokens": tokens(asked.system + asked.user)})
        return self.wire(self.next_behaviour(asked), asked)

    def _one_model(self, asked: Asked) -> Wire:
        """What it says of a model, for nothing."""
        name = asked.path.removeprefix("/v1/models/")
        if not self._has_key(asked):
            return self.error(Fail(401, "invalid x-api-key"))
        if name not in self.models:
            return self.error(Fail(404, f"model: {name}"))
        return json_wire(200, _model(name))

    def _has_key(self, asked: Asked) -> bool:
        bearer = asked.headers.get("authorization", "").removeprefix("Bearer ")
        return self.key in (asked.headers.get("x-api-key"), bearer)

    def _refused_at_the_door(self, asked: Asked) -> Fail | None:
        if not self._has_key(asked):
            return Fail(401, "invalid x-api-key")
        if asked.body["model"] not in self.models:
            return Fail(404, f"model: {asked.body['model']}")
        size = sum(len(block["text"].encode()) for block in blocks(asked.body))
        if size > MAX_BYTES:
            return Fail(413, "Request exceeds the maximum size")
        used = -(-size // 4)
        if used > self.context_tokens:
            return Fail(400, f"prompt is too long: {used} tokens > {self.context_tokens} maximum")
        return None

    def answer(self, answer: Answer, asked: Asked) -> Wire:
        content = [] if answer.text is None else [{"type": "text", "text": answer.text}]
        model = answer.model or asked.body["model"]
        message = self._message(model, content, _STOPS.get(answer.ending, answer.ending))
        charge = self._charge(asked, model, answer.text or "")
        if answer.usage is not None:
            message["usage"] = {**_usage(charge), **answer.usage}
        headers = {"Content-Type": answer.content_type, **answer.headers}
        if answer.scripted:
            headers["x-reviewbot-scripted"] = "1"
        return json_wire(200, message, headers)

    def refusal(self, refusal: Refusal, asked: Asked) -> Wire:
        content = [] if refusal.text is None else [{"type": "text", "text": refusal.text}]
        message = self._message(asked.body["model"], content, "refusal")
        message["stop_details"] = {
            "type": "refusal",
            "category": refusal.category,
            "explanation": None,
        }
        message["usage"] = _usage(self._charge(asked, asked.body["model"], refusal.text or ""))
        return json_wire(200, message)

    def error(self, fail: Fail) -> Wire:
        kind = fail.kind or _KINDS.get(fail.status, "api_error")
        data = {"type": "error", "error": {"type": kind, "message": fail.message}}
        return json_wire(
            fail.status, data, {"request-id": f"req_{next(self._ids)}", **fail.headers}
        )

    def _message(self, model: str, content: list[dict[str, Any]], stop: str) -> dict[str, Any]:
        return {
            "id": f"msg_{next(self._ids):08d}",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": content,
            "stop_reason": stop,
            "stop_sequence": None,
        }

    def _charge(self, asked: Asked, model: str, text: str) -> Charge:
        """Bill the answer: what is up to the last cache mark is read from the cache or written."""
        every = blocks(asked.body)
        marked = [at for at, block in enumerate(every) if "cache_control" in block]
        prefix = "".join(block["text"] for block in every[: marked[-1] + 1]) if marked else ""
        whole = sum(tokens(block["text"]) for block in every)
        charge = Charge(model, whole, max(tokens(text), 1))
        cached = tokens(prefix)
        with self.lock:
            if cached >= self.cache_minimum_tokens:
                mark = every[marked[-1]]["cache_control"].get("ttl", "5m")
                if (model, prefix) in self._cached:
                    charge = replace(charge, input=max(whole - cached, 0), cache_read=cached)
                elif mark == "1h":
                    charge = replace(charge, input=max(whole - cached, 0), cache_write_1h=cached)
                else:
                    charge = replace(charge, input=max(whole - cached, 0), cache_write_5m=cached)
                self._cached.add((model, prefix))
            self.bill.append(charge)
        return charge


def _model(name: str) -> dict[str, str]:
    return {"type": "model", "id": name, "display_name": name, "created_at": "2026-01-01T00:00:00Z"}


def _with_texts(asked: Asked) -> Asked:
    system = asked.body.get("system", "")
    if not isinstance(system, str):
        system = "\n".join(block["text"] for block in system)
    user = "\n".join(block["text"] for block in blocks({"messages": asked.body["messages"]}))
    return replace(asked, system=system, user=user)


def _usage(charge: Charge) -> dict[str, Any]:
    return {
        "input_tokens": charge.input,
        "output_tokens": charge.output,
        "cache_read_input_tokens": charge.cache_read,
        "cache_creation_input_tokens": charge.cache_write_5m + charge.cache_write_1h,
        "cache_creation": {
            "ephemeral_5m_input_tokens": charge.cache_write_5m,
            "ephemeral_1h_input_tokens": charge.cache_write_1h,
        },
        "service_tier": "standard",
    }

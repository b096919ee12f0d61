"""A loopback OpenAI-compatible API: chat completions and models, with a bill."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from model_servers.behaviours import Answer, Fail, Refusal
from model_servers.schema_shape import schema_problems
from model_servers.server import Asked, Charge, ModelServer, Wire, json_wire, tokens

_KEYS = {
    "model", "messages", "response_format", "stream", "temperature", "max_tokens",
    "max_completion_tokens", "top_p", "seed", "stop", "n", "user", "frequency_penalty",
    "presence_penalty",
}  # fmt: skip
_ENDINGS = {"done": "stop", "limit": "length", "context": "length"}


class OpenAIServer(ModelServer):
    """The chat API as local servers speak it; `url` ends in `/v1`.

    `takes_schema`, `takes_temperature` and `limit_name` say what this server can do: it answers
    400 to what it can't, as real ones do.
    """

    def __init__(
        self,
        *,
        key: str = "",
        models: tuple[str, ...] = ("qwen2.5-coder-32b-instruct",),
        context_tokens: int = 32_768,
    ) -> None:
        super().__init__(key=key, models=models, context_tokens=context_tokens)
        self.takes_schema = True
        self.takes_temperature = True
        self.limit_name = "max_tokens"
        self._ids = count(1)

    @property
    def url(self) -> str:
        return f"{self.root}/v1"

    def respond(self, asked: Asked) -> Wire:
        if self.key and asked.headers.get("authorization") != f"Bearer {self.key}":
            return self.error(Fail(401, "Incorrect API key provided"))
        if asked.method == "GET" and asked.path == "/v1/models":
            return json_wire(200, self.listed())
        if asked.method != "POST" or asked.path != "/v1/chat/completions":
            return self.error(Fail(404, "Not Found"))
        problems = list(_request_problems(asked))
        with self.lock:
            self.problems += problems
        if problems:
            return self.error(Fail(400, problems[0]))
        if refused := self.refused_at_the_door(asked):
            return refused
        messages = asked.body["messages"]
        asked = replace(asked, system=_texts(messages, "system"), user=_texts(messages, "user"))
        asked = self.read_of(asked)
        return self.wire(self.next_behaviour(asked), asked)

    def listed(self) -> dict[str, Any]:
        """What `GET /models` says."""
        names = [{"id": name, "object": "model", "owned_by": "you"} for name in self.models]
        return {"object": "list", "data": names}

    def read_of(self, asked: Asked) -> Asked:
        """The part of a question that the model reads."""
        return asked

    def refused_at_the_door(self, asked: Asked) -> Wire | None:
        """The answer to a question that no model gets to see."""
        fail = self._failed_at_the_door(asked)
        return self.error(fail) if fail else None

    def _failed_at_the_door(self, asked: Asked) -> Fail | None:
        if asked.body["model"] not in self.models:
            return Fail(404, f"The model `{asked.body['model']}` does not exist.")
        if not self.takes_schema and "response_format" in asked.body:
            return Fail(400, "response_format of type 'json_schema' is not supported")
        if not self.takes_temperature and "temperature" in asked.body:
            return Fail(400, "Unsupported value: 'temperature' does not support 0 with this model")
        limit = asked.body.get(self.limit_name)
        if limit is None:
            return Fail(400, f"Unsupported parameter. Use '{self.limit_name}' instead.")
        used = tokens("".join(message["content"] for message in asked.body["messages"]))
        if used + limit > self.context_tokens:
            return Fail(
                400,
                f"This model's maximum context length is {self.context_tokens} tokens. However, "
                f"you requested {used + limit} tokens. Please reduce the length of the messages.",
            )
        return None

    def answer(self, answer: Answer, asked: Asked) -> Wire:
        message = {"role": "assistant", "content": answer.text}
        data = self.completion(asked, message, _ENDINGS.get(answer.ending, answer.ending))
        if answer.model:
            data["model"] = answer.model
        if answer.usage is None:
            del data["usage"]
        else:
            data["usage"] |= answer.usage
        headers = {"Content-Type": answer.content_type, **answer.headers}
        if answer.scripted:
            headers["x-reviewbot-scripted"] = "1"
        return json_wire(200, data, headers)

    def refusal(self, refusal: Refusal, asked: Asked) -> Wire:
        if refusal.style == "filter":
            message = {"role": "assistant", "content": refusal.text}
            return json_wire(200, self.completion(asked, message, "content_filter"))
        said = {"role": "assistant", "content": None, "refusal": refusal.text or "I can't help."}
        return json_wire(200, self.completion(asked, said, "stop"))

    def error(self, fail: Fail) -> Wire:
        error = {"message": fail.message, "type": fail.kind or "BadRequestError", "param": None}
        return json_wire(fail.status, {"error": {**error, "code": fail.status}}, fail.headers)

    def completion(self, asked: Asked, message: dict[str, Any], finish: str) -> dict[str, Any]:
        """The body of an answer; it goes on the bill."""
        used = tokens(asked.system + asked.user)
        made = max(tokens(message["content"] or ""), 1)
        with self.lock:
            self.bill.append(Charge(asked.body["model"], used, made))
        return {
            "id": f"chatcmpl-{next(self._ids)}",
            "object": "chat.completion",
            "created": 1_767_225_600,
            "model": asked.body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": {
                "prompt_tokens": used,
                "completion_tokens": made,
                "total_tokens": used + made,
            },
        }


def _texts(messages: list[Mapping[str, Any]], role: str) -> str:
    return "\n".join(message["content"] for message in messages if message["role"] == role)


def _request_problems(asked: Asked) -> Iterator[str]:
    body = asked.body
    if asked.headers.get("content-type", "").split(";")[0] != "application/json":
        yield "content-type: must be application/json"
    for key in sorted(body.keys() - _KEYS):
        yield f"{key}: Extra inputs are not permitted"
    if not isinstance(body.get("model"), str) or not body["model"]:
        yield "model: Field required"
    if body.get("stream"):
        yield "stream: this server does not stream"
    temperature = body.get("temperature", 1)
    if not isinstance(temperature, int | float) or not 0 <= temperature <= 2:
        yield "temperature: must be from 0 to 2"
    limits = [body[key] for key in ("max_tokens", "max_completion_tokens") if key in body]
    if len(limits) != 1 or type(limits[0]) is not int or limits[0] < 1:
        yield "one positive output limit is needed"
    yield from _message_problems(body.get("messages"))
    if "response_format" in body:
        yield from _format_problems(body["response_format"])


def _message_problems(messages: Any) -> Iterator[str]:
    if not isinstance(messages, list) or not messages:
        yield "messages: at least one message is required"
        return
    for at, message in enumerate(messages):
        if not isinstance(message, dict) or message.keys() != {"role", "content"}:
            yield f"messages.{at}: needs role and content"
        elif message["role"] not in ("system", "user", "assistant"):
            yield f"messages.{at}.role: unexpected role"
        elif not isinstance(message["content"], str) or not message["content"]:
            yield f"messages.{at}.content: must be a non-empty string"


def _format_problems(form: Any) -> Iterator[str]:
    if form in ({"type": "text"}, {"type": "json_object"}):
        return
    if not isinstance(form, dict) or form.keys() != {"type", "json_schema"}:
        yield "response_format: needs type and json_schema"
        return
    bound = form["json_schema"]
    if form["type"] != "json_schema" or not isinstance(bound, dict):
        yield "response_format.json_schema: must be an object"
    elif bound.keys() - {"name", "strict", "schema", "description"} or "schema" not in bound:
        yield "response_format.json_schema: needs name and schema"
    elif not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", str(bound.get("name", ""))):
        yield "response_format.json_schema.name: letters, digits, _ and - only"
    else:
        yield from schema_problems(bound["schema"], all_required=bool(bound.get("strict")))

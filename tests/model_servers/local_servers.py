"""Loopback servers that answer and refuse as vLLM, llama-server and Ollama do.

What they say was read in their sources: vLLM 0.1x (`max_model_len` names the context), llama.cpp's
server with its model given at the start, and Ollama, which runs llama-server itself.
"""

from dataclasses import replace
from typing import Any, ClassVar

from model_servers.behaviours import Answer, Fail
from model_servers.openai import OpenAIServer
from model_servers.server import Asked, Wire, json_wire, tokens


class LocalServer(OpenAIServer):
    """What the three have in common: an answer ends at the output limit or where the context does."""

    model: ClassVar[str]

    def __init__(self, *, context_tokens: int = 16_384) -> None:
        super().__init__(models=(self.model,), context_tokens=context_tokens)

    def answer(self, answer: Answer, asked: Asked) -> Wire:
        room = self.context_tokens - tokens(asked.system + asked.user)
        most = min(asked.body["max_tokens"], max(room, 0)) * 4
        if len(answer.text or "") > most:
            answer = replace(answer, text=(answer.text or "")[:most], ending="limit")
        return super().answer(answer, asked)

    def asked_tokens(self, asked: Asked) -> int:
        return tokens("".join(message["content"] for message in asked.body["messages"]))


class VllmServer(LocalServer):
    """vLLM: refuses what prompt and longest answer together have no room for."""

    model = "Qwen/Qwen2.5-Coder-32B-Instruct-AWQ"

    def listed(self) -> dict[str, Any]:
        card = {"id": self.model, "object": "model", "created": 1, "owned_by": "vllm"}
        more = {"root": self.model, "parent": None, "max_model_len": self.context_tokens}
        return {"object": "list", "data": [card | more | {"permission": []}]}

    def refused_at_the_door(self, asked: Asked) -> Wire | None:
        name, most = asked.body["model"], asked.body["max_tokens"]
        if name not in self.models:
            return self.error(Fail(404, f"The model `{name}` does not exist.", "NotFoundError"))
        room = self.context_tokens - most
        used = self.asked_tokens(asked)
        if used > room:
            return self.error(
                Fail(
                    400,
                    f"You passed {used} input tokens and requested {most} output tokens. However, "
                    f"the model's context length is only {self.context_tokens} tokens, resulting "
                    f"in a maximum input length of {room} tokens. Please reduce the length of the "
                    "input prompt.",
                )
            )
        return None

    def completion(self, asked: Asked, message: dict[str, Any], finish: str) -> dict[str, Any]:
        data = super().completion(asked, message, finish)
        none = dict.fromkeys(("refusal", "annotations", "audio", "function_call", "reasoning"))
        data["choices"][0] |= {"message": none | message, "logprobs": None, "stop_reason": None}
        data["usage"]["prompt_tokens_details"] = None  # unless it is told to count them
        return data | {"service_tier": None, "system_fingerprint": None, "prompt_logprobs": None}


class LlamaCppServer(LocalServer):
    """llama-server: listens while it loads, takes any model name, refuses a prompt only if it has
    no room for even one token of the answer."""

    model = "qwen2.5-coder-32b-instruct-q4_k_m.gguf"

    def __init__(self, *, context_tokens: int = 16_384) -> None:
        super().__init__(context_tokens=context_tokens)
        self.loading = False

    def listed(self) -> dict[str, Any]:
        card = {"id": self.model, "object": "model", "created": 1, "owned_by": "llamacpp"}
        data = [card | {"meta": {"n_ctx_train": 32_768, "n_vocab": 152_064}}]
        return {"object": "list", "data": data, "models": [{"name": self.model}]}

    def refused_at_the_door(self, asked: Asked) -> Wire | None:
        if self.loading:
            return self.error(Fail(503, "Loading model", "unavailable_error"))
        used = self.asked_tokens(asked)
        if used >= self.context_tokens:
            said = (
                f"request ({used} tokens) exceeds the available context size "
                f"({self.context_tokens} tokens), try increasing it"
            )
            error = {"code": 400, "message": said, "type": "exceed_context_size_error"}
            numbers = {"n_prompt_tokens": used, "n_ctx": self.context_tokens}
            return json_wire(400, {"error": error | numbers})
        return None

    def error(self, fail: Fail) -> Wire:
        kind = fail.kind or "invalid_request_error"
        error = {"code": fail.status, "message": fail.message, "type": kind}
        return json_wire(fail.status, {"error": error}, fail.headers)

    def completion(self, asked: Asked, message: dict[str, Any], finish: str) -> dict[str, Any]:
        data = super().completion(asked, message, finish)
        data["usage"]["prompt_tokens_details"] = {"cached_tokens": tokens(asked.system)}
        return data | {"system_fingerprint": "b9999-0123abcd", "timings": {"prompt_n": 1}}


class OllamaServer(LocalServer):
    """Ollama: reads the end of a prompt that is too long, and does not say so; ignores what it
    does not know; keeps to one name for each model, with its tag."""

    model = "qwen2.5-coder:32b"

    def __init__(self, *, context_tokens: int = 16_384) -> None:
        super().__init__(context_tokens=context_tokens)
        self.busy = False
        self.tells_context = True

    def respond(self, asked: Asked) -> Wire:
        if (asked.method, asked.path) == ("GET", "/api/ps"):
            loaded = {"name": self.model, "model": self.model, "size": 1, "size_vram": 1}
            told = {"context_length": self.context_tokens} if self.tells_context else {}
            return json_wire(200, {"models": [loaded | told] if self.asked else []})
        return super().respond(asked)

    def listed(self) -> dict[str, Any]:
        card = {"id": self.model, "object": "model", "created": 1, "owned_by": "library"}
        return {"object": "list", "data": [card]}

    def refused_at_the_door(self, asked: Asked) -> Wire | None:
        name = asked.body["model"]
        if name not in self.models:
            return self.error(Fail(404, f"model '{name}' not found"))
        if self.busy:
            said = "server busy, please try again.  maximum pending requests exceeded"
            return self.error(Fail(503, said))
        return None

    def error(self, fail: Fail) -> Wire:
        kinds = {400: "invalid_request_error", 404: "not_found_error"}
        kind = fail.kind or kinds.get(fail.status, "api_error")
        error = {"message": fail.message, "type": kind, "param": None, "code": None}
        return json_wire(fail.status, {"error": error}, fail.headers)

    def read_of(self, asked: Asked) -> Asked:
        """The question as the model gets it."""
        if self.asked_tokens(asked) < self.context_tokens:
            return asked
        left = self.context_tokens - (self.context_tokens - 4) // 2
        return replace(asked, system=asked.system[:16], user=asked.user[-4 * (left - 4) :])

    def completion(self, asked: Asked, message: dict[str, Any], finish: str) -> dict[str, Any]:
        data = super().completion(asked, message, finish)
        return data | {"system_fingerprint": "fp_ollama"}

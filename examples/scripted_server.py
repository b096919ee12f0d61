"""A model server without a model: it plays the hand-written answers of `answers/`.

It speaks the Anthropic Messages API and the OpenAI chat API on this machine only, knows a change
by its title in the prompt, and marks every reply as scripted, so that nothing it says passes for a
model's work. Token counts are estimates from the length of what was sent and answered.
"""

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from reviewbot.change.tokens import estimate_tokens
from reviewbot.engines.wire import SCRIPTED_HEADER

MODEL = "scripted-local-model"
EXAMPLES = Path(__file__).parent
NO_ANSWER = '{"walkthrough": "No answer was written for this change.", "findings": []}'


def written_answers(folder: Path = EXAMPLES) -> dict[str, str]:
    """Title of each example change → the JSON of its answer."""
    answers = {}
    for patch in sorted((folder / "changes").glob("*.patch")):
        subject = next(
            line for line in patch.read_text("utf-8").split("\n") if line.startswith("Subject: ")
        )
        title = subject.removeprefix("Subject: ").removeprefix("[PATCH] ")
        answers[title] = (folder / "answers" / f"{patch.stem}.json").read_text("utf-8")
    return answers


class ScriptedServer:
    """Serves while it is entered; `url` is its address without a path."""

    def __init__(self, answers: Mapping[str, str]) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(answers))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(answers: Mapping[str, str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            models = {"object": "list", "data": [{"id": MODEL, "object": "model"}]}
            self._send(200 if self.path == "/v1/models" else 404, models)

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/v1/messages":
                self._send(200, _message(asked, answers))
            elif self.path == "/v1/messages/count_tokens":
                self._send(200, {"input_tokens": estimate_tokens(_text(asked))})
            elif self.path == "/v1/chat/completions":
                self._send(200, _completion(asked, answers))
            else:
                self._send(404, {"error": {"type": "not_found_error", "message": self.path}})

        def _send(self, status: int, data: Mapping[str, Any]) -> None:
            body = json.dumps(data).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header(SCRIPTED_HEADER, "1")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """The terminal belongs to the reviews."""

    return Handler


def _text(asked: Mapping[str, Any]) -> str:
    """Everything a model would read of a request of either API."""
    parts = [asked.get("system", ""), *(message["content"] for message in asked["messages"])]
    blocks = [block for part in parts for block in ([part] if isinstance(part, str) else part)]
    return "\n".join(block if isinstance(block, str) else block["text"] for block in blocks)


def _answer(text: str, answers: Mapping[str, str]) -> str:
    titles = (
        line.removeprefix("Title: ") for line in text.split("\n") if line.startswith("Title: ")
    )
    return answers.get(next(titles, ""), NO_ANSWER)


def _message(asked: Mapping[str, Any], answers: Mapping[str, str]) -> dict[str, Any]:
    text = _text(asked)
    answer = _answer(text, answers)
    return {
        "id": "msg_scripted",
        "type": "message",
        "role": "assistant",
        "model": asked["model"],
        "content": [{"type": "text", "text": answer}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": estimate_tokens(text), "output_tokens": estimate_tokens(answer)},
    }


def _completion(asked: Mapping[str, Any], answers: Mapping[str, str]) -> dict[str, Any]:
    text = _text(asked)
    answer = _answer(text, answers)
    prompt, completion = estimate_tokens(text), estimate_tokens(answer)
    message = {"role": "assistant", "content": answer}
    return {
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        },
    }

"""Deliveries arrive signed, are kept, and come again when asked."""

import hashlib
import hmac
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue
from threading import Thread
from typing import Any

import pytest


class Listener:
    """Keeps what comes, and answers with `status`."""

    def __init__(self) -> None:
        self.came: Queue[tuple[dict[str, str], bytes]] = Queue()
        self.status = 202
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.came.put((dict(self.headers), body))
                self.send_response(outer.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/webhook"


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    thread = Thread(target=made.http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield made
    made.http.shutdown()
    made.http.server_close()
    thread.join()


@pytest.fixture
def payload(simulator, shop, pull, installation) -> dict[str, Any]:
    made: dict[str, Any] = simulator.payloads.pull_request(shop, pull)
    return made


def test_a_delivery_is_signed(simulator, app, listener, payload) -> None:
    response = simulator.deliver(listener.url, "pull_request", payload)

    headers, body = listener.came.get(timeout=5)
    expected = hmac.new(app.webhook_secret.encode(), body, hashlib.sha256).hexdigest()
    assert response.status == 202
    assert headers["X-Hub-Signature-256"] == f"sha256={expected}"
    assert headers["X-Github-Event"] == "pull_request"


def test_a_failed_delivery_is_found_and_comes_again(
    simulator, ask, sign, listener, payload, installation
) -> None:
    listener.status = 503
    simulator.deliver(listener.url, "pull_request", payload)
    first, _ = listener.came.get(timeout=5)
    listener.status = 202
    simulator.deliver(listener.url, "ping", simulator.payloads.ping())
    listener.came.get(timeout=5)

    failed = ask(sign(), "GET", "/app/hook/deliveries", status="failure").json()
    answer = ask(sign(), "POST", f"/app/hook/deliveries/{failed[0]['id']}/attempts")

    again, _ = listener.came.get(timeout=5)
    assert answer.status_code == 202
    assert [(one["event"], one["status_code"]) for one in failed] == [("pull_request", 503)]
    assert failed[0]["installation_id"] == installation.id
    assert again["X-Github-Delivery"] == first["X-Github-Delivery"]


def test_nobody_there_is_a_failed_delivery(simulator, ask, sign, listener, payload) -> None:
    listener.http.server_close()

    response = simulator.deliver(listener.url, "pull_request", payload)

    assert response.status == 0
    log = ask(sign(), "GET", "/app/hook/deliveries", per_page="1").json()
    assert (log[0]["status_code"], log[0]["action"]) == (502, "opened")


def test_payloads_say_what_happened(simulator, shop, pull, installation) -> None:
    before = shop.ends(pull)[1]
    after = shop.push(pull, {"b.py": "1\n"})
    comment = simulator.person("eve").comment(pull, "/reviewbot why")

    pushed = simulator.payloads.pull_request(shop, pull, "synchronize", before=before)
    said = simulator.payloads.issue_comment(shop, pull, comment)

    assert (pushed["before"], pushed["after"]) == (before, after)
    assert pushed["pull_request"]["head"]["sha"] == after
    assert pushed["installation"]["id"] == installation.id
    assert said["issue"]["pull_request"]["url"].endswith("/pulls/1")
    assert (said["sender"]["login"], said["comment"]["id"]) == ("eve", comment.id)

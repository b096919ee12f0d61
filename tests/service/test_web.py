"""Deliveries over HTTP: what is taken, what is refused, and what nobody may learn."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from listening import SECRET, FixedHealth, Listener, MemoryQueue, listening, signature

from reviewbot.config.settings import Settings
from reviewbot.errors import SettingsError, StoreError
from reviewbot.service.health import Check, ServiceHealth
from reviewbot.service.login import Login
from reviewbot.service.web import MAX_BODY, create_app
from reviewbot.store.jobs import Beat
from reviewbot.store.reports import open_report_store

HEAD, BASE = "a" * 40, "b" * 40
OPENED = {
    "action": "opened",
    "installation": {"id": 5},
    "repository": {"id": 77, "full_name": "octo/shop"},
    "sender": {"login": "ada"},
    "pull_request": {
        "number": 3,
        "state": "open",
        "draft": False,
        "head": {"sha": HEAD},
        "base": {"sha": BASE},
    },
}
COMMENT = {
    "action": "created",
    "installation": {"id": 5},
    "repository": {"id": 77, "full_name": "octo/shop"},
    "issue": {"number": 3, "pull_request": {"url": "x"}},
    "comment": {"id": 9, "body": "/reviewbot why", "user": {"login": "ada", "type": "User"}},
}


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    with listening(tmp_path) as running:
        yield running


def test_an_opened_pull_request_is_queued_and_named(listener: Listener) -> None:
    answer = listener.deliver("pull_request", OPENED)

    assert answer.status_code == 202
    assert answer.json() == {"job": f"rv:5:77#3:{HEAD}:{BASE}:auto"}
    assert list(listener.queue.reviews) == [answer.json()["job"]]


def test_the_same_delivery_twice_is_one_job(listener: Listener) -> None:
    first = listener.deliver("pull_request", OPENED)
    again = listener.deliver("pull_request", OPENED, **{"X-GitHub-Delivery": "another-guid"})

    assert first.json() == again.json()
    assert len(listener.queue.reviews) == 1


def test_a_command_is_queued(listener: Listener) -> None:
    answer = listener.deliver("issue_comment", COMMENT)

    assert (answer.status_code, answer.json()) == (202, {"job": "cmd:5:9"})
    assert listener.queue.commands["cmd:5:9"].command == "why"


def test_closing_asks_what_people_made_of_it(listener: Listener) -> None:
    answer = listener.deliver("pull_request", {**OPENED, "action": "closed"})

    [(name, job)] = listener.queue.feedback.items()
    assert (answer.status_code, answer.json()) == (202, {"job": name})
    assert (job.event, job.number) == ("pull", OPENED["pull_request"]["number"])
    assert listener.queue.reviews == {}


def test_reopening_asks_for_a_review_and_takes_back_the_end(listener: Listener) -> None:
    answer = listener.deliver("pull_request", {**OPENED, "action": "reopened"})

    assert answer.json()["job"] in listener.queue.reviews
    assert [job.event for job in listener.queue.feedback.values()] == ["pull"]


def test_a_body_that_is_too_large_is_refused_unread(listener: Listener) -> None:
    host, port = listener.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        head = f"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: {MAX_BODY + 1}\r\n\r\n"
        connection.sendall(head.encode())  # and never a byte of the body

        answer = connection.recv(4096)

    assert answer.split(b"\r\n")[0].split()[1] == b"413"


def test_a_queue_that_is_away_asks_to_come_again(listener: Listener) -> None:
    listener.queue.away = True

    answer = listener.deliver("pull_request", OPENED)

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "OperationalError" not in answer.text

    listener.queue.away = False
    assert listener.deliver("pull_request", OPENED).status_code == 202


def test_a_bug_says_an_id_and_nothing_else(
    listener: Listener,
) -> None:
    listener.queue.fault = RuntimeError("a canary that must stay inside")

    answer = listener.deliver("pull_request", OPENED)

    assert answer.status_code == 500
    assert set(answer.json()) == {"error", "id"}
    assert "canary" not in answer.text


def test_no_body_is_ever_logged(listener: Listener, capfd: pytest.CaptureFixture[str]) -> None:
    canary = "canary-in-a-body"
    listener.deliver("pull_request", {**OPENED, "note": canary})
    listener.deliver("pull_request", canary.encode())
    listener.deliver("pull_request", canary.encode(), **{"X-Hub-Signature-256": "sha256=no"})
    listener.queue.fault = RuntimeError("bug")
    listener.deliver("pull_request", {**OPENED, "note": canary})

    seen = "".join(capfd.readouterr())

    assert "bad_signature" in seen
    assert canary not in seen


def test_probes_tell_whether_it_lives_and_what_is_missing(listener: Listener) -> None:
    assert requests.get(f"{listener.url}/healthz", timeout=10).json() == {"ok": True}
    assert requests.get(f"{listener.url}/readyz", timeout=10).status_code == 200

    listener.health.seen.append(Check("worker", False, "silent for 31 s"))
    answer = requests.get(f"{listener.url}/readyz", timeout=10)

    assert answer.status_code == 503
    assert answer.json() == {
        "ok": False,
        "checks": {
            "database": {"ok": True, "detail": "reachable"},
            "worker": {"ok": False, "detail": "silent for 31 s"},
        },
    }


def test_deliveries_are_counted_by_event_and_outcome(listener: Listener) -> None:
    listener.deliver("pull_request", OPENED)
    listener.deliver("pull_request", b"{")
    listener.deliver("made-up-event", {})

    text = requests.get(f"{listener.url}/metrics", timeout=10).text

    assert 'reviewbot_deliveries_total{event="pull_request",outcome="review"} 1.0' in text
    assert 'reviewbot_deliveries_total{event="pull_request",outcome="bad_body"} 1.0' in text
    assert 'reviewbot_deliveries_total{event="other",outcome="ignored"} 1.0' in text
    assert "made-up-event" not in text
    assert "reviewbot_enqueue_seconds_count 1.0" in text


def test_it_does_not_start_without_a_secret(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)

    with pytest.raises(SettingsError, match="REVIEWBOT_WEBHOOK_SECRET"):
        create_app(
            settings,
            MemoryQueue(),
            FixedHealth(),
            store=lambda: open_report_store(settings.database),
            login=Login(tmp_path / "login.json"),
        )


def test_readiness_looks_at_database_worker_and_engines() -> None:
    now = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)

    def health(silent: int, engines: str) -> list[bool]:
        seen = now - timedelta(seconds=silent)
        beats = (Beat("w", engines, seen, seen),)
        return [check.ok for check in ServiceHealth(lambda: beats, lambda: now).checks()]

    assert health(29, "claude") == [True, True, True]
    assert health(29, "") == [True, True, False]
    assert health(31, "claude") == [True, False, False]
    assert [check.ok for check in ServiceHealth(lambda: ()).checks()] == [True, False, False]


def test_a_database_that_is_away_is_not_described_to_strangers() -> None:
    def away() -> tuple[Beat, ...]:
        raise StoreError("the PostgreSQL database reviews at db.internal: no route")

    checks = ServiceHealth(away).checks()

    assert [check.ok for check in checks] == [False, False, False]
    assert "db.internal" not in str(checks)


def test_the_real_listener_listens_prints_a_link_and_stops(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("REVIEWBOT_")}
    environment |= {"REVIEWBOT_DATA_DIR": str(tmp_path), "REVIEWBOT_WEBHOOK_SECRET": SECRET}
    command = [sys.executable, "-m", "reviewbot", "web", "--bind", "127.0.0.1:0"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[3].rstrip(",")
            link = process.stdout.readline().split()[-1]
            raw = b"{}"
            headers = {"X-GitHub-Event": "ping", "X-Hub-Signature-256": signature(raw)}

            pong = requests.post(f"{url}/webhook", data=raw, headers=headers, timeout=20)
            # a stream without a length is cut off at the same size
            pieces = (b"x" * 2**20 for _ in range(MAX_BODY // 2**20 + 1))
            endless = requests.post(f"{url}/webhook", data=pieces, headers=headers, timeout=20)
            page = requests.get(link, timeout=10)
            ready = requests.get(f"{url}/readyz", timeout=20)
        finally:
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=20)

    assert pong.json() == {"pong": True}
    assert endless.status_code == 413
    assert "Sign in" in page.text
    assert not ready.json()["checks"]["worker"]["ok"]
    assert process.returncode == 0
    assert all(json.loads(line) for line in errors.splitlines())
    assert link.split("token=")[1] not in errors

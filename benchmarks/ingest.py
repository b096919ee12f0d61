"""Deliveries that the listener keeps on disk per second, beside a bare Flask application.

Both run behind gunicorn with one process and 16 threads on loopback; every delivery is another
pull request, signed, and answered only when it is durable. The two take turns, so that whatever
else the machine does meets both; a ratio is the median over the rounds.
"""

import hashlib
import hmac
import http.client
import json
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median
from typing import NamedTuple

from processes import Memory, children, free_port, memory, running, table

ROUNDS, DELIVERIES, CLIENTS = 5, 480, (1, 16)

_numbers = count(1)


class Sent(NamedTuple):
    """One delivery as it goes over the wire."""

    data: bytes
    headers: dict[str, str]


@dataclass
class Server:
    """A listener, and the rates and times of its rounds by number of clients."""

    name: str
    port: int
    rates: dict[int, list[float]] = field(default_factory=lambda: {n: [] for n in CLIENTS})
    seconds: dict[int, list[float]] = field(default_factory=lambda: {n: [] for n in CLIENTS})

    def round(self, clients: int) -> None:
        share = DELIVERIES // clients
        work = [[delivery() for _ in range(share)] for _ in range(clients)]
        seconds: list[float] = []
        threads = [threading.Thread(target=send, args=(self.port, w, seconds)) for w in work]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        whole = time.perf_counter() - started
        if len(seconds) != share * clients:
            sys.exit(f"{self.name} did not take every delivery")
        self.rates[clients].append(len(seconds) / whole)
        self.seconds[clients] += seconds

    def figures(self, clients: int) -> dict[str, float]:
        """Accepted per second (median round), and milliseconds (all rounds)."""
        seconds = sorted(self.seconds[clients])
        return {
            "per_s": round(median(self.rates[clients])),
            "p50_ms": round(seconds[len(seconds) // 2] * 1000, 1),
            "p99_ms": round(seconds[int(len(seconds) * 0.99)] * 1000, 1),
        }


def delivery() -> Sent:
    """A pull_request delivery with what a listener reads of it, and 10 kB more."""
    number = next(_numbers)
    repository = {"id": 1, "full_name": "acme/shop", "owner": {"login": "acme"}, "name": "shop"}
    end = {"sha": f"{number:040x}", "ref": "main", "repo": repository}
    pull = {"number": number, "state": "open", "draft": False, "base": end, "head": end}
    payload = {
        "action": "opened",
        "number": number,
        "pull_request": {**pull, "title": "Change", "body": "x" * 10_000},
        "repository": repository,
        "installation": {"id": 1},
        "sender": {"login": "ada", "type": "User", "id": 1},
    }
    data = json.dumps(payload).encode()
    code = hmac.new(b"benchmark", data, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "pull_request",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": f"sha256={code}",
    }
    return Sent(data, headers)


def send(port: int, work: list[Sent], seconds: list[float]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for sent in work:
        started = time.perf_counter()
        connection.request("POST", "/webhook", sent.data, sent.headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 202:
            return
        seconds.append(time.perf_counter() - started)


def measured(folder: str) -> tuple[Server, Server, Memory, Memory]:
    """Ours, the bare one, and the memory of our two processes."""
    ours, bare = Server("reviewbot", free_port()), Server("bare Flask", free_port())
    settings = {
        "REVIEWBOT_DATA_DIR": folder,
        "REVIEWBOT_BIND": f"127.0.0.1:{ours.port}",
        "REVIEWBOT_WEBHOOK_SECRET": "benchmark",
    }
    prepare = (
        "from reviewbot.config.settings import load_settings as l;"
        "from reviewbot.service.dbos_setup import migrate_jobs as m; m(l())"
    )
    subprocess.run([sys.executable, "-c", prepare], env=settings, check=True)
    here = str(Path(__file__).parent)
    bind = ("--threads", "16", "-b", f"127.0.0.1:{bare.port}", "--chdir", here)
    gunicorn = [sys.executable, "-m", "gunicorn", *bind, "bare_listener:app"]
    with (
        running([sys.executable, "-m", "reviewbot", "web"], settings, ours.port) as process,
        running(gunicorn, {"BARE_DATABASE": f"{folder}/bare.db"}, bare.port),
    ):
        for server in (ours, bare):  # to warm up
            Server(server.name, server.port).round(16)
        for clients in CLIENTS:
            for _ in range(ROUNDS):
                ours.round(clients)
                bare.round(clients)
        [web] = children(process.pid)
        return ours, bare, memory(process.pid), memory(web)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        ours, bare, arbiter, web = measured(folder)
    result: dict[str, object] = {}
    rows: list[tuple[object, ...]] = [("", "clients", "per s", "p50 ms", "p99 ms", "ratio")]
    for clients in CLIENTS:
        pairs = zip(ours.rates[clients], bare.rates[clients], strict=True)
        ratio = round(median(mine / theirs for mine, theirs in pairs), 2)
        for server, shown in ((ours, ratio), (bare, "")):
            rows.append((server.name, clients, *server.figures(clients).values(), shown))
        found = {"ours": ours.figures(clients), "bare": bare.figures(clients), "ratio": ratio}
        result[f"clients_{clients}"] = found
    table(rows)
    table([("", "RSS MB", "PSS MB"), ("arbiter", *arbiter), ("web", *web)])
    print(json.dumps({**result, "arbiter_mb": arbiter._asdict(), "web_mb": web._asdict()}))


if __name__ == "__main__":
    main()

"""Deliveries that the listener keeps on disk per second, beside a bare Flask application.

Both run behind gunicorn with one process and 16 threads on loopback; every delivery is another
pull request, signed, and answered only when it is durable.
"""

import hashlib
import hmac
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path

DELIVERIES, CLIENTS = 1_000, (1, 16)


def body(number: int) -> bytes:
    """A pull_request delivery with what a listener reads of it, and 10 kB more."""
    repository = {"id": 1, "full_name": "acme/shop", "owner": {"login": "acme"}, "name": "shop"}
    end = {"sha": f"{number:040x}", "ref": "main", "repo": repository}
    pull = {"number": number, "state": "open", "draft": False, "base": end, "head": end}
    return json.dumps(
        {
            "action": "opened",
            "number": number,
            "pull_request": {**pull, "title": "Change", "body": "x" * 10_000},
            "repository": repository,
            "installation": {"id": 1},
            "sender": {"login": "ada", "type": "User", "id": 1},
        }
    ).encode()


def send(port: int, numbers: range, seconds: list[float]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for number in numbers:
        data = body(number)
        code = hmac.new(b"benchmark", data, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "pull_request",
            "X-GitHub-Delivery": str(uuid.uuid4()),
            "X-Hub-Signature-256": f"sha256={code}",
        }
        started = time.perf_counter()
        connection.request("POST", "/webhook", data, headers)
        answer = connection.getresponse()
        answer.read()
        seconds.append(time.perf_counter() - started)
        if answer.status != 202:
            sys.exit(f"answered {answer.status}")


def rate(port: int, clients: int, first: int) -> tuple[float, float, float]:
    """(accepted per second, p50 and p99 in seconds)."""
    seconds: list[float] = []
    share = DELIVERIES // clients
    ranges = [range(first + i * share, first + (i + 1) * share) for i in range(clients)]
    threads = [threading.Thread(target=send, args=(port, r, seconds)) for r in ranges]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole = time.perf_counter() - started
    seconds.sort()
    return len(seconds) / whole, seconds[len(seconds) // 2], seconds[int(len(seconds) * 0.99)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit("the server did not start")


def measured(command: list[str], environment: dict[str, str], port: int) -> dict[str, object]:
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(port)
        rate(port, 1, 1)  # warm up
        found: dict[str, object] = {}
        for index, clients in enumerate(CLIENTS, 1):
            per_second, p50, p99 = rate(port, clients, index * 10 * DELIVERIES)
            found[f"per_s_{clients}"] = round(per_second)
            found[f"p50_ms_{clients}"] = round(p50 * 1000, 1)
            found[f"p99_ms_{clients}"] = round(p99 * 1000, 1)
        status = Path(f"/proc/{process.pid}/status").read_text()
        found["rss_mb"] = round(int(status.split("VmRSS:")[1].split()[0]) / 1024)
        return found
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def main() -> None:
    here = Path(__file__).parent
    clean = {k: v for k, v in os.environ.items() if not k.startswith("REVIEWBOT_")}
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        settings = {
            "REVIEWBOT_DATA_DIR": folder,
            "REVIEWBOT_BIND": f"127.0.0.1:{port}",
            "REVIEWBOT_WEBHOOK_SECRET": "benchmark",
        }
        prepare = (
            "from reviewbot.config.settings import load_settings as l;"
            "from reviewbot.service.dbos_setup import migrate_jobs as m; m(l())"
        )
        subprocess.run([sys.executable, "-c", prepare], env=clean | settings, check=True)
        web = [sys.executable, "-m", "reviewbot", "web"]
        ours = measured(web, clean | settings, port)
        port = free_port()
        bare = [sys.executable, "-m", "gunicorn", "--threads", "16", "-b", f"127.0.0.1:{port}"]
        reference = measured(
            [*bare, "--chdir", str(here), "bare_listener:app"],
            clean | {"BARE_DATABASE": f"{folder}/bare.db"},
            port,
        )
    ratios = {
        f"ratio_{clients}": round(
            float(str(ours[f"per_s_{clients}"])) / float(str(reference[f"per_s_{clients}"])), 2
        )
        for clients in CLIENTS
    }
    print(json.dumps({"ours": ours, "bare": reference, **ratios}))


if __name__ == "__main__":
    main()

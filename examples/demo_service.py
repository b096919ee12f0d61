"""`reviewbot serve` as its operator would start it, in processes of its own."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

from reviewbot.errors import ReviewbotError

#: How long the service may take to be ready, and to end, seconds.
START_SECONDS, STOP_SECONDS = 90, 10
#: Between two looks, seconds.
PAUSE = 0.05
#: Lines of the log that are shown when something went wrong.
LOG_LINES = 12

_ADDRESS = re.compile(r"^reviewbot listens on (\S+), ", re.MULTILINE)
_LOGIN = re.compile(r"^Pages \(this link works once\): (\S+)$", re.MULTILINE)
_OPENER = build_opener(ProxyHandler({}))


class DemoError(ReviewbotError):
    """The demonstration can't go on."""


class Service:
    """Runs while it is entered; all that it says is in `log`."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        """The kernel chooses the port: whichever is taken does not matter."""
        self._environment = {**environment, "REVIEWBOT_BIND": "127.0.0.1:0"}
        for name in ("NO_PROXY", "no_proxy"):  # the simulated GitHub is behind no proxy
            others = environment.get(name, "")
            self._environment[name] = f"{others},127.0.0.1" if others else "127.0.0.1"
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with open(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "reviewbot", "serve"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # a ^C is for the demonstration, which stops it
            )
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it as an init system would; what does not end in time is killed."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            self._process.kill()  # its children end when it does
            self._process.wait()

    @property
    def address(self) -> str:
        """`http://127.0.0.1:PORT` of the listener; another one after it was started anew."""
        return self._last(_ADDRESS)

    @property
    def login(self) -> str:
        """The link to its pages that works once."""
        return self._last(_LOGIN)

    def wait_until_ready(self) -> dict[str, str]:
        """Until the listener answers and the worker works: what `/readyz` says of each part."""
        self.until(lambda: self.address and self._get("/healthz"), START_SECONDS, "answer /healthz")
        found: dict[str, Any] = {}

        def ready() -> bool:
            found.update(self._get("/readyz"))
            return bool(found.get("ok"))

        try:
            self.until(ready, START_SECONDS, "be ready")
        except DemoError as error:
            raise DemoError(f"{error}; /readyz says {json.dumps(found.get('checks'))}") from None
        return {name: check["detail"] for name, check in found["checks"].items()}

    def until(self, seen: Callable[[], object], seconds: float, what: str) -> None:
        """Wait until `seen`. Raises DemoError if that takes too long or the service ends."""
        deadline = time.monotonic() + seconds
        while not seen():
            if self._process is None or self._process.poll() is not None:
                raise DemoError("the service ended by itself")
            if time.monotonic() > deadline:
                raise DemoError(f"the service did not {what} within {seconds:.0f} s")
            time.sleep(PAUSE)

    def wait_for_end(self) -> None:
        """Return when it ends by itself."""
        if self._process:
            self._process.wait()

    def last_lines(self) -> list[str]:
        """The end of the log."""
        return self._text().splitlines()[-LOG_LINES:]

    def _last(self, pattern: re.Pattern[str]) -> str:
        found: list[str] = pattern.findall(self._text())
        return found[-1] if found else ""

    def _text(self) -> str:
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def _get(self, path: str) -> dict[str, Any]:
        """What it answers, good or bad; empty for nothing."""
        try:
            with self._opened(path) as answer:
                found: dict[str, Any] = json.load(answer)
        except (URLError, OSError, ValueError):
            return {}
        return found

    def _opened(self, path: str) -> Any:
        try:
            return _OPENER.open(f"{self.address}{path}", timeout=5)
        except HTTPError as error:
            return error

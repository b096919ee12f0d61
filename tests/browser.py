"""A real headless Chromium, driven over its own pipe: no driver is needed, only the program."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str:
    """The program; the test is skipped where there is none."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        pytest.skip("no Chromium here (Debian: apt install chromium)")
    return found


#: Chromium reads descriptor 3 and writes 4.
_AS_3_AND_4 = """
import os, sys
reads, writes = (os.dup(int(number)) for number in sys.argv[1:3])
os.dup2(reads, 20), os.dup2(writes, 21)
os.dup2(20, 3), os.dup2(21, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Browser:
    """One page. Commands are those of the DevTools protocol."""

    def __init__(self, send: int, receive: int) -> None:
        self._send, self._receive = send, receive
        self._buffer, self._number, self._session, self._loads = b"", 0, "", 0
        target = self.command("Target.createTarget", url="about:blank")["targetId"]
        attached = self.command("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        self.requests: list[str] = []
        for domain in ("Page", "Network", "Runtime"):
            self.command(f"{domain}.enable")

    def command(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        self._number += 1
        said = {"id": self._number, "method": method, "params": params}
        if self._session:
            said["sessionId"] = self._session
        os.write(self._send, json.dumps(said).encode() + b"\0")
        while (got := self._next()).get("id") != self._number:
            self._seen(got)
        assert "error" not in got, got
        result: dict[str, Any] = got["result"]
        return result

    def open(self, url: str, *, width: int, dark: bool = False, cookie: str = "") -> None:
        """Load a page, whole."""
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.command("Emulation.setEmulatedMedia", features=scheme)
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=900, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        if cookie:
            name, _, value = cookie.partition("=")
            self.command("Network.setCookie", name=name, value=value, url=url)
        self.requests.clear()
        loads = self._loads
        self.command("Page.navigate", url=url)
        self._load_after(loads)

    def click(self, selector: str) -> None:
        """Click what leads to another page, and wait for that, whole."""
        loads = self._loads
        self.ask(f"document.querySelector({json.dumps(selector)}).click()")
        self._load_after(loads)

    def fill(self, name: str, value: str) -> None:
        """Write into a field of a form, or choose."""
        field = f"document.getElementsByName({json.dumps(name)})[0]"
        self.ask(f"{field}.value = {json.dumps(value)}")

    @property
    def text(self) -> str:
        """What the page says."""
        return str(self.ask("document.body.innerText"))

    def ask(self, expression: str) -> Any:
        """What a JavaScript expression comes to."""
        given = self.command("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in given, given
        return given["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key."""
        code = {"Tab": 9, "Enter": 13}[key]
        for kind in ("keyDown", "keyUp"):
            self.command(
                "Input.dispatchKeyEvent",
                type=kind, key=key, code=key, windowsVirtualKeyCode=code,
                **({"text": "\r"} if key == "Enter" and kind == "keyDown" else {}),
            )  # fmt: skip

    def _load_after(self, loads: int) -> None:
        while self._loads == loads:
            self._seen(self._next())

    def _seen(self, event: dict[str, Any]) -> None:
        if event.get("method") == "Page.loadEventFired":
            self._loads += 1
        if event.get("method") == "Network.requestWillBeSent":
            self.requests.append(event["params"]["request"]["url"])

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            read = os.read(self._receive, 1 << 16)
            assert read, "Chromium has ended"
            self._buffer += read
        line, _, self._buffer = self._buffer.partition(b"\0")
        got: dict[str, Any] = json.loads(line)
        return got


@contextmanager
def browsing(folder: Path) -> Iterator[Browser]:
    """A browser with a profile of its own in `folder`, until the block ends."""
    to_it, from_us = os.pipe()
    to_us, from_it = os.pipe()
    process = subprocess.Popen(
        [
            sys.executable, "-c", _AS_3_AND_4, str(to_it), str(from_it), chromium(), "--headless=new", "--remote-debugging-pipe",
            "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", f"--user-data-dir={folder}/profile", "about:blank",
        ],
        pass_fds=(to_it, from_it),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(to_it)
    os.close(from_it)
    try:
        yield Browser(from_us, to_us)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(from_us)
        os.close(to_us)

"""Keeps the listener and the worker running: starts, restarts and stops both."""

import contextlib
import os
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import FrameType

from reviewbot.service.logs import logger

#: A child that ends so, before it ever ran steadily, can't work as it is configured.
MISCONFIGURED = 2

log = logger("reviewbot.supervisor")


@dataclass(frozen=True)
class ChildSpec:
    """A program to keep running."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Pace:
    """How fast the supervisor acts, seconds."""

    first_wait: float = 0.5
    """Before the first restart; each further one waits twice as long."""
    longest_wait: float = 30.0
    steady: float = 20.0
    """A child that ran so long has started well: the wait is the first one again."""
    grace: float = 40.0
    """From the wish to stop until the rest is killed."""


class _Child:
    def __init__(self, spec: ChildSpec, pace: Pace) -> None:
        self.spec, self._pace = spec, pace
        self.process: subprocess.Popen[bytes] | None = None
        self.start_at = 0.0
        """When to start it, as `time.monotonic` counts."""
        self._started = 0.0
        self._wait = pace.first_wait
        self._was_steady = False

    def start(self) -> None:
        """Start it, in a session of its own: a ^C at the terminal is for the supervisor alone."""
        self._started = time.monotonic()
        self.process = subprocess.Popen(
            list(self.spec.command),
            env=dict(self.spec.environment),
            stdin=subprocess.PIPE,  # ends when the supervisor does: see `end_with_parent`
            start_new_session=True,
        )
        log.info("started", child=self.spec.name, process=self.process.pid)

    def ended(self) -> int | None:
        """How it ended, once; None while it runs or waits. What it left running is killed."""
        if self.process is None or (code := self.process.poll()) is None:
            return None
        self.kill()
        self.process = None
        ran = time.monotonic() - self._started
        if ran >= self._pace.steady:
            self._was_steady, self._wait = True, self._pace.first_wait
        self.start_at = time.monotonic() + self._wait
        log.warning("ended", child=self.spec.name, code=code, again_in_seconds=self._wait)
        self._wait = min(2 * self._wait, self._pace.longest_wait)
        return code

    def hopeless(self, code: int) -> bool:
        """Whether a restart could not help."""
        return code == MISCONFIGURED and not self._was_steady

    def terminate(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def kill(self) -> None:
        """Kill it and all that it started."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()


class Supervisor:
    """Runs children until it is told to stop."""

    def __init__(self, specs: Sequence[ChildSpec], pace: Pace | None = None) -> None:
        self._pace = pace or Pace()
        self._children = [_Child(spec, self._pace) for spec in specs]
        self._stopping = False

    def run(self) -> int:
        """Keep all children running until SIGTERM or SIGINT; for a process' main thread.

        Returns 0 after a stop in good order, 1 if a child had to be killed, and 2 at once if a
        child says that it can't work as configured.
        """
        reader, writer = socket.socketpair()
        writer.setblocking(False)
        before = signal.set_wakeup_fd(writer.fileno())
        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
        handlers = {number: signal.signal(number, self._on_signal) for number in numbers}
        try:
            code = self._keep_running(reader)
            return code if self._stop(reader) else (code or 1)
        finally:
            for child in self._children:
                child.kill()
            for number, handler in handlers.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(before)
            reader.close()
            writer.close()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGCHLD:
            self._stopping = True

    def _keep_running(self, reader: socket.socket) -> int:
        while not self._stopping:
            for child in self._children:
                code = child.ended()
                if code is not None and child.hopeless(code):
                    log.error("can't work as configured", child=child.spec.name)
                    return MISCONFIGURED
                if child.process is None and time.monotonic() >= child.start_at:
                    child.start()
            waiting = [c.start_at for c in self._children if c.process is None]
            _sleep(reader, min(waiting, default=None))
        return 0

    def _stop(self, reader: socket.socket) -> bool:
        """Ask all children to stop; whether they did so in time."""
        log.info("stopping")
        deadline = time.monotonic() + self._pace.grace
        for child in self._children:
            child.terminate()
        while any(c.process is not None and c.process.poll() is None for c in self._children):
            if time.monotonic() >= deadline:
                log.warning("killing what did not stop in time")
                return False
            _sleep(reader, deadline)
        return True


def end_with_parent() -> None:
    """Stop this process in good order when its supervisor is gone, however that ended.

    The supervisor holds the other end of standard input and never writes.
    """

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="supervisor-watch", daemon=True).start()


def _sleep(reader: socket.socket, until: float | None) -> None:
    """Until a signal comes or the clock reads `until`. A signal that came before ends it at once."""
    timeout = None if until is None else max(0.0, until - time.monotonic())
    if select.select([reader], [], [], timeout)[0]:
        reader.recv(4096)

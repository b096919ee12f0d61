"""Keeps one process with the model alive: starts it, asks it, and starts it again when it dies.

llama.cpp can end its process (a failed check, a bad pointer, no memory left): that must cost a
moment, not a review. What was being computed at a death is tried once more, one request at a time,
so that a prompt that kills the process takes no other with it.
"""

import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import count
from queue import Empty, SimpleQueue
from typing import Any, Literal

from reviewbot.engines.llama.environment import child_environment
from reviewbot.engines.llama.frames import BadFrame, Channel
from reviewbot.engines.llama.plan import LoadPlan
from reviewbot.errors import EngineError

#: Deaths after which a request is given up.
MAX_DEATHS = 2
#: Wait before a new process, seconds: doubled after each death before an answer.
FIRST_DELAY, LONGEST_DELAY = 0.2, 60.0
#: Counted to see that the model is loaded.
NOTHING: Mapping[str, Any] = {"system": "", "shared": "", "unit": "", "question": "", "texts": []}


class QueueFull(Exception):
    """Too many requests wait already."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"the local model's queue is full; try again in {retry_after:.0f} s")
        self.retry_after = retry_after
        """Seconds in which some of them should be done."""


class Died(Exception):
    """The process died with this request, and again when it was tried once more."""


class NoAnswerInTime(Exception):
    """The request was given up at its deadline."""


@dataclass(frozen=True)
class Loaded:
    """What the process says of the model it has loaded."""

    description: str
    """Architecture, size and quantisation."""
    cells: int
    trained_context: int
    vocabulary: int
    seconds: float
    """How long loading took."""
    pid: int


@dataclass(eq=False)
class _Request:
    """Something asked of the process, until it is answered."""

    id: int
    message: Mapping[str, Any]
    sent: bool = False
    started: bool = False
    """It is being computed: a death may be its doing."""
    deaths: int = 0
    asked: float = field(default_factory=time.monotonic)
    news: SimpleQueue[Literal["begun", "settled"]] = field(default_factory=SimpleQueue)
    """For who waits: "begun" once for each process that took it up, then "settled"."""
    answer: Mapping[str, Any] | None = None
    error: Exception | None = None

    @property
    def is_job(self) -> bool:
        return bool(self.message["do"] == "ask")

    def begin(self) -> None:
        self.started = True
        self.news.put("begun")

    def settle(self, answer: Mapping[str, Any] | None, error: Exception | None = None) -> None:
        self.answer, self.error = answer, error
        self.news.put("settled")


class ModelProcess:
    """Requests to one model. Safe to use from several threads."""

    def __init__(self, plan: LoadPlan, *, queue: int, stall_seconds: float = 120.0) -> None:
        """Starts nothing yet. `queue` is how many jobs may be under way or wait. A process that
        was silent for `stall_seconds` when a request runs out of time is ended."""
        self._plan, self._queue, self._stall = plan, queue, stall_seconds
        self._lock = threading.Lock()
        self._requests: dict[int, _Request] = {}
        self._ids = count(1)
        self._keeper: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        """Set while the process is ready for requests."""
        self._loaded: Loaded | None = None
        self._closing = threading.Event()
        self._silent_since: float | None = None
        """When it was last heard of, while something is asked of it."""
        self._usual_seconds = 5.0
        """A running mean of what a job takes."""

    def start(self, *, timeout: float) -> Loaded:
        """Load the model now; what it is. Raises EngineError, Died, NoAnswerInTime."""
        self.count(NOTHING, timeout=timeout)
        if self._loaded is None:
            raise Died("it died again")
        return self._loaded

    def ask(
        self, job: Mapping[str, Any], *, timeout: float, begun: Callable[[], None] = lambda: None
    ) -> Mapping[str, Any]:
        """A job's `done` message. `begun` is called here, in the asking thread, when its turn has
        come: until then it only waits. It is called again if the process died with it.

        Raises QueueFull, NoAnswerInTime, Died, and EngineError if the model can't be loaded.
        """
        return self._wait(self._submit({**job, "do": "ask"}), timeout, begun)

    def count(self, what: Mapping[str, Any], *, timeout: float) -> Mapping[str, Any]:
        """A `counted` message for the parts of a prompt and `texts`. Raises as `ask`, but never
        QueueFull."""
        return self._wait(self._submit({**what, "do": "count"}), timeout)

    @property
    def computing(self) -> int:
        """Jobs that are being computed now."""
        with self._lock:
            return sum(1 for r in self._requests.values() if r.is_job and r.started)

    @property
    def waiting(self) -> int:
        """Jobs that nobody computes yet."""
        with self._lock:
            return sum(1 for r in self._requests.values() if r.is_job and not r.started)

    def close(self) -> None:
        """End the process; requests under way fail."""
        self._closing.set()
        with self._lock:
            keeper = self._keeper
            if self._process is not None:
                self._process.kill()
        if keeper is not None:
            keeper.join()

    def _submit(self, message: Mapping[str, Any]) -> _Request:
        with self._lock:
            if self._closing.is_set():
                raise EngineError("the local engine is closed")
            request = _Request(next(self._ids), message)
            jobs = sum(1 for other in self._requests.values() if other.is_job)
            if request.is_job and jobs >= self._queue:
                raise QueueFull(max(self._usual_seconds * jobs / self._plan.sequences / 2, 1.0))
            self._requests[request.id] = request
            if self._keeper is None:
                self._keeper = threading.Thread(target=self._keep, daemon=True)
                self._keeper.start()
            self._feed()
        return request

    def _wait(
        self, request: _Request, timeout: float, begun: Callable[[], None] = lambda: None
    ) -> Mapping[str, Any]:
        deadline = time.monotonic() + timeout
        try:
            while request.news.get(timeout=max(deadline - time.monotonic(), 0)) == "begun":
                begun()
        except Empty:
            self._give_up(request)
        if request.error is not None:
            raise type(request.error)(str(request.error))  # one may have met several threads
        if request.answer is None:
            raise NoAnswerInTime("no whole answer in time")
        return request.answer

    def _give_up(self, request: _Request) -> None:
        with self._lock:
            if self._requests.pop(request.id, None) is None:
                return  # answered just now
            if request.sent and self._channel is not None:
                self._send({"do": "cancel", "id": request.id})
                silent = time.monotonic() - (self._silent_since or time.monotonic())
                if silent > self._stall and self._process is not None:
                    self._process.kill()  # it computes nothing any more: a driver hangs, say
            self._feed()

    def _feed(self) -> None:
        """Hand over what may go. After a death one suspect at a time, and nothing beside it but
        counting."""
        if self._channel is None:
            return
        suspect = next((r for r in self._requests.values() if r.deaths), None)
        for request in list(self._requests.values()):
            if not request.sent and (suspect in (None, request) or not request.is_job):
                request.sent = True
                request.started = not request.is_job
                self._send({**request.message, "id": request.id})

    def _send(self, message: Mapping[str, Any]) -> None:
        self._silent_since = self._silent_since or time.monotonic()
        try:
            if self._channel is not None:
                self._channel.send(message)
        except OSError:
            return  # it is dead: its keeper sees that and sends again

    # what follows runs in the keeper's thread

    def _keep(self) -> None:
        """Start processes until one ends for good."""
        delay = FIRST_DELAY
        while True:
            answered, why = self._live()
            with self._lock:
                if self._closing.is_set():
                    why = EngineError("the local engine is closed")
                self._bury(why, loading=self._loaded is None)
                idle = self._loaded is None and not self._requests
                self._loaded = None
                if isinstance(why, EngineError) or idle:
                    self._keeper = None
                    return
            delay = FIRST_DELAY if answered else min(delay * 2, LONGEST_DELAY)
            self._closing.wait(delay)

    def _live(self) -> tuple[bool, Exception]:
        """One process from start to end: whether it answered anything, and why it ended."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "reviewbot.engines.llama.child", str(theirs.fileno())],
                env=child_environment(),
                cwd="/",  # and -P: nothing of the folder we happen to work in is imported
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,  # ^C is for us; it ends when we do
            )
        said: deque[bytes] = deque(maxlen=20)
        reader = threading.Thread(target=said.extend, args=[process.stderr], daemon=True)
        reader.start()
        channel = Channel(ours)
        with self._lock:
            self._process = process
        failure, answered = None, False
        try:
            channel.send(_load_message(self._plan))
            while not self._closing.is_set() and (message := channel.receive()) is not None:
                if message["is"] == "failed":
                    failure = EngineError(str(message["why"]))
                answered = self._hear(channel, message, process.pid) or answered
        except (OSError, BadFrame, KeyError, TypeError, ValueError) as error:
            said.append(f"it said something else than agreed: {error!r}".encode())
        finally:
            with self._lock:
                self._channel = self._process = self._silent_since = None
            channel.close()
            process.kill()
            process.wait()
            reader.join()
            if process.stderr:
                process.stderr.close()
        return answered, failure or Died(_epitaph(process.returncode, said))

    def _hear(self, channel: Channel, message: Mapping[str, Any], pid: int) -> bool:
        """Act on a message; whether it settles something."""
        with self._lock:
            pending = any(request.sent for request in self._requests.values())
            self._silent_since = time.monotonic() if pending else None
            if message["is"] == "ready":
                facts = {key: value for key, value in message.items() if key != "is"}
                self._loaded = Loaded(**facts, pid=pid)
                self._channel = channel
                self._feed()
                return False
            request = self._requests.get(message.get("id", 0))
            if request is None:  # given up meanwhile, or no request's
                return False
            if message["is"] == "started":
                request.begin()
                return False
            del self._requests[request.id]
            if request.is_job:
                took = time.monotonic() - request.asked
                self._usual_seconds += (took - self._usual_seconds) / 8
            request.settle(message)
            self._feed()
            return True

    def _bury(self, why: Exception, *, loading: bool) -> None:
        """Sort out what was asked of a process that has ended."""
        for request in list(self._requests.values()):
            request.deaths += request.started or loading
            request.sent = request.started = False
            if isinstance(why, EngineError) or request.deaths >= MAX_DEATHS:
                del self._requests[request.id]
                request.settle(None, why)


def _load_message(plan: LoadPlan) -> dict[str, Any]:
    return {**asdict(plan), "model": str(plan.model.absolute())}


def _epitaph(status: int, said: deque[bytes]) -> str:
    """What the process died of, in a line for people."""
    last = said[-1].decode("utf-8", "replace").strip().rpartition("/")[2][:200] if said else ""
    if status >= 0:
        return f"the local model's process ended with status {status}: {last or 'no reason given'}"
    name = signal.Signals(-status).name
    hints = {"SIGKILL": " (as when memory runs out)", "SIGABRT": f" ({last})"}
    return f"the local model's process was ended by {name}{hints.get(name, '')}"

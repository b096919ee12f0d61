"""What is going on, for a person who waits: on stderr, and only if that is a terminal."""

import sys
from threading import Lock
from types import TracebackType

from rich.console import Console
from rich.progress import Progress as Line
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

from reviewbot.cli.terminal_text import clean


class Progress:
    """One line with the time, the step at work and the answers so far; gone at the end, and
    nothing at all where nobody looks.

    Its methods may be called from several threads.
    """

    def __init__(self, console: Console | None = None) -> None:
        console = console or Console(stderr=True, force_terminal=sys.stderr.isatty())
        self._line = Line(
            SpinnerColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
            console=console,
            transient=True,
            disable=not console.is_interactive,
        )
        self._task = self._line.add_task("", total=None)
        self._lock = Lock()
        self._asking, self._done, self._total = "", 0, 0

    def __enter__(self) -> "Progress":
        self._line.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._line.stop()

    def say(self, text: str) -> None:
        """Name the step at work."""
        self._show(text)

    def start(self, total: int, label: str = "") -> None:
        """`total` more answers are waited for."""
        with self._lock:
            self._asking, self._total = label, self._done + total
        self._show(self._asked())

    def done(self, label: str) -> None:
        """One of them has come."""
        with self._lock:
            self._done += 1
        self._show(f"{self._asked()} · {label}")

    def _asked(self) -> str:
        return f"{self._asking}: {self._done} of {self._total} answered"

    def _show(self, text: str) -> None:
        self._line.update(self._task, description=clean(text))

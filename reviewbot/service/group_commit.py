"""One transaction for all who wait to write: as durable as one each, at the price of one fsync."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

#: Most items of one transaction: nobody waits long for others' work.
MAX_ITEMS = 64


@dataclass(eq=False)
class _Waiting(Generic[T, R]):
    item: T
    turn: threading.Event = field(default_factory=threading.Event)
    """It is written, or its thread is the one to write next."""
    written: list[R] = field(default_factory=list)
    error: Exception | None = None


class GroupCommit(Generic[T, R]):
    """Hands what several threads want written to `write`, together, in the order it came.

    Whoever comes while nobody writes does so at once; what comes meanwhile waits, and the first of
    those writes all of it. `write` returns one result for each item once they are durable; what it
    raises, each of the waiting threads raises.
    """

    def __init__(self, write: Callable[[Sequence[T]], Sequence[R]]) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._waiting: list[_Waiting[T, R]] = []
        self._busy = False

    def put(self, item: T) -> R:
        """Have it written; returns when that is done. Raises what `write` raises."""
        mine: _Waiting[T, R] = _Waiting(item)
        with self._lock:
            self._waiting.append(mine)
            first, self._busy = not self._busy, True
        if not first:
            mine.turn.wait()
        if not mine.written and not mine.error:
            self._write_waiting()
        if mine.error:
            raise mine.error
        return mine.written[0]

    def _write_waiting(self) -> None:
        with self._lock:
            batch, self._waiting = self._waiting[:MAX_ITEMS], self._waiting[MAX_ITEMS:]
        try:
            results = self._write([waiting.item for waiting in batch])
            for waiting, result in zip(batch, results, strict=True):
                waiting.written.append(result)
        except Exception as error:
            for waiting in batch:
                waiting.error = error
            raise
        finally:
            with self._lock:
                following = self._waiting[:1]
                self._busy = bool(following)
            for waiting in (*batch, *following):
                waiting.turn.set()

"""What one machine uses, shared fairly among the calls that it answers at the same time."""

from threading import Lock


class SharedMeter:
    """Splits what a counter gains evenly among the calls in flight at that moment, so that their
    shares add up to what was really used. Safe to use from several threads.

    The counter is any that only grows: a monotonic clock in seconds, or an energy meter in joules.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._shares: dict[str, float] = {}
        self._last = 0.0

    def start(self, call: str, reading: float) -> None:
        """A call begins at this reading; nothing happens if it had begun."""
        with self._lock:
            self._share(reading)
            self._shares.setdefault(call, 0.0)

    def stop(self, call: str, reading: float) -> float:
        """A call has ended: its share, in the counter's unit; 0 if it never began."""
        with self._lock:
            self._share(reading)
            return self._shares.pop(call, 0.0)

    def _share(self, reading: float) -> None:
        for call in self._shares:
            self._shares[call] += max(reading - self._last, 0.0) / len(self._shares)
        self._last = max(self._last, reading)  # readings may come a little out of order

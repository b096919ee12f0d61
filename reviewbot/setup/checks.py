"""What a check says, and how checks are made side by side so that none hides another."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

from reviewbot.errors import ReviewbotError

#: `ok` as it should be, `wrong` something to do, `off` not configured.
State = Literal["ok", "wrong", "off"]


class Check(NamedTuple):
    """One thing that was looked at."""

    name: str
    state: State
    seen: str
    """Nothing secret."""
    todo: str = ""


def ok(name: str, seen: str) -> Check:
    return Check(name, "ok", seen)


def off(name: str, seen: str, todo: str = "") -> Check:
    return Check(name, "off", seen, todo)


def wrong(name: str, seen: str, todo: str) -> Check:
    return Check(name, "wrong", seen, todo)


class Family(NamedTuple):
    """Checks that follow from each other, made one after another."""

    name: str
    look: Callable[[], Iterable[Check]]
    seconds: float
    """Longest wait for all of them."""


class Checked(NamedTuple):
    """A family and what was seen, in order."""

    name: str
    checks: tuple[Check, ...]


def look_at(families: Sequence[Family]) -> list[Checked]:
    """All families at once. What takes too long, or fails, is wrong in its own place."""
    looks = [_Look(family) for family in families]
    for look in looks:
        look.thread.start()
    return [look.result() for look in looks]


class _Look:
    def __init__(self, family: Family) -> None:
        self._family = family
        self._seen: list[Check] = []
        self._until = time.monotonic() + family.seconds
        # a daemon: one that hangs must not keep the program
        self.thread = threading.Thread(target=self._work, name=family.name, daemon=True)

    def result(self) -> Checked:
        """What was seen by the time that there is."""
        self.thread.join(max(0.0, self._until - time.monotonic()))
        seen = tuple(self._seen)
        if self.thread.is_alive():
            seconds = f"{self._family.seconds:.0f} s"
            late = wrong(
                "answer",
                f"no more was seen within {seconds}",
                "look at network and disk, try again",
            )
            seen = (*seen, late)
        return Checked(self._family.name, seen)

    def _work(self) -> None:
        try:
            for check in self._family.look():
                self._seen.append(check)
        except ReviewbotError as error:
            self._seen.append(wrong("check", str(error), "mend that, and look again"))
        except Exception as error:  # noqa: BLE001 - a bug in one check must not hide the others
            kind = type(error).__name__  # its message may hold anything
            self._seen.append(
                wrong("check", f"failed ({kind})", "this is a bug of reviewbot: please report it")
            )

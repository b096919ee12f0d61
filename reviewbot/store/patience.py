"""A database that is away for a moment must not cost a review, or a paid answer."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from reviewbot.store.engine import StoreBusy

#: Waits between tries, seconds: a minute in all, as a restart of PostgreSQL may take.
WAITS = (0.1, 0.3, 1.0, 2.0, 5.0, 10.0, 20.0, 20.0)

S = TypeVar("S")
P = ParamSpec("P")
R = TypeVar("R")


def patient(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Do it again while the database is away. What is done twice must be the same as once: a
    connection may break after the commit. Raises StoreBusy in the end."""

    @wraps(method)
    def again(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        for wait in WAITS:
            try:
                return method(self, *args, **kwargs)
            except StoreBusy:
                time.sleep(wait)
        return method(self, *args, **kwargs)

    return again

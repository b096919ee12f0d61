"""Who may set up: a link that works once, then the browser that used it. Kept in memory alone."""

import hmac
import secrets
import threading
import time
from collections.abc import Callable

#: How long the link can be used, seconds.
TOKEN_SECONDS = 24 * 3600


class Door:
    """One link, and the one browser that came through it; safe to use from several threads."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._lock = now, threading.Lock()
        self._until = now() + TOKEN_SECONDS
        self._token = secrets.token_urlsafe(32)
        self._session = ""
        self.token = self._token
        """For the link."""

    def would_open(self, token: str) -> bool:
        """Whether the token is good; it is not used up by this."""
        return bool(self._token) and _same(token, self._token) and self._now() < self._until

    def enter(self, token: str) -> str | None:
        """A session for the token, which is used up by that; None for a wrong, used or old one."""
        with self._lock:
            if not self.would_open(token):
                return None
            self._token, self._session = "", secrets.token_urlsafe(32)
            return self._session

    def knows(self, session: str) -> bool:
        """Whether this is the browser that came through."""
        return bool(self._session) and _same(session, self._session)


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), known.encode())

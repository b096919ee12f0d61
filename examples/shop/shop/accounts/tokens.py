"""Tokens that stand for a user: random, kept as hashes only, valid for a while, revocable."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple


class _Entry(NamedTuple):
    user_id: int
    expires_at: datetime


class Tokens:
    """One kind of token. `now` is a clock, so that tests need not wait."""

    def __init__(
        self, lifetime: timedelta, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._lifetime = lifetime
        self._now = now
        self._entries: dict[str, _Entry] = {}

    def issue(self, user_id: int) -> str:
        """A new token for this user."""
        token = secrets.token_urlsafe(32)
        self._entries[_digest(token)] = _Entry(user_id, self._now() + self._lifetime)
        return token

    def owner(self, token: str) -> int | None:
        """Whose token it is; None if it is unknown, revoked or too old."""
        entry = self._entries.get(_digest(token))
        return entry.user_id if entry and entry.expires_at > self._now() else None

    def revoke(self, token: str) -> None:
        """From now on nobody's token. Unknown ones are no error."""
        self._entries.pop(_digest(token), None)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

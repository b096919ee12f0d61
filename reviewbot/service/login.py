"""Who may see the pages: a token that works once, then a session that can be taken back.

The token is printed where only the operator reads: at the start of the service. Only digests are
on disk, so a copy of the file opens nothing. The file is shared by all processes of one machine.
"""

import fcntl
import hashlib
import hmac
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from reviewbot.config.folders import private_folder
from reviewbot.config.settings import Settings
from reviewbot.errors import StoreError

#: How long a printed link can be used, seconds.
TOKEN_SECONDS = 24 * 3600
#: How long a session lasts, seconds.
SESSION_SECONDS = 12 * 3600


@dataclass
class _State:
    """Digests and the second at which each stops being good."""

    tokens: dict[str, float] = field(default_factory=dict)
    sessions: dict[str, float] = field(default_factory=dict)


class Login:
    """Tokens and sessions in one file. All methods raise StoreError if it can't be used."""

    def __init__(self, path: Path, now: Callable[[], float] = time.time) -> None:
        self._path, self._now = path, now

    def issue(self) -> str:
        """A new one-time token; those before it stop working."""
        token = secrets.token_urlsafe(32)
        with self._changing() as state:
            state.tokens = {_digest(token): self._now() + TOKEN_SECONDS}
        return token

    def redeem(self, token: str) -> str | None:
        """A new session for a token, which is used up by that; None for a wrong or used one."""
        with self._changing() as state:
            if not _take(state.tokens, token):
                return None
            session = secrets.token_urlsafe(32)
            state.sessions[_digest(session)] = self._now() + SESSION_SECONDS
            return session

    def valid(self, session: str) -> bool:
        """Whether a session is known and not over."""
        wanted, now = _digest(session), self._now()
        sessions = self._read().sessions
        return any(hmac.compare_digest(wanted, d) and end > now for d, end in sessions.items())

    def revoke(self, session: str) -> None:
        """End one session."""
        with self._changing() as state:
            _take(state.sessions, session)

    def revoke_all(self) -> None:
        """End every session and make every token useless."""
        with self._changing() as state:
            state.tokens, state.sessions = {}, {}

    def renew(self) -> str:
        """End every session, and return a new one-time token."""
        self.revoke_all()
        return self.issue()

    def _read(self) -> _State:
        try:
            loaded = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return _State()
        except (OSError, ValueError) as error:
            raise self._failed(error) from None
        return _State(_times(loaded, "tokens"), _times(loaded, "sessions"))

    @contextmanager
    def _changing(self) -> Iterator[_State]:
        """The state, to be changed by one process at a time; written whole or not at all."""
        try:
            private_folder(self._path.parent)
            with open(_private(self._path.with_suffix(".lock")), "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                state, now = self._read(), self._now()
                for times in (state.tokens, state.sessions):
                    for over in [digest for digest, end in times.items() if end <= now]:
                        del times[over]
                yield state
                new = self._path.with_suffix(".new")
                with open(_private(new), "w") as file:
                    json.dump(asdict(state), file)
                os.replace(new, self._path)
        except OSError as error:
            raise self._failed(error) from None

    def _failed(self, error: OSError | ValueError) -> StoreError:
        what = error.strerror if isinstance(error, OSError) else "it is damaged: delete it"
        return StoreError(f"the file of logins {self._path} can't be used ({what})")


def login_of(settings: Settings) -> Login:
    """Who may see the pages of this installation."""
    return Login(settings.data_dir / "login.json")


def _private(path: Path) -> int:
    """The file, open for writing and readable by us alone, whatever the umask says."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)


def _digest(secret: str) -> str:
    # 256 random bits need no slow hash
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _take(times: dict[str, float], secret: str) -> bool:
    """Remove a secret's digest, compared in constant time; whether it was there."""
    wanted = _digest(secret)
    found = [digest for digest in times if hmac.compare_digest(digest, wanted)]
    for digest in found:
        del times[digest]
    return bool(found)


def _times(loaded: Any, name: str) -> dict[str, float]:
    part = loaded.get(name) if isinstance(loaded, dict) else None
    if not isinstance(part, dict):
        return {}
    return {str(digest): end for digest, end in part.items() if isinstance(end, int | float)}

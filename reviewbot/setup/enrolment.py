"""One App being made: from the manifest to a key that is kept and known to work."""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reviewbot.config.kept_app import KeptApp
from reviewbot.errors import ReviewbotError
from reviewbot.github import needs
from reviewbot.github.app import GitHubApp
from reviewbot.github.calls import Calls, Denied, GitHubError
from reviewbot.github.client import connect
from reviewbot.setup.keeping import keep
from reviewbot.setup.manifest import (
    NOBODY,
    Created,
    Host,
    Wish,
    creation_url,
    installation_url,
    is_code,
    manifest,
    read_created,
    settings_url,
)

#: How long GitHub takes a code, and so how long we wait for one, seconds.
LIFE_SECONDS = 3600


class EnrolmentError(ReviewbotError):
    """The App could not be made; nothing was kept."""


@dataclass(frozen=True)
class Handover:
    """What a browser posts to GitHub, and where."""

    url: str
    manifest: dict[str, Any]


@dataclass(frozen=True)
class Enrolled:
    """An App that was made and is kept."""

    app: KeptApp
    folder: Path
    problems: tuple[str, ...]
    """What is not as it should be, and what to do about it."""

    @property
    def installation_url(self) -> str:
        return installation_url(self.app.html_url)


@dataclass(frozen=True)
class _Pending:
    wish: Wish
    until: float


class Enrolment:
    """Makes one App; safe to use from several threads."""

    def __init__(
        self,
        host: Host,
        data_dir: Path,
        *,
        replace: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.host = host
        self._data_dir, self._replace, self._now = data_dir, replace, now
        self._pending: dict[str, _Pending] = {}
        self._lock = threading.Lock()
        self.done: Enrolled | None = None

    def begin(self, wish: Wish, redirect_url: str) -> Handover:
        """A new attempt; those before it stay good, too: somebody may come back from them."""
        state = secrets.token_urlsafe(32)
        with self._lock:
            self._pending[state] = _Pending(wish, self._now() + LIFE_SECONDS)
        made = manifest(wish, self.host, redirect_url)
        return Handover(creation_url(wish, self.host, state), made)

    def finish(self, code: str, state: str) -> Enrolled:
        """Exchange GitHub's code, keep what it is for, and see whether it works.

        Raises EnrolmentError for a code that is not from us or not good any more, StoreError if
        the key can't be kept.
        """
        with self._lock:
            pending = self._pending.pop(state, None)
            if pending is None or pending.until <= self._now():
                raise EnrolmentError(
                    "this answer belongs to no attempt that began here within the last hour"
                )
            if not is_code(code):
                raise EnrolmentError("GitHub gave no code: no App was created")
            created = self._exchanged(code)
            self._pending.clear()
            secret = created.webhook_secret or secrets.token_hex(32)
            known = KeptApp(
                created.id,
                created.slug,
                created.html_url,
                self.host.api,
                pending.wish.delivery,
                pending.wish.extras,
            )
            folder = keep(self._data_dir, known, created.private_key, secret, replace=self._replace)
            given = replace(created, webhook_secret=secret)
            problems = self._verified(given, pending.wish, new_secret=not created.webhook_secret)
            self.done = Enrolled(known, folder, problems)
            return self.done

    def _exchanged(self, code: str) -> Created:
        what = "exchanging the code for the App's key"
        try:
            with connect(self.host.api, None) as client:
                answer = Calls(client).post(f"/app-manifests/{code}/conversions", what, {})
        except Denied:
            raise EnrolmentError(
                "GitHub does not take the code: it was used before, or is older than an hour. If the"
                " App is in GitHub's list already, delete it there, and begin again"
            ) from None
        except GitHubError as error:
            raise EnrolmentError(
                f"{error}. The App is in GitHub's list, but its key is not here: delete it there, and"
                " begin again"
            ) from None
        created = read_created(answer)
        if created is None:
            raise EnrolmentError(f"GitHub's answer makes no sense: {what}")
        return created

    def _verified(self, created: Created, wish: Wish, *, new_secret: bool) -> tuple[str, ...]:
        """What does not work with the new key, or is not as it was asked for."""
        try:
            app = GitHubApp(created.id, created.private_key, self.host.api)
            with app.calls() as calls:
                found = calls.get("/app", "reading the new App")
                hook = self._hook(calls, created, wish, new_secret=new_secret)
        except ReviewbotError as error:
            return (f"the new key could not be tried ({error}): `reviewbot doctor` tries again",)
        page = settings_url(wish.organization, created.slug, self.host.web)
        return (*_differences(found, wish, page), *hook)

    def _hook(
        self, calls: Calls, created: Created, wish: Wish, *, new_secret: bool
    ) -> tuple[str, ...]:
        wanted = wish.webhook or NOBODY
        if new_secret:  # GitHub made none: without one anybody could send deliveries
            calls.patch(
                "/app/hook/config",
                "setting the webhook's secret",
                {"url": wanted, "content_type": "json", "secret": created.webhook_secret},
            )
        found = calls.get("/app/hook/config", "reading the webhook").get("url")
        if found == wanted:
            return ()
        return (f"the webhook goes to {found or 'nowhere'} instead of {wanted}",)


def _differences(found: dict[str, Any], wish: Wish, page: str) -> tuple[str, ...]:
    told = found.get("events")
    granted = found.get("permissions")
    seen = needs.compare(
        granted if isinstance(granted, dict) else {},
        told if isinstance(told, list) else (),
        wish.extras,
    )
    found_words = (
        ("permissions are missing", seen.missing),
        ("permissions are more than needed", seen.superfluous),
        ("events are missing", seen.deaf),
    )
    return tuple(
        f"{what}: {', '.join(names)}. Change them at {page}" for what, names in found_words if names
    )

"""Our GitHub App: tokens that reach one repository, with the least that a job needs."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from reviewbot.errors import SettingsError
from reviewbot.github.calls import Calls, Unclear, id_of
from reviewbot.github.client import TIMEOUT_SECONDS, connect

if TYPE_CHECKING:
    from github import Github

#: What a review needs. Comments on a pull request take `pull_requests` alone.
PERMISSIONS: Mapping[str, str] = MappingProxyType(
    {"metadata": "read", "contents": "read", "pull_requests": "write", "checks": "write"}
)
#: What it takes to look for pull requests.
READING: Mapping[str, str] = MappingProxyType({"metadata": "read", "pull_requests": "read"})
#: A token that lives no longer than this is not used for a new job.
MARGIN = timedelta(minutes=5)


@dataclass(frozen=True)
class Token:
    """An installation token."""

    value: str = field(repr=False)
    expires_at: datetime


def _now() -> datetime:
    return datetime.now(UTC)


def _signer(private_key: str) -> Callable[[dict[str, Any]], str | bytes]:
    """Signs JSON web tokens; the key is read and checked only once, which takes 0.1 s."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from jwt import encode

    try:
        key = load_pem_private_key(private_key.encode(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise SettingsError("the GitHub App's private key is not an RSA key in PEM")
    return lambda payload: encode(payload, key, algorithm="RS256")


class GitHubApp:
    """Signs as the App and hands out clients; safe to use from several threads."""

    def __init__(
        self,
        app_id: int,
        private_key: str,
        api_url: str,
        *,
        timeout: int = TIMEOUT_SECONDS,
        now: Callable[[], datetime] = _now,
    ) -> None:
        """Raises SettingsError for a key that can't sign."""
        from github import Auth  # 0.3 s; most commands don't need it

        self._auth = Auth.AppAuth(app_id, sign_func=_signer(private_key))
        self._api_url, self._timeout, self._now = api_url, timeout, now
        self._tokens: dict[tuple[int, int, tuple[tuple[str, str], ...]], Token] = {}
        self._login = ""

    def token(
        self, installation: int, repository_id: int, permissions: Mapping[str, str] = PERMISSIONS
    ) -> Token:
        """A token for one repository that lives for 5 minutes at least. Raises GitHubError."""
        key = (installation, repository_id, tuple(sorted(permissions.items())))
        now = self._now()
        known = self._tokens.get(key)
        if known is None or known.expires_at - now < MARGIN:
            known = self._made(installation, repository_id, permissions)
            alive = {k: t for k, t in list(self._tokens.items()) if t.expires_at - now >= MARGIN}
            self._tokens = {**alive, key: known}
        return known

    def client(
        self, installation: int, repository_id: int, permissions: Mapping[str, str] = PERMISSIONS
    ) -> "Github":
        """A client that sees one repository; close it after use. Raises GitHubError."""
        token = self.token(installation, repository_id, permissions)
        return connect(self._api_url, token.value, timeout=self._timeout)

    def place_of(self, repository: str) -> tuple[int, int]:
        """The installation that reaches `owner/name`, and the repository's id. Raises GitHubError,
        Denied where the App is not installed there."""
        what = f"the App's installation on {repository}"
        with self.calls() as calls:
            installation = id_of(calls.get(f"/repos/{repository}/installation", what), what)
            made = calls.post(
                f"/app/installations/{installation}/access_tokens",
                what,
                {
                    "repositories": [repository.partition("/")[2]],
                    "permissions": {"metadata": "read"},
                },
            )
        match made.get("repositories"):
            case [{"id": int(number)}]:
                return installation, number
        raise Unclear(f"GitHub's answer makes no sense: {what}")

    @contextmanager
    def reading(self, installation: int) -> "Iterator[Calls]":
        """Requests that see the pull requests of all repositories of an installation, and change
        none. The token is not kept. Raises GitHubError."""
        made = self._made(installation, None, READING)
        with connect(self._api_url, made.value, timeout=self._timeout) as client:
            yield Calls(client)

    def forget(self, installation: int, repository_id: int) -> None:
        """GitHub does not take these tokens any more: the next client gets a new one."""
        self._tokens = {
            key: token
            for key, token in list(self._tokens.items())
            if key[:2] != (installation, repository_id)
        }

    @property
    def login(self) -> str:
        """The author of what we post, `slug[bot]`; asked for once. Raises GitHubError."""
        if not self._login:
            with self.calls() as calls:
                slug = calls.get("/app", "reading our App").get("slug")
            if not isinstance(slug, str) or not slug:
                raise Unclear("GitHub's answer makes no sense: reading our App")
            self._login = f"{slug}[bot]"
        return self._login

    def _made(
        self, installation: int, repository_id: int | None, permissions: Mapping[str, str]
    ) -> Token:
        """For one repository, or for all of the installation."""
        only = {} if repository_id is None else {"repository_ids": [repository_id]}
        where = "all" if repository_id is None else f"repository {repository_id}"
        what = f"a token of installation {installation} for {where}"
        with self.calls() as calls:
            made = calls.post(
                f"/app/installations/{installation}/access_tokens",
                what,
                {**only, "permissions": dict(permissions)},
            )
        try:
            value, expires = str(made["token"]), datetime.fromisoformat(str(made["expires_at"]))
        except (KeyError, ValueError):
            raise Unclear(f"GitHub's answer makes no sense: {what}") from None
        return Token(value, expires if expires.tzinfo else expires.replace(tzinfo=UTC))

    @contextmanager
    def calls(self) -> Iterator[Calls]:
        """Requests as the App itself. Raises nothing; the requests raise GitHubError."""
        with connect(self._api_url, None, timeout=self._timeout) as client:
            signed = client.requester.withAuth(self._auth)
            try:
                yield Calls(client, signed)
            finally:
                signed.close()

"""GitHub Apps: keys, installations, tokens that are limited and expire."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from github_simulator.messages import Caller, Refused, forbidden, not_found

#: What a reviewing App is given, unless a test says otherwise.
PERMISSIONS = {
    "metadata": "read",
    "contents": "read",
    "pull_requests": "write",
    "issues": "write",
    "checks": "write",
}
#: A token's life, and the longest of a JSON web token.
TOKEN_LIFE = timedelta(hours=1)
JWT_SECONDS = 600

#: What it is told of then.
EVENTS = (
    "check_run",
    "issue_comment",
    "pull_request",
    "pull_request_review_comment",
    "pull_request_review_thread",
)

_RANK = {"read": 1, "write": 2, "admin": 3}
_UNDECODED = "A JSON web token could not be decoded"


@cache
def _key(slug: str) -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class App:
    """A registered App; its bot is `slug[bot]`."""

    id: int
    slug: str
    webhook_secret: str = "it's a secret"
    permissions: dict[str, str] = field(default_factory=lambda: dict(PERMISSIONS))
    events: list[str] = field(default_factory=lambda: list(EVENTS))
    hook_url: str = "https://reviewbot.example.com/webhook"
    hook_type: str = "json"
    hook_insecure: str = "0"
    name: str = ""
    owner: str = "operator"

    @property
    def login(self) -> str:
        return f"{self.slug}[bot]"

    @property
    def private_key(self) -> str:
        """PEM, as GitHub gives it to the owner once."""
        key = _key(self.slug)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        return pem.decode()

    @property
    def public_key(self) -> bytes:
        key = _key(self.slug).public_key()
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@dataclass
class Installation:
    """An App on an account; on all the account's repositories, or on chosen ones."""

    id: int
    app: App
    account: str
    chosen: set[str] | None = None
    """Full names; None: all of the account's."""
    permissions: dict[str, str] = field(default_factory=dict)
    suspended: bool = False
    deleted: bool = False

    def covers(self, full_name: str) -> bool:
        if self.chosen is not None:
            return full_name in self.chosen
        return full_name.partition("/")[0] == self.account


@dataclass
class Grant:
    """An installation token."""

    token: str
    installation: Installation
    repositories: frozenset[str] | None
    """None: whatever the installation covers."""
    permissions: dict[str, str]
    expires_at: datetime


@dataclass
class Apps:
    """All Apps, installations and tokens there are."""

    registered: list[App] = field(default_factory=list)
    installations: dict[int, Installation] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)

    def app_of(self, token: str, now: datetime) -> App:
        """The App that signed this JSON web token, if every claim is as GitHub wants it."""
        try:
            claims = jwt.decode(token, options={"verify_signature": False})
            known = (app for app in self.registered if str(app.id) == str(claims.get("iss")))
            app = next(known, None)
            if app is None:
                raise Refused(404, "Integration not found")
            jwt.PyJWS().decode(token, app.public_key, algorithms=["RS256"])
        except jwt.InvalidTokenError:
            raise Refused(401, _UNDECODED) from None
        _check_times(claims, now.timestamp())
        return app

    def caller(self, token: str, names: Mapping[str, Any], now: datetime) -> Caller:
        """Who holds this installation token; `names` are the repositories there are."""
        grant = self.grants.get(token)
        if grant is None or grant.expires_at <= now or grant.installation.deleted:
            raise Refused(401, "Bad credentials")
        here = grant.installation
        if here.suspended:
            raise Refused(403, "This installation has been suspended")
        covered = frozenset(name for name in names if here.covers(name))
        return Caller(
            login=here.app.login,
            app=here.app,
            installation=here,
            permissions=grant.permissions,
            repositories=covered if grant.repositories is None else covered & grant.repositories,
        )

    def grant(
        self,
        installation: Installation,
        repositories: frozenset[str] | None,
        asked: Mapping[str, str] | None,
        now: datetime,
    ) -> Grant:
        """A token; never for more than the installation has."""
        given = installation.permissions
        permissions = dict(given if asked is None else asked)
        if not all(allows(given, name, level) for name, level in permissions.items()):
            raise Refused(422, "The permissions requested are not granted to this installation.")
        # as long as GitHub's newest, and with dots
        token = f"ghs_{installation.app.id}.{secrets.token_hex(128)}.{secrets.token_hex(125)}"
        permissions["metadata"] = "read"
        expires = now.replace(microsecond=0) + TOKEN_LIFE
        made = Grant(token, installation, repositories, permissions, expires)
        self.grants[token] = made
        return made

    def installation(self, number: str, app: App) -> Installation:
        found = self.installations.get(int(number))
        if found is None or found.app is not app or found.deleted:
            raise not_found()
        return found


def allows(permissions: Mapping[str, str] | None, name: str, level: str) -> bool:
    """Whether `permissions` are enough."""
    if permissions is None:
        return True
    return _RANK.get(permissions.get(name, ""), 0) >= _RANK.get(level, 9)


def require(caller: Caller, needs: tuple[str, ...]) -> None:
    """Refuses unless one of `needs` ("checks:write") is granted."""
    pairs = (need.split(":") for need in needs)
    if not any(allows(caller.permissions, name, level) for name, level in pairs):
        raise forbidden()


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(issued, int | float) or issued > now + 1:
        raise Refused(401, "'Issued at' claim ('iat') must be an Integer in the past")
    if not isinstance(expires, int | float) or expires <= now:
        raise Refused(401, "'Expiration time' claim ('exp') must be in the future")
    if expires - now > JWT_SECONDS:
        raise Refused(401, "'Expiration time' claim ('exp') is too far in the future")

"""The manifest from which GitHub makes our App, and where it is to be posted. No I/O."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from reviewbot.errors import UsageError
from reviewbot.github import needs

#: GitHub's longest name of an App, characters.
MAX_NAME = 34
#: Where GitHub sends deliveries that nobody takes. In poll mode they are read from its log, which
#: holds only what it tried to send; a hook without an address, or a sleeping one, logs nothing.
NOBODY = "https://example.com/nobody"

_ORGANIZATION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,98}[A-Za-z0-9])?", re.ASCII)
_GITHUB, _GITHUB_API = "https://github.com", "https://api.github.com"
_CODE = re.compile(r"[0-9A-Za-z_-]{1,200}", re.ASCII)
_ENTERPRISE_CLOUD = ".ghe.com"


class Host(NamedTuple):
    """A GitHub: github.com or an Enterprise Server."""

    web: str
    """Where people are, without a slash at the end."""
    api: str


@dataclass(frozen=True)
class Wish:
    """What the App is to be; made by `wish`, which checks it."""

    name: str
    organization: str = ""
    """Empty: an App of the person who creates it."""
    webhook: str = ""
    """Where deliveries go; empty in poll mode."""
    extras: tuple[str, ...] = ()
    """Names of `needs.EXTRAS`."""

    @property
    def delivery(self) -> str:
        return "webhook" if self.webhook else "poll"


@dataclass(frozen=True)
class Created:
    """What GitHub tells of a new App, once."""

    id: int
    slug: str
    html_url: str
    private_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    """Empty where GitHub made none."""


def host_of(github_url: str, api_url: str) -> Host:
    """The GitHub that is meant: by the address that people use, else by its API's. Raises
    UsageError for what is no address."""
    if not github_url:
        return Host(_web_of(api_url), api_url)
    parts = urlsplit(github_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise UsageError(f"{github_url!r} is no address of a GitHub: https://github.example.com")
    web = f"{parts.scheme}://{parts.netloc}"
    if web == _GITHUB:
        return Host(web, _GITHUB_API)
    if (parts.hostname or "").endswith(_ENTERPRISE_CLOUD):
        return Host(web, f"{parts.scheme}://api.{parts.netloc}")
    return Host(web, f"{web}/api/v3")


def _web_of(api_url: str) -> str:
    parts = urlsplit(api_url)
    if parts.hostname == "api.github.com" or (parts.hostname or "").endswith(_ENTERPRISE_CLOUD):
        return f"{parts.scheme}://{parts.netloc.removeprefix('api.')}"
    return f"{parts.scheme}://{parts.netloc}"


def wish(
    *,
    name: str = "",
    organization: str = "",
    public_url: str = "",
    poll: bool = False,
    extras: tuple[str, ...] = (),
) -> Wish:
    """Raises UsageError, saying what to do, for what GitHub would not take."""
    organization = organization.strip()
    if organization and not _ORGANIZATION.fullmatch(organization):
        raise UsageError(f"{organization!r} is no name of an organisation")
    name = name.strip() or f"reviewbot-{organization}".removesuffix("-")[:MAX_NAME].rstrip("-")
    if len(name) > MAX_NAME or not name.isprintable():
        raise UsageError(f"the App's name may have {MAX_NAME} characters: {name[:60]!r}")
    if poll == bool(public_url.strip()):
        raise UsageError(
            "say how deliveries come: the address at which GitHub reaches this service"
            " (--public-url https://reviewbot.example.com), or --poll where it can't reach it"
        )
    webhook = "" if poll else webhook_url(public_url.strip())
    return Wish(name, organization, webhook, extras)


def webhook_url(public_url: str) -> str:
    """Where deliveries go at our own address. Raises UsageError for one that GitHub can't reach."""
    try:
        parts = urlsplit(public_url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.username:
        raise UsageError(f"{public_url!r} is no address: https://reviewbot.example.com")
    if _is_here(host):
        raise UsageError(
            f"GitHub can't reach {host}: give the address of the proxy before this service, or take"
            " --poll, which needs none"
        )
    path = parts.path.rstrip("/").removesuffix("/webhook")
    return f"{parts.scheme}://{parts.netloc}{path}/webhook"


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def manifest(wanted: Wish, host: Host, redirect_url: str) -> dict[str, Any]:
    """What is posted to `creation_url`; GitHub comes back to `redirect_url`."""
    return {
        "name": wanted.name,
        "url": wanted.webhook.removesuffix("/webhook") or host.web,
        "description": "Reviews pull requests, and says what each review cost.",
        "public": False,
        "redirect_url": redirect_url,
        "hook_attributes": {"url": wanted.webhook or NOBODY, "active": True},
        "default_permissions": needs.permissions(wanted.extras),
        "default_events": list(needs.EVENTS),
    }


def creation_url(wanted: Wish, host: Host, state: str) -> str:
    """Where a browser posts the manifest; `state` comes back with the answer."""
    owner = f"/organizations/{quote(wanted.organization)}" if wanted.organization else ""
    return f"{host.web}{owner}/settings/apps/new?state={quote(state)}"


def settings_url(organization: str, slug: str, web: str) -> str:
    """The page where permissions and events can be changed."""
    owner = f"/organizations/{quote(organization)}" if organization else ""
    return f"{web}{owner}/settings/apps/{quote(slug)}/permissions"


def installation_url(html_url: str) -> str:
    """The page that puts the App on repositories."""
    return f"{html_url}/installations/new"


def is_code(text: str) -> bool:
    """Whether this can be the code that GitHub comes back with."""
    return _CODE.fullmatch(text) is not None


def read_created(answer: Mapping[str, Any]) -> Created | None:
    """What GitHub answered when the code was exchanged; None if it makes no sense."""
    texts = [answer.get(name) for name in ("slug", "html_url", "pem")]
    number, secret = answer.get("id"), answer.get("webhook_secret")
    if type(number) is not int or not all(isinstance(text, str) and text for text in texts):
        return None
    slug, html_url, pem = (str(text) for text in texts)
    return Created(number, slug, html_url, pem, secret if isinstance(secret, str) else "")

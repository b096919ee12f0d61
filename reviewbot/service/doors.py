"""Who stands before a page: somebody with a session, or whom a trusted proxy has signed in."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple

from flask import Request

from reviewbot.config.settings import PREFIX, Settings
from reviewbot.errors import SettingsError
from reviewbot.service.login import Login

COOKIE = "reviewbot_session"
#: Longest name of a person, characters.
MAX_NAME = 256


class Visitor(NamedTuple):
    """Somebody who may see the pages."""

    name: str
    """As the proxy says; empty for a session of our own, which has no name."""


@dataclass(frozen=True)
class Proxy:
    """A proxy that signs people in and says who they are in a header."""

    header: str
    networks: tuple[IPv4Network | IPv6Network, ...]

    def named(self, peer: str | None, value: str | None) -> str:
        """The person's name; empty where the header is missing, or the connection comes from any
        other address: then anybody could have written it."""
        # two headers arrive joined by a comma: the proxy has added its own to somebody's
        if not value or not value.strip() or "," in value or len(value) > MAX_NAME:
            return ""
        try:
            address = ip_address(peer or "")
        except ValueError:
            return ""
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return value.strip() if any(address in network for network in self.networks) else ""


class Doors:
    """Everybody who may see the pages comes through here."""

    def __init__(self, login: Login, proxy: Proxy | None = None) -> None:
        self.login, self._proxy = login, proxy

    def visitor(self, request: Request) -> Visitor | None:
        """Who asks; None for a stranger. Raises StoreError if sessions can't be read."""
        if self._proxy:
            # the connection's own address: what a header says of it is anybody's word
            name = self._proxy.named(request.remote_addr, request.headers.get(self._proxy.header))
            if name:
                return Visitor(name)
        session = request.cookies.get(COOKIE, "")
        return Visitor("") if session and self.login.valid(session) else None


def proxy_of(settings: Settings) -> Proxy | None:
    """The proxy that the settings trust, or None. Raises SettingsError for half of them."""
    header, networks = settings.proxy_user_header, settings.trusted_networks
    if not header:
        return None
    if not networks:
        raise SettingsError(
            f"{PREFIX}PROXY_USER_HEADER needs {PREFIX}TRUSTED_PROXIES: from anywhere else the header"
            " would be believed of everybody"
        )
    return Proxy(header, networks)

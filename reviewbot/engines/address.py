"""Where an engine's host is: on this machine or not, and whether its URL may be used at all."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from reviewbot.errors import EngineError

#: What a host with its port is made of. Anything else (user names, `%`, `\`, spaces, letters
#: beyond ASCII) is where parsers disagree about which host is meant.
_PLAIN_HOST = re.compile(r"[A-Za-z0-9.:_\[\]-]+")


def is_loopback(url: str) -> bool:
    """Whether `url` surely names this machine: `localhost`, 127.0.0.0/8 or ::1, written plainly.

    Everything doubtful is no: shortened or hexadecimal addresses, IPv4 inside IPv6, names that
    only look alike, URLs with a user name. Never raises, asks no resolver.
    """
    parts = _split(url)
    if parts is None or parts.hostname is None:
        return False
    host = parts.hostname
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if isinstance(address, IPv4Address):
        return address.is_loopback
    return address == IPv6Address("::1")


def checked_url(url: str, what: str, *, tls: bool = False) -> str:
    """`url` without a slash at its end; `what` names it in errors.

    `tls` asks for https unless the host is this machine, since a key is sent along.
    Raises EngineError for a URL that no request may go to.
    """
    parts = _split(url)
    if parts is None:
        raise EngineError(f"{what} is not a plain http(s) URL")
    if tls and parts.scheme != "https" and not is_loopback(url):
        raise EngineError(f"{what} must start with https://, as a key is sent to it")
    return url.rstrip("/")


def checked_key(key: str, what: str) -> str:
    """`key` if it can stand in a header. Raises EngineError, without the key, if not.

    HTTP libraries put a header value that they refuse into their error's text.
    """
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise EngineError(f"{what} is empty or has characters that no key has")
    return key


def _split(url: str) -> SplitResult | None:
    """The parts of a plain http(s) URL; None for any other."""
    if any(character <= " " or character == "\\" for character in url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    if parts.query or parts.fragment or not _PLAIN_HOST.fullmatch(parts.netloc):
        return None
    return parts

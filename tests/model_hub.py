"""A Hugging Face hub on two loopback ports: one that names files, one that stores them.

It answers what `huggingface_hub` really asks: `HEAD` and `GET` of `/REPO/resolve/REVISION/FILE`
with the commit, size and SHA-256 in headers and a redirect to the storage, whose links work once,
and which serves ranges.
"""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """What is stored, what goes wrong, and what was asked."""

    root: str = ""
    storage_root: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    """`REPO/FILE` → its bytes."""
    status: int = 0
    """Answer everything with this."""
    announced_bytes: int | None = None
    """Size to announce, if not the true one."""
    announced_etag: str | None = None
    """ETag to announce, if not the SHA-256."""
    cuts: list[int] = field(default_factory=list)
    """Close the storage's next connections after so many bytes each."""
    flip: int | None = None
    """Send this byte of a file wrong."""
    ignore_ranges: bool = False
    hold: Event | None = None
    """The storage waits for it before it answers …"""
    holding: Event = field(default_factory=Event)
    """… and says that it does."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """(method, path) of requests to the hub."""
    sent: list[tuple[int, int]] = field(default_factory=list)
    """(first byte, bytes sent) of each of the storage's answers."""
    tokens: list[str] = field(default_factory=list)
    """Authorization of each request to the hub."""
    problems: list[str] = field(default_factory=list)
    """What the real hub would not have seen, or not served."""
    links: dict[str, str] = field(default_factory=dict)


@contextmanager
def running_hub() -> Iterator[Hub]:
    """A hub that runs."""
    hub = Hub()
    servers = [_server(_Names, hub), _server(_Storage, hub)]
    hub.root, hub.storage_root = (f"http://127.0.0.1:{s.server_address[1]}" for s in servers)
    threads = [Thread(target=s.serve_forever, args=(0.02,), daemon=True) for s in servers]
    for thread in threads:
        thread.start()
    try:
        yield hub
    finally:
        if hub.hold:
            hub.hold.set()
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            server.server_close()
            thread.join()


def _server(handler: type["_Handler"], hub: Hub) -> ThreadingHTTPServer:
    bound = type(handler.__name__, (handler,), {"hub": hub})
    return ThreadingHTTPServer(("127.0.0.1", 0), bound)


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Silent."""

    def answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class _Names(_Handler):
    """The hub itself."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        hub = self.hub
        hub.asked.append((self.command, self.path))
        hub.tokens.append(self.headers.get("Authorization", ""))
        repository, resolve, rest = self.path.lstrip("/").partition("/resolve/")
        revision, _, file = rest.partition("/")
        if not resolve or revision not in ("main", COMMIT):
            hub.problems.append(f"{self.command} {self.path}")
        if "agent/" in self.headers.get("User-Agent", ""):
            hub.problems.append("tells who is asking")
        content = hub.files.get(f"{repository}/{file}")
        if hub.status:
            code = {401: "RepoNotFound", 404: "EntryNotFound"}.get(hub.status, "")
            self.answer(hub.status, {"X-Error-Code": code} if code else {})
        elif content is None:
            self.answer(404, {"X-Error-Code": "EntryNotFound"})
        else:
            digest = hashlib.sha256(content).hexdigest()
            link = f"/{secrets.token_hex(8)}"
            hub.links[link] = f"{repository}/{file}"
            size = len(content) if hub.announced_bytes is None else hub.announced_bytes
            headers = {
                "Location": hub.storage_root + link,
                "X-Repo-Commit": COMMIT,
                "X-Linked-Etag": f'"{hub.announced_etag or digest}"',
                "X-Linked-Size": str(size),
                "ETag": '"of-the-pointer"',
            }
            self.answer(302, headers)


class _Storage(_Handler):
    """Where the bytes are: another origin, which must never see the hub's token."""

    def do_GET(self) -> None:
        hub = self.hub
        if self.headers.get("Authorization"):
            hub.problems.append("the token left the hub")
        name = hub.links.pop(self.path, None)
        if name is None:
            self.answer(403, {})
            return
        if hub.hold:
            hub.holding.set()
            hub.hold.wait(10)
        content = bytearray(hub.files[name])
        if hub.flip is not None:
            content[hub.flip] ^= 1
        range_ = "" if hub.ignore_ranges else self.headers.get("Range", "")
        first = int(range_.removeprefix("bytes=").partition("-")[0]) if range_ else 0
        if first >= len(content):
            self.answer(416, {"Content-Range": f"bytes */{len(content)}"})
            return
        self._send(bytes(content), first, partly=bool(range_))

    def _send(self, content: bytes, first: int, *, partly: bool) -> None:
        rest = content[first:]
        self.send_response(206 if partly else 200)
        if partly:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        cut = self.hub.cuts.pop(0) if self.hub.cuts else len(rest)
        self.hub.sent.append((first, min(cut, len(rest))))
        self.wfile.write(rest[:cut])
        if cut < len(rest):
            self.wfile.flush()
            self.close_connection = True

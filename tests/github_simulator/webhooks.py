"""Deliveries: signed, logged, and kept for redelivery."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener
from uuid import uuid4

from github_simulator import app_shapes

#: GitHub gives up after this many seconds.
PATIENCE = 10.0


class _Stay(HTTPRedirectHandler):
    """GitHub follows no redirect."""

    def redirect_request(self, *_: object) -> None:
        return None


_OPENER = build_opener(ProxyHandler({}), _Stay)


class Response(NamedTuple):
    """What the listener said."""

    status: int
    """0 if nothing was said."""
    headers: Mapping[str, str]
    body: bytes
    seconds: float = 0.0

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Delivery:
    """One attempt."""

    id: int
    url: str
    guid: str
    event: str
    body: bytes
    headers: Mapping[str, str]
    when: datetime
    redelivery: bool
    response: Response

    @property
    def payload(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


def signature(secret: str, body: bytes) -> str:
    """As `X-Hub-Signature-256`."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def headers_of(event: str, guid: str, secret: str, body: bytes) -> dict[str, str]:
    """All that GitHub sends along."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/0000000",
        "X-GitHub-Delivery": guid,
        "X-GitHub-Event": event,
        "X-GitHub-Hook-ID": "1",
        "X-GitHub-Hook-Installation-Target-Type": "integration",
        "X-Hub-Signature-256": signature(secret, body),
    }


def new_guid() -> str:
    return str(uuid4())


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Response:
    """One attempt, without a second one."""
    request = Request(url, data=body, headers=dict(headers), method="POST")
    try:
        with _OPENER.open(request, timeout=PATIENCE) as answer:
            return Response(answer.status, dict(answer.headers), answer.read())
    except HTTPError as error:
        with error:
            return Response(error.code, dict(error.headers), error.read())
    except (URLError, HTTPException, OSError):  # not even half an answer counts
        return Response(0, {}, b"")


def listed(delivery: Delivery) -> dict[str, Any]:
    """One line of the deliveries log."""
    payload, status = delivery.payload, delivery.response.status
    said = {0: "failed to connect to host"}.get(
        status, "OK" if status < 400 else "Invalid HTTP Response"
    )
    return {
        "id": delivery.id,
        "guid": delivery.guid,
        "delivered_at": app_shapes.stamp(delivery.when),
        "redelivery": delivery.redelivery,
        "duration": round(delivery.response.seconds, 2),
        "status": said,
        "status_code": status or 502,
        "event": delivery.event,
        "action": payload.get("action"),
        "installation_id": payload.get("installation", {}).get("id"),
        "repository_id": payload.get("repository", {}).get("id"),
        "throttled_at": None,
    }


def whole(delivery: Delivery) -> dict[str, Any]:
    """The delivery with what went out and came back."""
    response = delivery.response
    return {
        **listed(delivery),
        "url": delivery.url,
        "request": {"headers": dict(delivery.headers), "payload": delivery.payload},
        "response": {
            "headers": dict(response.headers),
            "payload": response.body.decode("utf-8", "replace"),
        },
    }

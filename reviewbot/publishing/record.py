"""What a pull request's summary remembers where there is no database: one hidden, signed line.

`<!-- reviewbot-record:v1 PAYLOAD HMAC -->` holds base64 of a JSON object. The HMAC is over version,
repository, pull request and payload: what was changed, forged or copied from elsewhere is nothing.
Whoever may edit our comments can put an older record of the same pull request back; the author of
the comment is asked for wherever records are read.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

VERSION = 1
#: Longest line, characters: it must leave room for a summary in GitHub's 65 536.
MAX_LINE = 16_000
_LINE = re.compile(
    r"^<!-- reviewbot-record:v(\d{1,9}) ([A-Za-z0-9+/=]*) ([0-9a-f]{64}) -->\r?$", re.ASCII | re.M
)
#: Whatever claims to be one; its form may be broken.
_CLAIM = "<!-- reviewbot-record:"


class Place(NamedTuple):
    """The pull request that a record is of."""

    repository_id: int
    """GitHub's, which a rename keeps."""
    number: int


class Opened(NamedTuple):
    """What a comment's record says."""

    data: Mapping[str, Any] | None
    """None where there is none that counts."""
    ignored: str = ""
    """Why the record that is there does not count; empty where none is there."""


def seal(secret: bytes, place: Place, data: Mapping[str, Any]) -> str | None:
    """The hidden line; None if it would be longer than `MAX_LINE`."""
    text = json.dumps(data, separators=(",", ":"), sort_keys=True, ensure_ascii=True)
    payload = base64.b64encode(text.encode("ascii")).decode("ascii")
    code = _hmac(secret, place, VERSION, payload)
    line = f"<!-- reviewbot-record:v{VERSION} {payload} {code} -->"
    return line if len(line) <= MAX_LINE else None


def unseal(secret: bytes, place: Place, comment: str) -> Opened:
    """The record in a comment's text; of several lines the last counts, which is ours: models'
    texts stand above it."""
    found = list(_LINE.finditer(comment))
    if not found:
        return Opened(None, "its form is broken" if claims_record(comment) else "")
    version, payload, code = found[-1].groups()
    if int(version) != VERSION:
        return Opened(None, f"it is of version {int(version)}, this reviewbot reads {VERSION}")
    expected = _hmac(secret, place, VERSION, payload)
    if not hmac.compare_digest(expected, code):
        return Opened(None, "it is not signed by our key for this pull request")
    try:
        data = json.loads(base64.b64decode(payload, validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return Opened(None, "its content is broken")
    return Opened(data) if isinstance(data, dict) else Opened(None, "its content is broken")


def with_record(comment: str, line: str) -> str:
    """The comment with its record changed to this one; as it is where it has none."""
    found = list(_LINE.finditer(comment))
    if not found:
        return comment
    first, last = found[-1].span()
    return comment[:first] + line + comment[last:]


def claims_record(comment: str) -> bool:
    """Whether a text has something that looks like a record, true or not."""
    return _CLAIM in comment


def _hmac(secret: bytes, place: Place, version: int, payload: str) -> str:
    parts = ["reviewbot-record", str(version), str(place.repository_id), str(place.number), payload]
    return hmac.new(secret, "\0".join(parts).encode(), hashlib.sha256).hexdigest()

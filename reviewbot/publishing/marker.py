"""Hidden marks by which our own comments are found again.

`<!-- reviewbot:v1 KIND KEY HMAC -->` is the last line of a comment. The key says what the comment
is for, the HMAC that we wrote it: a look-alike without our secret is nothing. A true mark can be
copied by anyone who reads it, so the author is asked for, too, wherever comments are listed.
"""

import hashlib
import hmac
import json
import re
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Kind = Literal["review", "moved", "summary", "check", "finding", "fixed", "report"]
"""`moved` is a review whose comments GitHub refused: its findings stand elsewhere. `fixed` is the
answer below a finding's comment once a push has fixed it."""

_SHAPE = re.compile(r"<!-- reviewbot:v1 ([a-z]+) ([0-9a-f]{1,64}) ([0-9a-f]{64}) -->", re.ASCII)


class Scope(NamedTuple):
    """What a run is for."""

    installation: int
    """0 without an App."""
    repository: str
    """Its id, which a rename keeps."""
    number: int
    head: str
    base: str
    request: str
    """Who asked: `auto`, `comment:ID` and so on; each request has its own review."""


@dataclass(frozen=True)
class Marks:
    """Makes and knows the marks of one run."""

    secret: bytes = field(repr=False)
    scope: Scope

    def key(self, kind: Kind) -> str:
        """32 hex digits. A pull request has one summary, each run its own review and check."""
        scope = self.scope
        parts: tuple[str | int, ...] = (scope.installation, scope.repository, scope.number)
        if kind != "summary":
            parts = scope
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]

    def mark(self, kind: Kind) -> str:
        """The comment's last line."""
        return _line(kind, self.key(kind), self._hmac(kind, self.key(kind)))

    def external_id(self) -> str:
        """The same for a check run, which has a field for it; read by whoever is asked to run the
        check again, as GitHub does not name a fork's pull request."""
        key = self.key("check")
        return f"reviewbot:{self.scope.number}:{self.scope.base}.{key}.{self._hmac('check', key)}"

    def finding_mark(self, fingerprint: str) -> str:
        """The last line of a comment on a line: which finding it is about."""
        key = f"{int(fingerprint, 16):016x}" if fingerprint else "0"
        return _line("finding", key, self._hmac("finding", key))

    def fixed_mark(self, fingerprint: str) -> str:
        """The last line of the answer that says at which head the finding is fixed."""
        text = f"{fingerprint}\0{self.scope.head}"
        key = hashlib.sha256(text.encode()).hexdigest()[:32]
        return _line("fixed", key, self._hmac("fixed", key))

    def is_fixed_mark(self, text: str, fingerprint: str) -> bool:
        """Whether `text` is that answer, of this head."""
        expected = self.fixed_mark(fingerprint).encode()
        return hmac.compare_digest(expected, _last_line(text).encode("utf-8", "replace"))

    def is_own(self, text: str, kind: Kind) -> bool:
        """Whether `text` is the comment of that kind for this run."""
        return own_marker(text, self.secret, kind, self.scope)

    def is_of_run(self, summary: str) -> bool:
        """Whether `summary` is our summary as this very run wrote it: the run's own mark stands
        above the summary's."""
        above = summary.rstrip().rpartition("\n")[0]
        ours = self.is_own(above, "review") or self.is_own(above, "moved")
        return ours and self.is_own(summary, "summary")

    def fingerprint_in(self, text: str) -> str | None:
        """The finding that our comment on a line is about; None for anything else."""
        found = _SHAPE.fullmatch(_last_line(text))
        if found is None or found[1] != "finding":
            return None
        expected = self._hmac("finding", found[2])
        return found[2] if hmac.compare_digest(expected, found[3]) else None

    def _hmac(self, kind: Kind, key: str) -> str:
        """A finding's mark holds for its pull request, the others' keys say all."""
        parts = ["reviewbot:v1", kind, key]
        if kind in ("finding", "fixed"):
            parts.append(self.key("summary"))
        return hmac.new(self.secret, "\0".join(parts).encode(), hashlib.sha256).hexdigest()


def own_marker(text: str, secret: bytes, kind: Kind, scope: Scope) -> bool:
    """Whether the last line of `text` is the mark of that kind and scope; takes constant time."""
    expected = Marks(secret, scope).mark(kind)
    return hmac.compare_digest(expected.encode(), _last_line(text).encode("utf-8", "replace"))


def _line(kind: Kind, key: str, code: str) -> str:
    return f"<!-- reviewbot:v1 {kind} {key} {code} -->"


def _last_line(text: str) -> str:
    return text.rstrip().rpartition("\n")[2]

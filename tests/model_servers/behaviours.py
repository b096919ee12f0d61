"""What a model server may do with one request. Each server says it in its own API's words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

#: A valid answer that finds nothing.
NOTHING_FOUND = '{"walkthrough": "Nothing of note.", "findings": []}'


@dataclass(frozen=True)
class Answer:
    """The model answers with `text`, whatever that is: good JSON, cut JSON, prose."""

    text: str | None = NOTHING_FOUND
    """None: no content at all."""
    ending: str = "done"
    """`done`, `limit` (cut off by the output limit), `context` (by the model's context), or a
    stop reason in the API's own words."""
    usage: Mapping[str, Any] | None = field(default_factory=dict)
    """Entries that replace or join the usage that the server counts; None: no usage at all."""
    model: str = ""
    """The model that says it answered; empty: the asked one."""
    headers: Mapping[str, str] = field(default_factory=dict)
    scripted: bool = False
    """The server says that its answers are hand-written."""
    content_type: str = "application/json"


@dataclass(frozen=True)
class Refusal:
    """The model declines, with HTTP 200."""

    text: str | None = None
    """Words before it stopped; None: no content."""
    category: str | None = None
    style: Literal["field", "filter"] = "field"
    """OpenAI only: a `refusal` field, or the finish reason `content_filter`."""


@dataclass(frozen=True)
class Fail:
    """The service answers with an error."""

    status: int
    message: str = "something is wrong"
    kind: str = ""
    """The error's type; empty: the API's usual one for the status."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """The whole body, instead of the API's usual shape."""


@dataclass(frozen=True)
class Hang:
    """No answer for `seconds` (less if the server stops), then the connection closes. The model
    has worked: it is on the bill."""

    seconds: float = 20.0


@dataclass(frozen=True)
class HangUp:
    """The connection closes after so many bytes of a good answer's body; it is on the bill."""

    after: int = 20


@dataclass(frozen=True)
class Drip:
    """A good answer, a byte at a time: its headers too, with `headers`."""

    pause: float = 0.05
    headers: bool = False


@dataclass(frozen=True)
class Redirect:
    """Elsewhere, please."""

    location: str
    status: int = 307


@dataclass(frozen=True)
class Oversize:
    """A good answer with so many bytes more."""

    size: int


Behaviour = Answer | Refusal | Fail | Hang | HangUp | Drip | Redirect | Oversize

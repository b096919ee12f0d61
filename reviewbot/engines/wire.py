"""What both model engines do with HTTP answers: wait, read, and speak about them safely."""

import email.utils
import json
import math
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime
from threading import Thread
from typing import Any, NamedTuple, TypeVar

from reviewbot.review.engine import Outcome, Usage

#: Largest answer read, bytes. A full answer (4,096 tokens) is about 20 kB.
MAX_REPLY_BYTES = 4 * 1024 * 1024
#: Longest detail, characters.
MAX_DETAIL = 200
#: A detail that repeats this many characters of the prompt is withheld.
_REPEATED = 16
#: A demonstration server sets it: its answers are written by hand.
SCRIPTED_HEADER = "x-reviewbot-scripted"

T = TypeVar("T")


class OversizedReply(Exception):
    """An answer beyond MAX_REPLY_BYTES."""


class Read(NamedTuple):
    """What one answer of a service says, before timing and detail are added."""

    outcome: Outcome
    text: str = ""
    usage: Usage | None = None
    raw: Mapping[str, Any] = {}
    note: str = ""
    """Our own words about it."""
    said: str = ""
    """The service's words: to be made safe before people see them."""
    wait: float | None = None
    """Seconds after which it is worth trying again, where the service names none itself."""


def within(seconds: float, work: Callable[[], T]) -> T:
    """Run `work`, but wait for it no longer than `seconds`; raises TimeoutError then.

    HTTP libraries limit each single read, not name look-ups, headers that drip, or the sum. The
    thread is a daemon: after ^C nobody waits for a model's answer.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - handed over: the waiting caller raises it
            future.set_exception(error)

    Thread(target=run, name="reviewbot-ask", daemon=True).start()
    return future.result(timeout=seconds)


def read_body(chunks: Iterable[bytes], *, deadline: float, limit: int = MAX_REPLY_BYTES) -> bytes:
    """All `chunks` of an answer, until `deadline` (of `time.monotonic`).

    Raises OversizedReply beyond `limit` bytes, TimeoutError after the deadline.
    """
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise OversizedReply
        if time.monotonic() > deadline:
            raise TimeoutError
    return bytes(body)


def json_object(body: bytes) -> dict[str, Any] | None:
    """The JSON object in `body`; None where it is none."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that an answer asks us to wait: `retry-after-ms`, or `retry-after` as seconds or
    as a date; None if it names none or nonsense."""
    if (milliseconds := _seconds(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    if (seconds := _seconds(value)) is not None or value is None:
        return seconds
    try:
        date = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max((date - (now or datetime.now(UTC))).total_seconds(), 0.0)


def _seconds(value: str | None) -> float | None:
    try:
        seconds = float(value or "")
    except ValueError:
        return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def safe_detail(note: str, said: str, *, secret: str, prompt: str) -> str:
    """`note`, followed by what the service said if that is harmless.

    A service may repeat what it got: words that hold the key, or a stretch of the prompt, are
    withheld; control characters and length are cut.
    """
    words = " ".join("".join(c if c.isprintable() else " " for c in said).split())
    words = words[: MAX_DETAIL - len(note) - 2] if len(note) < MAX_DETAIL else ""
    if (
        not words
        or _repeats(words, secret, 6)
        or _repeats(words, " ".join(prompt.split()), _REPEATED)
    ):
        return note[:MAX_DETAIL]
    return f"{note}: {words}"


def _repeats(words: str, text: str, length: int) -> bool:
    """Whether `words` has `length` characters in a row of `text`."""
    if not text:
        return False
    if len(text) <= length:
        return text in words
    return any(words[at : at + length] in text for at in range(len(words) - length + 1))


def count(usage: Mapping[str, Any], key: str) -> int:
    """A token count of a service's `usage`; 0 where it is missing or no count."""
    value = usage.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def kept(data: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """The named keys of `data` that it has: a reply without its content."""
    return {key: data[key] for key in keys if key in data}

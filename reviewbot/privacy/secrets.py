"""Finds secrets in a text: what redaction cuts out and what the `secrets` analyser reports."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from reviewbot.errors import PrivacyError
from reviewbot.privacy.assigned import find_assigned
from reviewbot.privacy.private_keys import find_key_parts, find_private_keys
from reviewbot.privacy.spans import MAX_LINE, Span
from reviewbot.privacy.tokens import find_tokens
from reviewbot.privacy.vendors import find_random, find_vendor_secrets

#: In the order of how much they know: where two find the same place, the first names it.
FINDERS = (
    find_private_keys,
    find_tokens,
    find_vendor_secrets,
    find_assigned,
    find_random,
    find_key_parts,
)


class Secret(NamedTuple):
    """One secret, without its value."""

    kind: str
    line: int
    """0-based line of the text it starts in."""
    sure: bool
    """A format that only secrets have, and no well-known placeholder."""


def find_secrets(text: str) -> tuple[Secret, ...]:
    """Every secret in `text`, in order. Raises PrivacyError if the detector fails."""
    data = encode(text)
    found, line, at = [], 0, 0
    for span in find_spans(data):
        line += data.count(b"\n", at, span.start)
        at = span.start
        if not span.continued:
            found.append(Secret(span.kind, line, span.sure))
    return tuple(found)


def find_spans(data: bytes) -> list[Span]:
    """Where the secrets in `data` stand: in order, apart from each other, each within one line.

    Raises PrivacyError if the detector fails, whatever the failure is.
    """
    try:
        if max(map(len, data.split(b"\n"))) > MAX_LINE:
            cut = list(_long_lines(data))
            data = _blank(data, cut)
        else:
            cut = []
        return _merged(cut, *(finder(data) for finder in FINDERS))
    except Exception as error:  # noqa: BLE001 - closed on any failure of any library below
        # Without its cause: the cause's message may hold the text.
        raise PrivacyError(
            f"the secret detector failed ({type(error).__name__}): nothing is sent"
        ) from None


def encode(text: str) -> bytes:
    """The text's bytes; a lone surrogate, which is no text at all, survives both ways."""
    return text.encode("utf-8", "surrogatepass")


def _long_lines(data: bytes) -> Iterator[Span]:
    start = 0
    for line in data.split(b"\n"):
        if len(line) > MAX_LINE:
            yield Span(start, start + len(line), "long-line")
        start += len(line) + 1


def _blank(data: bytes, cut: Iterable[Span]) -> bytes:
    """The same text with spaces where something is cut out anyway."""
    blanked = bytearray(data)
    for span in cut:
        blanked[span.start : span.end] = b" " * (span.end - span.start)
    return bytes(blanked)


def _merged(*groups: Iterable[Span]) -> list[Span]:
    """All spans in order; overlapping ones become one, named by the earlier group."""
    ranked = [(span, rank) for rank, group in enumerate(groups) for span in group]
    merged: list[tuple[Span, int]] = []
    for span, rank in sorted(ranked, key=lambda item: item[0].start):
        if merged and span.start < merged[-1][0].end:
            last, last_rank = merged[-1]
            named = last if last_rank <= rank else span
            sure = last.sure or span.sure
            joined = Span(last.start, max(last.end, span.end), named.kind, sure, named.continued)
            merged[-1] = joined, min(rank, last_rank)
        else:
            merged.append((span, rank))
    return [span for span, _ in merged]

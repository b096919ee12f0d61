"""Cuts secrets out of a text before it may leave this machine."""

from dataclasses import dataclass

from reviewbot.privacy.secrets import encode, find_spans


@dataclass(frozen=True)
class Redacted:
    """A text without its secrets."""

    text: str
    count: int
    """Secrets cut out; a private key of many lines is one."""
    kinds: tuple[str, ...]
    """What they were, sorted, each once."""


def redact(text: str) -> Redacted:
    """The text with each secret replaced by `[redacted:<kind>]`; its lines keep their numbers.

    Raises PrivacyError if the detector fails: then nothing may be sent.
    """
    data = encode(text)
    spans = find_spans(data)
    if not spans:
        return Redacted(text, 0, ())
    parts, at = [], 0
    for span in spans:
        parts += [data[at : span.start], f"[redacted:{span.kind}]".encode()]
        at = span.end
    parts.append(data[at:])
    clean = b"".join(parts).decode("utf-8", "surrogatepass")
    kinds = sorted({span.kind for span in spans})
    return Redacted(clean, sum(not span.continued for span in spans), tuple(kinds))

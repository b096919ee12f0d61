"""Where a secret stands in a text, and the regular-expression engine that finds it."""

from typing import Any, NamedTuple

MAX_LINE = 8_000
"""Longest line that is scanned, bytes: a longer one (minified code) is cut out whole."""


class Span(NamedTuple):
    """A secret's place in the text's UTF-8 bytes. It never crosses a line feed."""

    start: int
    end: int
    kind: str
    sure: bool = False
    """A format that only secrets have, and no well-known placeholder: worth a finding."""
    continued: bool = False
    """A further line of the secret before it (a private key): not counted again."""


def compiled(pattern: str) -> Any:
    """The pattern for RE2 over bytes: linear time whatever the text, offsets that need no decoding.

    Bytes are read as Latin-1, so that text which is no valid UTF-8 is searched like any other.
    """
    import re2  # 10 ms that `--help` need not pay

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    return re2.compile(pattern.encode("ascii"), options)


def line_around(data: bytes, at: int) -> tuple[int, int]:
    """Start and end (without line feed) of the line that byte `at` stands in."""
    end = data.find(b"\n", at)
    return data.rfind(b"\n", 0, at) + 1, len(data) if end < 0 else end

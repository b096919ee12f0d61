"""Private keys: whole blocks, also where a diff shows only a part of one."""

import re
from bisect import bisect_left
from collections.abc import Iterator

from reviewbot.privacy.spans import Span

KIND = "private-key"
MAX_BLOCK = 400
"""Most lines that one key takes: an RSA key of 16,384 bits has 200."""

_MAX_BYTES = 100_000

_BEGIN = re.compile(
    rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-\d"
)
_END = re.compile(rb"-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|Private-MAC: *[0-9a-f]+")
#: Line number and diff marker before a line, kept so that the line stays what it was.
_PREFIX = re.compile(
    rb"[ \t]*(?:[0-9]{1,7}(?:[ \t]+[0-9]{1,7})?(?:[ \t]*[|:])?[ \t])?[+\- ]?[ \t]*"
)
_BODY = re.compile(rb"[A-Za-z0-9+/]{16,}={0,2}")
#: A line of nothing but base64, as wide as PEM and OpenSSH write it; quotes and commas may stand by.
_WIDE = re.compile(rb"[\"' ]*([A-Za-z0-9+/]{60,76}={0,2})(?:\\n)?[\"',; +\\]*\r?$")
_ANY_WIDE = re.compile(rb"[A-Za-z0-9+/]{60}")
_LAST = re.compile(rb"[\"' ]*([A-Za-z0-9+/]{4,76}={0,2})(?:\\n)?[\"',; +\\)]*\r?$")
#: The rest of a key written on one line with `\\n` between its lines.
_ESCAPED = re.compile(rb"(?:\\+[nr]|[ \t]|[A-Za-z0-9+/=])*")
#: Header lines of old keys, and empty ones.
_HEADER = re.compile(rb"[A-Za-z0-9\-]+: |[\"' ]*\r?$")
_HAS = (re.compile(rb"[0-9]"), re.compile(rb"[a-z]"), re.compile(rb"[A-Z]"))


def find_private_keys(data: bytes) -> Iterator[Span]:
    """Every private key in `data`, line by line; an unclosed one ends with its last key-like line."""
    begins = [match.span() for match in _BEGIN.finditer(data)]
    if not begins:
        return
    ends = [match.span() for match in _END.finditer(data)]
    limits = [start for start, _ in begins[1:]] + [len(data)]
    for (start, after), limit in zip(begins, limits, strict=True):
        index = bisect_left(ends, (after, after))
        stop = _last_body(data, after)
        if index < len(ends) and ends[index][0] < limit:
            end_start, end_stop = ends[index]
            if end_start - after <= _MAX_BYTES and _is_block(data[after:end_start]):
                stop = end_stop
        if _BODY.search(data, after, stop):
            yield from _lines(data, start, stop)


def find_key_parts(data: bytes) -> Iterator[Span]:
    """Lines of bare base64 as wide as a key's: the middle of a key that a hunk cuts out."""
    if not _ANY_WIDE.search(data):
        return
    start, after_wide = 0, False
    for line in data.split(b"\n"):
        if not after_wide and len(line) < 60:
            start += len(line) + 1
            continue
        prefix = _prefix(line)
        match = (_LAST if after_wide else _WIDE).match(line, prefix)
        if match and (after_wide or all(kind.search(match.group(1)) for kind in _HAS)):
            yield Span(start + match.start(1), start + match.end(1), "key-part", False, after_wide)
            after_wide = bool(_WIDE.match(line, prefix))
        else:
            after_wide = False
        start += len(line) + 1


def _is_block(between: bytes) -> bool:
    """Most lines are a key's: not the code that stands between two such markers in strings."""
    lines = between.split(b"\n")[1:-1]
    alike = sum(
        bool(_LAST.match(line, _prefix(line)) or _HEADER.match(line, _prefix(line)))
        for line in lines
    )
    return alike * 2 >= len(lines) and len(lines) <= MAX_BLOCK


def _last_body(data: bytes, start: int) -> int:
    """Where a key without its end line stops."""
    line_end = _line_end(data, start)
    match = _ESCAPED.match(data, start, line_end)
    stop = match.end() if match else start
    for _ in range(MAX_BLOCK):
        at = line_end + 1
        if at >= len(data):
            break
        line_end = _line_end(data, at)
        rest = data[at + _prefix(data[at:line_end]) : line_end]
        if _LAST.match(rest):
            stop = line_end
        elif not _HEADER.match(rest):
            break
    return stop


def _line_end(data: bytes, at: int) -> int:
    end = data.find(b"\n", at)
    return len(data) if end < 0 else end


def _prefix(line: bytes) -> int:
    match = _PREFIX.match(line)
    return match.end() if match else 0


def _lines(data: bytes, start: int, stop: int) -> Iterator[Span]:
    at, first = start, True
    while at < stop:
        line_end = min(_line_end(data, at), stop)
        begin = at if first else at + _prefix(data[at:line_end])
        last = line_end - 1 if data[line_end - 1 : line_end] == b"\r" else line_end
        if begin < last:
            yield Span(begin, last, KIND, True, not first)
        first = False
        at = line_end + 1

"""File names as diffs write them: quoted, prefixed, or two on one line."""

import re
from typing import NamedTuple

#: Longest `diff --git` line read: two paths of Linux's PATH_MAX (4,096 bytes), octal escapes of four
#: characters a byte. Bounds the work of splitting it.
MAX_HEADER = 2 * 4 * 4096
DEV_NULL = "/dev/null"

_PREFIX = re.compile(r"[abciow12]/")
"""git's prefixes: a/ b/, those of diff.mnemonicPrefix, and 1/ 2/ of old `--no-index`."""
_ESCAPE = re.compile(rb'\\([abtnvfr"\\]|[0-7]{3})')
_LETTERS = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f"} | {
    b"r": b"\r",
    b'"': b'"',
    b"\\": b"\\",
}
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_TWO_NAMES = re.compile(rf"({_QUOTED}|[^\"].*) ({_QUOTED})|({_QUOTED}) (.*)")
_MOST_SPLITS = 100
"""Spaces of a header tried as the border of its two names."""


class Names(NamedTuple):
    """A file's path before and after the change."""

    old: str
    new: str


def unquoted(name: str) -> str:
    """A path from its C-style quotes; bytes that are no UTF-8 become `\\xNN`."""
    quoted = len(name) > 1 and name[0] == name[-1] == '"'
    if not quoted and name.isascii():
        return name
    raw = name.encode("utf-8", "surrogateescape")
    if quoted:
        raw = _ESCAPE.sub(_byte, raw[1:-1])
    return raw.decode("utf-8", "backslashreplace")


def _byte(escape: re.Match[bytes]) -> bytes:
    code = escape[1]
    return _LETTERS.get(code) or bytes([int(code, 8) & 0xFF])


def from_marker_line(rest: str) -> str:
    """The name on a `---` or `+++` line, without the tab (and time) that may follow it."""
    return unquoted(rest.partition("\t")[0])


def split_header(rest: str) -> Names | None:
    """The two names of a `diff --git` line, prefixes kept; None where the line leaves it open.

    Unquoted names are not separated when they hold spaces. git's own rule helps: both are equal
    but for their prefix, unless further lines (`rename from` …) name them.
    """
    if len(rest) > MAX_HEADER or " " not in rest:
        return None
    quoted = _TWO_NAMES.fullmatch(rest)
    if quoted:
        return Names(unquoted(quoted[1] or quoted[3]), unquoted(quoted[2] or quoted[4]))
    middle = len(rest) // 2
    if _same_file(rest[:middle], rest[middle + 1 :]) and rest[middle] == " ":
        return Names(unquoted(rest[:middle]), unquoted(rest[middle + 1 :]))
    spaces = [at for at, char in enumerate(rest) if char == " "]
    for at in spaces[:_MOST_SPLITS]:
        if _same_file(rest[:at], rest[at + 1 :]):
            return Names(unquoted(rest[:at]), unquoted(rest[at + 1 :]))
    if len(spaces) == 1:
        return Names(unquoted(rest[: spaces[0]]), unquoted(rest[spaces[0] + 1 :]))
    return None


def _same_file(old: str, new: str) -> bool:
    return old == new or (bool(_tail(old)) and _tail(old) == _tail(new))


def _tail(name: str) -> str:
    return name.partition("/")[2]


def without_prefixes(names: Names) -> Names:
    """Both names without `a/` and `b/`, or whatever directory alone tells them apart."""
    old, new = names
    if DEV_NULL in names:
        return Names(without_prefix(old), without_prefix(new))
    if old == new:
        return names
    if _same_file(old, new):
        return Names(_tail(old), _tail(new))
    return Names(without_prefix(old), without_prefix(new))


def without_prefix(name: str) -> str:
    """One name without git's prefix."""
    return name[2:] if _PREFIX.match(name) else name

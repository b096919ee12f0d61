"""The enclosing function of a block of lines, found by indentation: works for any tidy language."""

import re
from collections.abc import Sequence

_NAME = re.compile(r"\w+")
_MODIFIERS = frozenset(
    [
        "pub",
        "export",
        "default",
        "public",
        "private",
        "protected",
        "internal",
        "static",
        "async",
        "override",
        "final",
        "abstract",
        "virtual",
        "unsafe",
        "inline",
        "suspend",
        "open",
        "sealed",
        "const",
        "extern",
    ]
)
_DEFINERS = frozenset(
    [
        "def",
        "defp",
        "defmodule",
        "class",
        "function",
        "func",
        "fn",
        "fun",
        "sub",
        "impl",
        "module",
        "interface",
        "struct",
        "trait",
        "enum",
        "describe",
        "object",
        "record",
        "namespace",
        "CREATE",
    ]
)
_CONTROL = frozenset(
    [
        "if",
        "for",
        "while",
        "switch",
        "catch",
        "else",
        "elif",
        "match",
        "with",
        "return",
        "do",
        "try",
        "foreach",
        "using",
        "lock",
        "case",
        "when",
        "unless",
        "until",
        "rescue",
        "finally",
        "except",
        "synchronized",
    ]
)
#: Characters of a line that are looked at: no definition needs more to be known as one.
_LONGEST = 300
#: How far an enclosing function is looked for, and how much of it is shown, lines.
_LOOK, _BEFORE, _AFTER = 300, 30, 15


def _defines(line: str) -> bool:
    """Whether a line begins a function, class or the like. Linear in the line's length."""
    text = line.strip()[:_LONGEST]
    if text[:1] in "})]#*/":
        return False
    for word in text.split(None, 8):
        name = _NAME.match(word)
        bare = name[0] if name else ""
        if bare in _DEFINERS:
            return True
        if bare in _CONTROL:
            return False
        if bare not in _MODIFIERS:
            break
    return "(" in text and text.endswith(("{", "=>", "->"))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def enclosing(lines: Sequence[str], first: int, last: int) -> tuple[int | None, int, int]:
    """Where the function around lines `first`..`last` (1-based, inclusive) starts and what to show.

    Returns (definition, from, to): the line number of its definition if that lies above `from`
    by more than can be shown, else None; and the range of lines to show, which holds first..last.
    """
    body = [_indent(line) for line in lines[first - 1 : last] if line.strip()]
    if not body or min(body) == 0:
        return None, first, last
    depth, start = min(body), None
    for number in range(first - 1, max(first - _LOOK, 0), -1):
        line = lines[number - 1]
        if line[:depth].strip(" \t") and line.strip():  # indented less
            depth = _indent(line)
            if _defines(line):
                start = number
                break
            if depth == 0:
                break
    if start is None:
        return None, first, last
    end = last
    for number in range(last + 1, min(last + _AFTER, len(lines)) + 1):
        line = lines[number - 1]
        if line.strip() and _indent(line) <= depth:
            end = number if line.strip()[0] in "})]" or line.strip() == "end" else end
            break
        if line.strip():
            end = number
    if first - start <= _BEFORE:
        return None, start, end
    return start, first, end

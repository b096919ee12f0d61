"""Whether lines say the same as before, written otherwise.

Formatters break lines, add commas, change quotes and put round brackets around what they break.
"""

import re
from collections.abc import Sequence

from reviewbot.change.model import Hunk

_SIGNS = re.compile(r"\w+|[^\w\s]|\n")
#: What formatters change: where lines end, and the comma behind the last of several.
_LOOSE = frozenset({"\n", ","})
_EVEN_QUOTES = str.maketrans("'`,()\\", '""    ')
#: What may stand before and behind round brackets that only hold an expression's lines together.
_AROUND_WRAP = {"=": "\n", "return": "\n", "in": "\n", "if": ":", "elif": ":", "while": ":"}
#: Languages by their tags in which blocks end by a sign or a word, so that no indent says a thing.
_FREE = frozenset(
    tag
    for tags in (
        "c c++ c# objective-c java kotlin scala groovy swift dart proto thrift solidity rust go",
        "php javascript jsx ts tsx css scss less terraform hcl ruby crystal elixir sql lua perl r",
    )
    for tag in tags.split()
)


def same_hunk(hunk: Hunk, language: str | None) -> bool:
    """Whether both sides of a hunk, with what stays, have the same words and signs in the same
    order.

    Where only indents differ, a check may have moved under a condition: they are the same only
    where the language has signs for that, which would have changed beside them.
    """
    if not _same_letters(hunk.added, hunk.removed):
        return False
    old, new = ([raw[1:] for raw in hunk.body if raw[0] in marks] for marks in (" -", " +"))
    if [line.strip() for line in old] == [line.strip() for line in new]:
        return language in _FREE
    return _words(old) == _words(new)


def _same_letters(added: Sequence[str], removed: Sequence[str]) -> bool:
    """Whether all that no formatter changes is the same: less work than telling words apart."""
    return _unspaced("\n".join(added)) == _unspaced("\n".join(removed))


def _unspaced(text: str) -> str:
    return "".join(text.translate(_EVEN_QUOTES).split())


def _words(lines: Sequence[str]) -> list[str]:
    """Words and signs, without brackets that hold a whole value together."""
    text = "\n".join(lines).replace("\\\n", "").replace("'", '"').replace("`", '"')
    signs = _SIGNS.findall(text)
    dropped: set[int] = set()
    opened: list[int] = []
    several: set[int] = set()
    for at, sign in enumerate(signs):
        if sign == "(":
            opened.append(at)
        elif sign == ")" and opened:
            begin = opened.pop()
            behind = signs[at + 1] if at + 1 < len(signs) else "\n"
            wraps = begin and begin not in several
            if wraps and _AROUND_WRAP.get(signs[begin - 1]) == behind:
                dropped |= {begin, at}
        elif sign == "," and opened:
            several.add(opened[-1])  # `(a,)` is a tuple
    return [sign for at, sign in enumerate(signs) if sign not in _LOOSE and at not in dropped]

"""Whether lines say the same as before, written otherwise.

Formatters break lines, add commas before a closing bracket and change quotes.
"""

import re
from collections.abc import Sequence

from reviewbot.change.model import Hunk

_SIGNS = re.compile(r"\w+|[^\w\s]")
#: A comma that a formatter adds where it gives each item a line.
_LAST_COMMA = re.compile(r",(?=[ \t]*\n\s*[)\]}])")
#: What the end of its line may end, too: a comment, or what is returned.
_ENDED = re.compile(r"(?m)((?://|#|--).*|\b(?:return|break|continue|raise|throw|yield)[ \t]*)$")
#: No word and no sign of code.
_LINE_END = "\N{SYMBOL FOR NEWLINE}"
#: Languages by their tags in which blocks end by a sign or a word, so that no indent says a thing.
_FREE = frozenset(
    tag
    for tags in (
        "c c++ c# objective-c java kotlin groovy swift dart proto thrift solidity rust go",
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
    if _unspaced(hunk.added) != _unspaced(hunk.removed):  # less work than telling words apart
        return False
    old, new = ([raw[1:] for raw in hunk.body if raw[0] in marks] for marks in (" -", " +"))
    if [line.strip() for line in old] == [line.strip() for line in new]:
        return language in _FREE
    return _words(old) == _words(new)


def _unspaced(lines: Sequence[str]) -> str:
    return "".join(_joined(lines).replace(",", "").split())


def _words(lines: Sequence[str]) -> list[str]:
    text = _LAST_COMMA.sub("", _joined(lines))
    return _SIGNS.findall(_ENDED.sub(rf"\1{_LINE_END}", text))


def _joined(lines: Sequence[str]) -> str:
    """The lines with one kind of quotes, without the backslashes that only continue them."""
    return "\n".join(lines).replace("\\\n", "").replace("'", '"').replace("`", '"')

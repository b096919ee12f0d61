"""Whether lines say the same as before, written otherwise.

Formatters break lines, add commas before a closing bracket and change quotes.
"""

import re
from collections import defaultdict
from collections.abc import Sequence

from reviewbot.change.model import Hunk


def _tags(tags: str) -> frozenset[str]:
    return frozenset(tags.split())


_SIGNS = re.compile(r"\w+|[^\w\s]")
#: A comma that a formatter adds where it gives each item a line.
_LAST_COMMA = re.compile(r",(?=[ \t]*\n\s*[)\]}])")
_STRING = re.compile(r'"[^"]*"')
#: Where a comment may begin: what follows on the next line is code.
_COMMENT = re.compile("//|#|--")
_COMMENTS = {
    tag: re.compile(sign)
    for sign, tags in (("%", "erlang"), (";", "clojure clojurescript scheme"))
    for tag in tags.split()
}
#: No word and no sign of code.
_LINE_END = "\N{SYMBOL FOR NEWLINE}"
#: Languages by their tags in which blocks end by a sign or a word, so that no indent says a thing.
_FREE = _tags(
    "c c++ c# objective-c java kotlin groovy swift dart proto thrift solidity rust go"
    " php javascript jsx ts tsx css scss less terraform hcl ruby crystal elixir sql lua perl r"
)
#: Those in which a sign ends a statement, so that the end of a line says nothing.
_ENDED_BY_SIGNS = _tags(
    "c c++ c# objective-c java php dart proto thrift solidity rust css scss less perl sql"
)
#: Words behind which the end of a line ends a statement all the same.
_ENDING = frozenset(["return", "break", "continue", "raise", "throw", "yield"])
#: A statement goes on behind a line that ends with one of these, or before one that begins so.
_GOES_ON = frozenset("([{}\\,;+-*/%=<>&|^:.~@")
_GOES_ON_WITH = frozenset(")]}{.,;?:=&|<>")


def same_hunk(hunk: Hunk, language: str | None) -> bool:
    """Whether both sides of a hunk, with what stays, have the same words and signs in the same
    order.

    Where a line's indent differs, a check may have moved under a condition: they are the same only
    where the language has signs for that, which would have changed beside them. Nor are they where
    the end of a line ended a comment or a statement, and does no more.
    """
    if _unspaced(hunk.added) != _unspaced(hunk.removed):  # less work than telling words apart
        return False
    old, new = ([raw[1:] for raw in hunk.body if raw[0] in marks] for marks in (" -", " +"))
    if language not in _FREE and _indents_differ(old, new):
        return False
    return _words(old, language) == _words(new, language)


def _indents_differ(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether a line that is on both sides has another indent."""
    indents: tuple[defaultdict[str, set[int]], ...] = defaultdict(set), defaultdict(set)
    for lines, found in zip((old, new), indents, strict=True):
        for line in lines:
            found[line.strip()].add(len(line) - len(line.lstrip()))
    before, after = indents
    return any(before[line] != after[line] for line in before.keys() & after.keys() if line)


def _unspaced(lines: Sequence[str]) -> str:
    return "".join(_joined(lines).replace(",", "").replace("\\\n", "").split())


def _words(lines: Sequence[str], language: str | None) -> list[str]:
    """Words and signs, and the ends of lines that end something."""
    rows = [row for row in _LAST_COMMA.sub("", _joined(lines)).split("\n") if row.strip()]
    sign = _COMMENTS.get(language or "", _COMMENT)
    words: list[str] = []
    depth = 0
    for row, following in zip(rows, [*rows[1:], ""], strict=True):
        bare = _STRING.sub('"', row)
        comment = sign.search(bare)
        code = bare[: comment.start()] if comment else bare
        depth = max(0, depth + sum(map(code.count, "([")) - sum(map(code.count, ")]")))
        found = _SIGNS.findall(row)
        goes_on = found[-1] == "\\" and not comment
        words += found[:-1] if goes_on else found
        if comment or (not goes_on and _ends(found[-1], following.lstrip()[:1], depth, language)):
            words.append(_LINE_END)
    return words


def _ends(last: str, following: str, depth: int, language: str | None) -> bool:
    """Whether a statement ends with a line that ends with this word or sign, outside of so many
    brackets, where the next one begins so."""
    if last in _ENDING:
        return True
    if depth or language in _ENDED_BY_SIGNS:
        return False
    return last not in _GOES_ON and following not in _GOES_ON_WITH


def _joined(lines: Sequence[str]) -> str:
    """The lines with one kind of quotes."""
    return "\n".join(lines).replace("'", '"').replace("`", '"')

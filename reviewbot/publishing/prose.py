"""What a model wrote, read as a few harmless shapes: paragraphs, items, quotes, code.

Models answer in Markdown of every dialect. It is read into these shapes, which hold text only, and
written anew for each place it is shown at: links, images, HTML and whatever else is not among them
does not survive the way. What is not understood stays as plain text: nothing is lost.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Literal, NamedTuple

from reviewbot.privacy.invisible import escape_invisible


class Block(NamedTuple):
    """A paragraph, list item, quote, heading or block of code."""

    kind: Literal["paragraph", "item", "quote", "heading", "code"]
    text: str
    """Prose on one line, to be read by `pieces`; of code, its lines as they are."""
    marker: str = ""
    """Of an item: `-`, or its number as `3.`."""
    depth: int = 0
    """Of an item: how deep it is nested, 0 to 3."""
    language: str = ""
    """Of code: what the fence says of it, in one word."""


class Piece(NamedTuple):
    """A part of a line of prose."""

    text: str
    code: bool = False
    strong: bool = False


_FENCE = re.compile(r"^([ \t]*)(`{3,}|~{3,})[ \t]*([^\s`]*)[^`]*$")
_ITEM = re.compile(r"^([ \t]*)(?:([-*+•])|(\d{1,4})[.)])[ \t]+(?=\S)")
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.*?)[ \t#]*$")
_QUOTE = re.compile(r"^ {0,3}> ?")
_RULE = re.compile(r"^ {0,3}(?:(?:-[ \t]*){2,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|=+)$")
_DEFINITION = re.compile(r"^ {0,3}\[[^\]\n]+\]:[ \t]*\S*(?:://|^/|www\.)\S*")


def blocks(text: str) -> list[Block]:
    """The blocks of a model's Markdown, invisible characters escaped."""
    lines = escape_invisible(text).replace("\r\n", "\n").split("\n")
    found: list[Block] = []
    after_blank, at = True, 0
    while at < len(lines):
        line = lines[at]
        if fence := _FENCE.match(line):
            block, at = _fenced(lines, at, fence)
            found.append(block)
            after_blank = True
            continue
        at += 1
        if not line.strip() or _RULE.match(line) or _DEFINITION.match(line):
            after_blank = True
            continue
        block = _block(line.expandtabs(4), found[-1] if found else None, after_blank)
        if found and _continues(found[-1], block, after_blank):
            joint = "\n" if block.kind == "code" else " "
            found[-1] = found[-1]._replace(text=found[-1].text + joint + block.text)
        else:
            found.append(block)
        after_blank = False
    return found


def _fenced(lines: list[str], at: int, fence: re.Match[str]) -> tuple[Block, int]:
    """The block of code that starts here, and the line after it; an open one ends with the text."""
    indent, mark, language = fence.groups()
    code: list[str] = []
    for end in range(at + 1, len(lines)):
        line = lines[end].strip()
        if line and not line.strip(mark[0]) and len(line) >= len(mark):
            return Block("code", "\n".join(code), language=language), end + 1
        code.append(re.sub(rf"^ {{0,{len(indent)}}}", "", lines[end]))
    return Block("code", "\n".join(code), language=language), len(lines)


def _block(line: str, last: Block | None, after_blank: bool) -> Block:
    """What one line outside a fence begins, or goes on with."""
    if line.lstrip().startswith("|"):
        return Block("code", line.strip())
    if item := _ITEM.match(line):
        number = f"{item[3]}." if item[3] else "-"
        deepest = last.depth + 1 if last is not None and last.kind == "item" else 0
        depth = min(len(item[1]) // 2, deepest, 3)
        return Block("item", line[item.end() :].strip(), number, depth)
    indentable = after_blank or (last is not None and last.kind == "code")
    if line.startswith("    ") and indentable and not (last is not None and last.kind == "item"):
        return Block("code", line[4:])
    if heading := _HEADING.match(line):
        return Block("heading", heading[1])
    if quote := _QUOTE.match(line):
        return Block("quote", line[quote.end() :].strip(" >"))
    return Block("paragraph", line.strip())


def _continues(last: Block, block: Block, after_blank: bool) -> bool:
    """Whether a line belongs to the block before it: the same text goes on, or a table's rows."""
    if after_blank or last.kind == "heading":
        return False
    if block.kind == "paragraph":
        return last.kind != "code"
    return block.kind == last.kind and block.kind in ("quote", "code") and not last.language


#: What ends a link's text and names its target. Only what looks like an address counts: in prose
#: about code, `callbacks[i](event)` is a call.
_TARGET = re.compile(
    r"\]\(\s*<?(?=[a-z][a-z0-9+.-]*:(?!:)|www\.|\.{0,2}/|#\w)[^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*>?"
    r"(?:\s+[\"'(][^\"')\n]*[\"')])?\s*\)",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    r"(?P<escape>\\[!-/:-@\[-`{-~])|(?P<ticks>`+)|(?P<comment><!--)"
    r"|(?P<link>!?\[)(?P<label>[^\[\]]*)(?=\]\()|(?P<strong>\*\*)"
)
_OPENS = re.compile(r"(?<![\w*])\*\*(?=[^\s*])(?=(?:[^*]|\*(?!\*))*\S\*\*(?![\w*]))")
#: What a host makes a link, a mention or a reference of: addresses, `@name`, `#1`, `a/b#1`, `GH-1`.
_ACTIVE = re.compile(
    r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.|(?:mailto|xmpp):)\S*[^\s.,;:!?)\]}'\"*]"
    r"|(?:(?<![\w.+-])[\w.+-]+)?@\w[\w./-]*"
    r"|(?:(?<![\w./-])[\w./-]+)?\#\d+"
    r"|(?<![a-z])GH-\d+",
    re.IGNORECASE,
)


def pieces(prose: str) -> list[Piece]:
    """One line of prose in pieces. Whatever a host might bring to life (addresses, mentions,
    references to issues) comes as code."""
    joined: list[Piece] = []
    for (code, strong), group in groupby(_scan(prose), key=lambda piece: piece[1:]):
        text = "".join(piece.text for piece in group)
        joined += [Piece(text, True, strong)] if code else _quenched(text, strong)
    return merged(joined)


def merged(line: Iterable[Piece]) -> list[Piece]:
    """Neighbours of one style as one piece."""
    return [
        Piece("".join(piece.text for piece in group), code, strong)
        for (code, strong), group in groupby(line, key=lambda piece: piece[1:])
    ]


def _scan(prose: str) -> Iterator[Piece]:
    """Text, code and strong text, with links and images given as their words."""
    closers = _closers(prose)
    strong, at = False, 0
    while at < len(prose):
        token = _TOKEN.search(prose, at)
        if token is None:
            break
        if token.start() > at:
            yield Piece(prose[at : token.start()], strong=strong)
        at = token.end()
        if token["escape"]:
            yield Piece(token[0][1], strong=strong)
        elif token["ticks"] and (close := closers.get(token.start())):
            code, at = prose[token.end() : close], close + len(token[0])
            yield Piece(_unpadded(code), code=True, strong=strong)
        elif token["comment"] and (end := prose.find("-->", at)) >= 0:
            at = end + 3
        elif token["link"] and (target := _TARGET.match(prose, at)):
            at = target.end()
            words = token["label"] or ("(image)" if token["link"] == "![" else "")
            yield from (piece._replace(strong=strong) for piece in _scan(words))
        elif token["strong"] and (strong or _OPENS.match(prose, token.start())):
            strong = not strong
        else:
            at = token.start() + (len(token[0]) if token["ticks"] or token["strong"] else 1)
            yield Piece(prose[token.start() : at], strong=strong)
    if at < len(prose):
        yield Piece(prose[at:], strong=strong)


def _closers(prose: str) -> dict[int, int]:
    """Start of each run of backticks → start of the next run as long: code stands between."""
    latest: dict[int, int] = {}
    found = {}
    for run in reversed(list(re.finditer("`+", prose))):
        length = len(run[0])
        if length in latest:
            found[run.start()] = latest[length]
        latest[length] = run.start()
    return found


def _unpadded(code: str) -> str:
    return code[1:-1] if code.strip() and code[0] == code[-1] == " " else code


def _quenched(text: str, strong: bool) -> Iterator[Piece]:
    at = 0
    for active in _ACTIVE.finditer(text):
        if active.start() > at:
            yield Piece(text[at : active.start()], strong=strong)
        yield Piece(active[0], code=True, strong=strong)
        at = active.end()
    if at < len(text):
        yield Piece(text[at:], strong=strong)

"""Reads an RE2 pattern into a tree, as far as its parts need to be told apart.

Not all of RE2's syntax is known; what is not is refused, never guessed. What a class or an escape
stands for is not looked at, but for how common it is: its text goes back to RE2 as it is.
"""

import re
from math import log2
from typing import NamedTuple

#: Brackets in brackets that are read.
MAX_DEPTH = 50


class UnreadError(ValueError):
    """The pattern holds what is not known here."""


class One(NamedTuple):
    """One character, several plain ones, or (`is_place`) a place between two."""

    source: str
    bits: float
    """About how rare it is: one of 2**bits characters of code is such a one."""
    is_place: bool = False


class Row(NamedTuple):
    """One after the other."""

    items: "tuple[Node, ...]"


class Choice(NamedTuple):
    """One of several."""

    branches: "tuple[Node, ...]"


class Repeat(NamedTuple):
    """From `least` times to `most`; None: without end."""

    item: "Node"
    least: int
    most: int | None


Node = One | Row | Choice | Repeat

_PLAIN = "[0-9A-Za-z_]"  # what repeats is the last of them alone, so a word ends before it
_NUMBER = "(?:0|[1-9][0-9]{0,3})"
_TOKEN = re.compile(
    rf"""\((?:\?(?:P?<\w+>|(?P<on>[imsU]*)(?:-(?P<off>[imsU]+))?(?P<flags>[:)])))?(?P<open>)
    | (?:(?P<sign>[*+?])|\{{(?P<least>{_NUMBER})(?P<comma>,(?P<most>{_NUMBER})?)?\}})\??(?P<times>)
    | \[\^?\]?(?:\[:\^?[a-z]+:\]|\\.|[^\]\\])*\](?P<class>)
    | \\(?:[pP](?:\{{\^?\w+\}}|[A-Z])|x(?:\{{[0-9A-Fa-f]+\}}|[0-9A-Fa-f]{{2}})|[wWdDsSafnrtv]|[bB](?P<edge>)
       |[^0-9A-Za-z])(?P<escape>)
    | (?:{_PLAIN}+(?={_PLAIN}[*+?{{])|{_PLAIN}{{2,}}(?![*+?{{]))(?P<word>)
    | [^\\]""",
    re.VERBOSE | re.DOTALL,
)
_COMMON = {r"\w": 0.5, r"\s": 2.5, r"\d": 5.0, r"\W": 1.5, r"\S": 0.2, r"\D": 0.1}
_LETTER, _BLANK, _EDGE = 4.5, 2.5, 1.0
_RANGE = re.compile(r"([0-9A-Za-z])-([0-9A-Za-z])")
_COUNTS = {"*": (0, None), "+": (1, None), "?": (0, 1)}


def read(pattern: str) -> Node:
    """The tree of a pattern that RE2 takes, in which ^ and $ are the ends of a line.

    Raises UnreadError.
    """
    tokens = []
    at = 0
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        if token is None:
            raise UnreadError(pattern)
        tokens.append(token)
        at = token.end()
    tokens.reverse()
    tree = _choice(tokens, "m", 0)
    if tokens:
        raise UnreadError(pattern)
    return tree


def _choice(tokens: list[re.Match[str]], flags: str, depth: int) -> Node:
    """Branches up to the bracket that closes them, or to the end. Takes them off `tokens`."""
    if depth > MAX_DEPTH:
        raise UnreadError
    branches: list[Node] = []
    items: list[Node] = []
    while tokens and tokens[-1][0] != ")":
        token = tokens.pop()
        if token[0] == "|":
            branches.append(Row(tuple(items)))
            items = []
        elif token["open"] is not None:
            inside = _flags(flags, token)
            if token["flags"] == ")":
                flags = inside
                if tokens and tokens[-1]["times"] is not None:
                    raise UnreadError
            else:
                items.append(_choice(tokens, inside, depth + 1))
                if not tokens:
                    raise UnreadError
                tokens.pop()
        elif token["times"] is not None:
            if not items or isinstance(items[-1], Repeat):
                raise UnreadError  # RE2 refuses it, too
            items.append(_repeat(items.pop(), token))
        else:
            items.append(_one(token, flags))
    branches.append(Row(tuple(items)))
    return branches[0] if len(branches) == 1 else Choice(tuple(branches))


def _flags(flags: str, token: re.Match[str]) -> str:
    return "".join((set(flags) | set(token["on"] or "")) - set(token["off"] or ""))


def _repeat(item: Node, token: re.Match[str]) -> Repeat:
    if token["sign"]:
        return Repeat(item, *_COUNTS[token["sign"]])
    least = int(token["least"])
    if not token["comma"]:
        return Repeat(item, least, least)
    return Repeat(item, least, int(token["most"]) if token["most"] else None)


def _one(token: re.Match[str], flags: str) -> One:
    text = token[0]
    if text in "^$":
        return One(text if "m" in flags else "", _EDGE, is_place=True)
    if token["word"] is not None:
        return One(f"(?i:{text})" if "i" in flags else text, _LETTER * len(text))
    if token["edge"] is not None:
        return One(text, _EDGE, is_place=True)
    if token["class"] is not None:
        bits = _bits_of_class(text)
    elif token["escape"] is not None:
        bits = _COMMON.get(text, _LETTER)
    elif text == ".":
        bits = 0.0
    else:
        bits = _BLANK if text == " " else _LETTER
        text = text if text.isalnum() else f"\\x{{{ord(text):X}}}"
    return One(f"(?i:{text})" if "i" in flags else text, bits)


def _bits_of_class(text: str) -> float:
    if text.startswith("[^") or "[:" in text or "\\p" in text:
        return 0.2
    held = [bits for escape, bits in _COMMON.items() if escape in text]
    ranges = _RANGE.findall(text)
    count = len(text) - 2 + sum(ord(last) - ord(first) for first, last in ranges)
    return max(0.2, min([_LETTER - log2(max(1, count)) + 1, *held]))

"""What on a changed line is the evidence's own: the call with its arguments, the setting's value.

Much of what a line says was there before: `def pay(user_token)` that got one more parameter has
the same token as ever. So a hit counts if its own expression came or went, or if its line is a
condition: what is beside it there decides, too.
"""

import re
from functools import cache

from reviewbot.config.patterns import compile_pattern
from reviewbot.routing.patterns import NOT_FOUND, Finder, finder

#: Longest list of arguments that is compared, characters.
MAX_ARGUMENTS = 120

_CONDITION = (
    r"\b(?:if|unless|elif|elsif|while|when|case|assert|raise|throw|where|filter|guard|require"
    r"|deny|and|or|not|return|except|rescue|catch)\b|&&|\|\||[!=]=|\s[<>]=?\s|\?\s"
)
_OBJECT = re.compile(r"[\w.!@:$>-]*")
_REST = re.compile(r"[\w.?!]*(?:::[\w.?!]+)*")
_VALUE = re.compile(r"[\"'`]?\s*(?:=>|:?=|:)\s*\S.*")
_BRACKET = re.compile(r"[()\[\]{}]")
_OPEN = frozenset("([{")


def is_condition(line: str) -> bool:
    """Whether a line decides something, in the words and signs of most languages."""
    data = line.encode("utf-8", "replace")
    return _condition()(data, 0, len(data))[0] != NOT_FOUND


@cache
def _condition() -> Finder:
    return finder(compile_pattern(_CONDITION))


def expression(line: str, first: int, last: int) -> str:
    """What belongs to the part of a line from `first` to `last`: its object, arguments, value."""
    object_ = _OBJECT.match(line[:first][::-1])  # from behind: to search for its end is quadratic
    begin = first - object_.end() if object_ else first
    if line[last - 1 : last] in _OPEN:  # a hit as `charge(`: what stands in the bracket is its own
        return line[begin : _closed(line, last - 1)]
    rest = _REST.match(line, last)
    end = rest.end() if rest else last
    if line[end : end + 1] in _OPEN:
        return line[begin : _closed(line, end)]
    value = _VALUE.match(line, end)
    return line[begin : value.end() if value else end]


def _closed(line: str, opened: int) -> int:
    """Where the bracket at `opened` is closed, or where looking for it ends."""
    depth, end = 0, min(len(line), opened + MAX_ARGUMENTS)
    for bracket in _BRACKET.finditer(line, opened, end):
        depth += 1 if bracket[0] in _OPEN else -1
        if not depth:
            return bracket.end()
    return end

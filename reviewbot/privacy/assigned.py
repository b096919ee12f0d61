"""Values assigned to names such as `password`, `api_key` or `token`."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from reviewbot.privacy.placeholders import is_placeholder, is_template
from reviewbot.privacy.spans import Span, compiled

_NAME = (
    r"(pass(?:word|wort|wd|phrase|code)|pwd|secret|token|credential|contrase(?:n|\xc3\xb1)a|"
    r"(?:api|access|private|auth|account|client|service|signing|encryption|master|database|db|"
    r"shared|secret|session|license|deploy)[_.\- ]?key|apikey|(?:db|key|user|_)[_.\-]?pass\b)"
)
_ASSIGN = r"(?::[ \t]*[a-z_][\w\[\]., |?]{0,40}[ \t]*=|:=|=>|={1,3}|!==?|::?)"  # also `x: str =`
_ASSIGNMENT = (
    r"(?i)" + _NAME + r"([\w.\-]{0,40}?)(?:\[[0-9]*\])?(?:\\?[\"'`])?[\])]{0,2}[ \t]{0,20}(?:"
    r"(?:" + _ASSIGN + r"|[(,]|[ \t])[ \t]{0,20}[bruf@$]{0,2}(\\?[\"'`])"  # also `x("…")`, `X "…"`
    r"|" + _ASSIGN + r"[ \t]{0,20}([^\s\"'`])"
    r"|[ \t,]{0,3}\r?(?:\n[ \t0-9+\-]*)?[\"']?value[\"']?[ \t]{0,5}[:=][ \t]{0,5}"
    r"(?:([\"'])|([^\s\"'`])))"  # `name="X" value="…"`; in YAML the value stands on the next line
)
#: What a name says when its value is about a secret and not one.
_ABOUT = re.compile(
    r"(?i)(?:count|name|field|url|uri|type|_?ids?|length|len|size|limit|path|file|dir|label|hint|"
    r"reset|policy|ref|regex|pattern|expir\w*|expiry|ttl|max|min|iz\w+|prefix|header|param\w*|"
    r"column|title|text|message|error|placeholder|required|enabled|strength|input|form|page|class|"
    r"selector|env|var|index|position|kind|status|scheme|algorithm|format|usage|budget|bucket)s?$"
)
_WORDS = re.compile(
    r"[^\W\d_]+(?:[-_./: ][^\W\d_]+)*[:.!?]?|"  # words of any language, or a dotted path of them
    r"[^\W\d_]{2,}[0-9]{0,2}(?:[-_./:][^\W\d_]{2,}[0-9]{0,2}){2,}"
)
#: A type or a call, up to where the line breaks off.
_OPEN_CODE = re.compile(r"[A-Za-z_$][\w$.:?]*[(<\[](?:.*[)>\],;({])?")
_CODE = re.compile(
    r"[A-Za-z_$][\w$]*(?:(?:\??\.|->|::)[\w$]+)*(?:[\[(].*)?|u?int\d*|float\d*|bytes\d*"
)
_SAYS_SECRET = re.compile(r"(?i)pass|pwd|secret|token|key|auth|cred|string|null|none|true|false")
#: So much of a value is looked at to judge it, bytes; all of it is cut out.
_JUDGED = 600
_UNQUOTED = re.compile(rb"[^\s\"'`,;(){}\[\]<>&|\\]+")
_PUBLIC = re.compile(rb"(?i)public[_.\-]?(?:key)?[_.\-]?$")
_WHOLE = re.compile(rb"[^\s\"'`]+")
#: What stands before a value that has its line to itself, as in an .env file or in YAML.
_ENV_LINE = re.compile(rb"^(?:[ +\-]|\d+ [ +\-]?)?\s*(?:export |ENV |ARG |set |- )?[\w.\-]+[:=] ?$")


@cache
def _assignment() -> Any:
    return compiled(_ASSIGNMENT)


def find_assigned(data: bytes) -> Iterator[Span]:
    """Every value in `data` that a name says to be a secret, and that looks like one."""
    done = 0
    for match in _assignment().finditer(data):
        name, suffix = match.group(1).decode("latin-1"), match.group(2).decode("latin-1")
        if match.start() < done or _ABOUT.search(suffix):
            continue
        if _PUBLIC.search(data, max(0, match.start() - 12), match.start()):
            continue
        if quote := match.group(3) or match.group(5):
            start, end = match.end(), _quoted_end(data, match.end(), quote)
            listed = b"," in data[match.end(2) : start]  # `["password", "groups"]`
            value = data[start : min(end, start + _JUDGED)].decode("latin-1")
            real = _is_secret(name, value, may_be_word=not listed)
        else:
            start = match.end() - 1
            alone = _has_line_to_itself(data, start)
            form = _WHOLE if alone else _UNQUOTED
            end = _end_of(form, data, start, start + _JUDGED)
            value = data[start:end].decode("latin-1")
            real = _is_plain_secret(value, alone)
            if real:
                end = _end_of(form, data, start, len(data))
        if real:
            done = end
            sure = bool(quote) and not is_placeholder(value) and _is_random(value)
            yield Span(start, end, _kind(name), sure)


def _kind(name: str) -> str:
    name = name.lower()
    if "key" in name:
        return "key"
    return "password" if "pass" in name or name in ("pwd", "passwd") else name[:10]


def _quoted_end(data: bytes, start: int, quote: bytes) -> int:
    """Where the closing quote stands; an unclosed value ends with its line."""
    line_end = data.find(b"\n", start)
    line_end = len(data) if line_end < 0 else line_end
    end = data.find(quote, start, line_end)
    while end > start and len(quote) == 1 and data[end - 1 : end] == b"\\":
        end = data.find(quote, end + 1, line_end)
    if end >= 0:
        return end
    return line_end - 1 if data[line_end - 1 : line_end] == b"\r" else line_end


def _end_of(form: re.Pattern[bytes], data: bytes, start: int, limit: int) -> int:
    match = form.match(data, start, limit)
    return match.end() if match else start


def _has_line_to_itself(data: bytes, start: int) -> bool:
    line_start = data.rfind(b"\n", max(0, start - _JUDGED), start) + 1
    if not line_start and start > _JUDGED:
        return False
    return bool(_ENV_LINE.match(data[line_start:start]))


def _is_secret(name: str, value: str, *, may_be_word: bool) -> bool:
    if len(value) < 6 or " " in value or "\t" in value or is_template(value) or "://" in value:
        return False
    if _WORDS.fullmatch(
        value.encode("latin-1").decode("utf-8", "replace")
    ):  # a password may be a plain word; a token never is
        of_password = may_be_word and "pass" in name.lower() and value.isascii()
        return of_password and not _SAYS_SECRET.search(value)
    return len(set(value)) > 2


def _is_plain_secret(value: str, alone: bool) -> bool:
    if len(value) < 6 or is_template(value) or "://" in value or value.startswith(("/", "./")):
        return False
    if not re.search(r"[0-9]", value) or not re.search(r"[A-Za-z]", value):
        return False
    if _OPEN_CODE.fullmatch(value):
        return False
    if _CODE.fullmatch(value):  # an expression, unless it stands alone as in an .env file
        return alone or (len(value) >= 20 and _is_random(value))
    return True


def _is_random(value: str) -> bool:
    """At least three digits and ten distinct characters: nobody's word."""
    return len(value) >= 12 and len(set(value)) >= 10 and len(re.findall(r"[0-9]", value)) >= 3

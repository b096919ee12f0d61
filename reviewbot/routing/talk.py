"""Which parts of a text are talk: comments, docstrings, and sentences in strings.

A scanner for comments and strings only, one regular expression for each family of languages. It
reads parts of files: a text may begin inside a comment, which the first unpaired end tells.
Full lexers are exact on whole files, yet read half a megabyte a second: less than a tenth of
what parsing a diff takes. See docs/decisions for the comparison.
"""

import re
from bisect import bisect_right
from functools import lru_cache
from typing import NamedTuple

_DOUBLE = r'"(?:[^"\\\n]|\\[^\n])*+"?'
_SINGLE = r"'(?:[^'\\\n]|\\[^\n])*+'?"
_TEMPLATE = r"`(?:[^`\\]|\\.)*+`?"
_RAW = r"`[^`]*+`?"
_TRIPLE = r'"""(?:[^"\\]|\\.|"(?!""))*+(?:"""|\Z)'
_TRIPLE_SINGLE = r"'''(?:[^'\\]|\\.|'(?!''))*+(?:'''|\Z)"
#: A character, so that Rust's 'a and C++'s 1'000 open no string.
_CHAR = r"'(?:[^'\\\n]|\\[^\n]{1,10})'"
_SLASHES = r"//[^\n]*+"
_BLOCK = r"/\*(?:[^*]|\*(?!/))*+(?:\*/|\Z)"
_HASH = r"#[^\n]*+"
_DASHES = r"--[^\n]*+"
_SEMICOLON = r";[^\n]*+"
_PERCENT = r"%[^\n]*+"
_MARKUP = r"<!--(?:[^-]|-(?!->))*+(?:-->|\Z)"
_RUBY = r"=begin\b(?:[^\n]|\n(?!=end\b))*+(?:\n=end\b[^\n]*+|\Z)"


_QUOTES = frozenset("\"'`")
#: Before a # these make it part of a word: `a#b` in YAML, `$#` in a shell, `&#38;` in XML.
_IN_NAME = frozenset("$&?{/") | frozenset(
    map(chr, (*range(48, 58), *range(65, 91), *range(97, 123)))
)


class Syntax(NamedTuple):
    """How a family of languages writes comments and strings."""

    tokens: re.Pattern[str]
    start: str = ""
    end: str = ""
    """What ends a comment of several lines; standing alone, it says that the text began in one."""
    quotes: tuple[str, ...] = ()
    """What both opens and closes a string of several lines that can be documentation."""
    blocks: tuple[str, ...] = ()
    """Without one of these in it, a text's lines can be read one by one."""
    signs: re.Pattern[bytes] = re.compile(b"")
    """The first characters of comments and strings: before one of them a line is code."""


def _syntax(
    comments: tuple[str, ...],
    strings: tuple[str, ...],
    *,
    block: tuple[str, str] = ("", ""),
    quotes: tuple[str, ...] = (),
    blocks: tuple[str, ...] = (),
) -> Syntax:
    start, end = block
    starts, ends = ((start,), (end,)) if end else ((), ())
    # one flat alternation, each part with a literal first: so `re` skips code a character set at
    # a time, which is three times as fast as named groups
    tokens = "|".join((*map(re.escape, ends), *comments, *strings))
    first = {part.removeprefix("\\")[0] for part in (*map(re.escape, ends), *comments, *strings)}
    signs = re.compile(b"[%b]" % re.escape("".join(sorted(first))).encode())
    told = (*blocks, *quotes, *starts, *ends)
    return Syntax(re.compile(tokens, re.DOTALL), start, end, quotes, told, signs)


_C = ("/*", "*/")
_FAMILIES = (
    (
        "c c++ c# objective-c java kotlin scala groovy swift dart proto thrift solidity glsl zig",
        _syntax((_SLASHES, _BLOCK), (_TRIPLE, _DOUBLE, _CHAR), block=_C, blocks=('"""',)),
    ),
    ("rust", _syntax((_SLASHES, _BLOCK), (_DOUBLE, _CHAR), block=_C)),
    (
        "go",
        _syntax((_SLASHES, _BLOCK), (_DOUBLE, _CHAR, _RAW), block=_C, blocks=("`",)),
    ),
    (
        "javascript jsx ts tsx vue svelte astro",
        _syntax(
            (_SLASHES, _BLOCK, _MARKUP),
            (_DOUBLE, _SINGLE, _TEMPLATE),
            block=_C,
            blocks=("`", "<!--"),
        ),
    ),
    (
        "php",
        _syntax(
            (_SLASHES, r"#(?!\[)[^\n]*+", _BLOCK),
            (_DOUBLE, _SINGLE),
            block=_C,
        ),
    ),
    ("css scss less stylus", _syntax((_SLASHES, _BLOCK), (_DOUBLE, _SINGLE), block=_C)),
    (
        "terraform hcl",
        _syntax((_HASH, _SLASHES, _BLOCK), (_DOUBLE,), block=_C),
    ),
    (
        "python pyi cython bazel",
        _syntax(
            (_HASH,),
            (_TRIPLE, _TRIPLE_SINGLE, _DOUBLE, _SINGLE),
            quotes=('"""', "'''"),
        ),
    ),
    (
        "ruby crystal",
        _syntax((_HASH, _RUBY), (_DOUBLE, _SINGLE), block=("=begin", "\n=end")),
    ),
    ("elixir", _syntax((_HASH,), (_TRIPLE, _DOUBLE, _CHAR), quotes=('"""',))),
    ("julia graphql", _syntax((_HASH,), (_TRIPLE, _DOUBLE), quotes=('"""',))),
    (
        "yaml toml dockerfile makefile shell bash zsh dotenv ini java-properties",
        _syntax((_HASH,), (_DOUBLE, _SINGLE)),
    ),
    ("perl r powershell nix tcl puppet fish nim", _syntax((_HASH,), (_DOUBLE, _SINGLE))),
    ("sql", _syntax((_DASHES, _BLOCK), (_SINGLE, _DOUBLE), block=_C)),
    ("prisma gleam", _syntax((_SLASHES,), (_DOUBLE,))),
    ("lua haskell elm purescript", _syntax((_DASHES,), (_DOUBLE, _CHAR))),
    ("erlang", _syntax((_PERCENT,), (_DOUBLE, _SINGLE))),
    ("clojure clojurescript scheme", _syntax((_SEMICOLON,), (_DOUBLE,))),
    ("f# ocaml", _syntax((_SLASHES,), (_TRIPLE, _DOUBLE, _CHAR))),
    ("html xml svg xhtml", _syntax((_MARKUP,), (_DOUBLE,), block=("<!--", "-->"))),
)
#: For a language that no family holds: the usual signs.
_UNKNOWN = _syntax((_SLASHES, _HASH, _BLOCK), (_DOUBLE, _CHAR), blocks=("/*",))
_SYNTAXES = {tag: syntax for tags, syntax in _FAMILIES for tag in tags.split()}


def syntax_of(language: str | None) -> Syntax:
    """The syntax of a language, by its tag."""
    return _SYNTAXES.get(language or "", _UNKNOWN)


class Talk:
    """The comments and strings of one text: lines of a file that follow each other.

    Read as far as it is asked for.
    """

    def __init__(self, text: str, syntax: Syntax, *, from_top: bool = False) -> None:
        """`from_top`: the text begins where its file does, so in no comment."""
        self._text = text
        self._syntax = syntax
        end, is_string = (0, False) if from_top else _begins_inside(text, syntax)
        self._tokens = syntax.tokens.finditer(text, end)
        self._starts = [0] if end else []
        self._ends = [end] if end else []
        self._strings = {0} if is_string else set()
        """Tokens that are strings though they do not begin with a quote."""
        self._read = end

    def is_talk(self, offset: int) -> bool:
        """Whether the character at `offset` lies in a comment, a docstring or a sentence."""
        while self._read <= offset:
            token = next(self._tokens, None)
            if token is None:
                self._read = len(self._text) + 1
                break
            first, self._read = token.span()
            if self._text[first] != "#" or not first or self._text[first - 1] not in _IN_NAME:
                self._starts.append(first)
                self._ends.append(self._read)
        index = bisect_right(self._starts, offset) - 1
        return index >= 0 and offset < self._ends[index] and self._says(index, offset)

    def _says(self, index: int, offset: int) -> bool:
        first, last = self._starts[index], self._ends[index]
        return _says(self._text, first, last, offset, self._syntax, index in self._strings)


def is_talk_alone(line: str, syntax: Syntax, offset: int) -> bool:
    """`Talk.is_talk` for a line without a sign of a block, whatever stands around it."""
    for token in syntax.tokens.finditer(line):
        first, last = token.span()
        if offset < last:
            is_token = line[first] != "#" or not first or line[first - 1] not in _IN_NAME
            return first <= offset and is_token and _says(line, first, last, offset, syntax, False)
    return False


def _says(text: str, first: int, last: int, offset: int, syntax: Syntax, is_string: bool) -> bool:
    """Whether a token is talk where `offset` is."""
    if not is_string:
        if text[first] not in _QUOTES:
            return True
        if syntax.quotes and _documents(text, first, last):
            return True
    begin, end = text.rfind("\n", 0, offset) + 1, text.find("\n", offset)
    part = text[max(first, begin) : min(last, end if end >= 0 else last)]
    return is_sentence(part.strip(" \t\"'`"))


def _begins_inside(text: str, syntax: Syntax) -> tuple[int, bool]:
    """Where a comment or string ends that began before the text (0 if none did); is it a string?

    A string of several lines may be documentation or SQL: its lines are judged one by one.
    """
    end = text.find(syntax.end) if syntax.end else -1
    if end >= 0 and not 0 <= text.find(syntax.start) < end:
        for token in syntax.tokens.finditer(text):
            if token[0] == syntax.end:
                return token.end(), False
    found = [(at, quote) for quote in syntax.quotes if (at := text.find(quote)) > -1]
    if not found:
        return 0, False
    at, quote = min(found)
    end = at + len(quote) if _closes(text, at, at + len(quote)) else 0
    return end, bool(end)


def needs_surroundings(text: str, syntax: Syntax) -> bool:
    """Whether what a line of `text` is can hang on other lines."""
    return any(block in text for block in syntax.blocks)


_PLACEHOLDER = re.compile(r"[#$%]?\{[^{}]*\}|%[\w.]{1,8}|\$\w+")
_WORD = re.compile(r"[\"'(]?[A-Za-z][a-z]*(?:['’-][a-z]+)?[\"')]?[.,:;!?…]*")
_SMALL = frozenset(
    [
        "the",
        "a",
        "an",
        "to",
        "of",
        "is",
        "are",
        "was",
        "were",
        "this",
        "that",
        "these",
        "they",
        "their",
        "will",
        "be",
        "been",
        "should",
        "must",
        "may",
        "can",
        "can't",
        "cannot",
        "could",
        "not",
        "it",
        "its",
        "has",
        "have",
        "had",
        "you",
        "your",
        "we",
        "our",
        "for",
        "with",
        "from",
        "by",
        "on",
        "in",
        "or",
        "and",
        "if",
        "when",
        "while",
        "no",
    ]
)
_STATEMENT = re.compile(
    r"(?i)^\W*(?:select\b.*\bfrom\b|insert\s+into\b|update\s+\S+\s+set\b|delete\s+from\b"
    r"|(?:create|alter|drop|rename|truncate|grant|revoke|comment)\s+(?:\w+\s+){0,3}"
    r"(?:table|index|view|column|type|schema|sequence|trigger|function|role|user|on)\b"
    r"|with\s+\w+\s+as\b|(?:left|inner|right|outer|cross)?\s*join\s+\S+\s+on\b|where\b.*[=<>?]"
    r"|add\s+(?:column|constraint)\b)"
)


@lru_cache(maxsize=1024)
def is_sentence(text: str) -> bool:
    """Whether a string is for people: several words as one writes them, and no statement of SQL.

    `charge.refunded` and `openid profile` are names that programs read; `Invalid password` and
    `the charge was refunded` are not.
    """
    parts = _PLACEHOLDER.sub(" ", text).split()
    if len(parts) < 2 or _STATEMENT.search(text):
        return False
    words = [part for part in parts if _WORD.fullmatch(part)]
    if len(words) < 2 or len(words) < 0.7 * len(parts):
        return False
    capital = words[0].lstrip("\"'(")[:1].isupper()
    small = any(word.rstrip(".,:;!?").lower() in _SMALL for word in words)
    return capital or small or len(words) > 4


_OPENERS = ("(", ",", "=", "[", "{", "+", "%", "\\", "return", "yield", "await", "in")


def _documents(text: str, first: int, last: int) -> bool:
    """Whether a string stands alone as a statement, or behind an attribute for documentation."""
    line = text.rfind("\n", 0, first) + 1
    before = text[line:first].strip()
    if before.lower() not in ("", "r", "u", "b", "f", "rb", "br"):
        return before.startswith(("@doc", "@moduledoc", "@typedoc", "@shortdoc"))
    after = text[last : text.find("\n", last) if "\n" in text[last:] else len(text)].strip()
    if after and not after.startswith("#"):
        return False
    previous = text[:line].rstrip().rpartition("\n")[2].split("#")[0].rstrip()
    return not previous.endswith(_OPENERS)


def _closes(text: str, first: int, last: int) -> bool:
    """Whether the first quotes of a text end a string that began before it."""
    line = text.rfind("\n", 0, first) + 1
    before = text[line:first].rstrip()
    if before.strip():
        opens = before.endswith((*_OPENERS, ":", "@doc", "@moduledoc", "@typedoc", "<>"))
        return not opens and before.strip().lower() not in (
            "r",
            "u",
            "b",
            "f",
            "rb",
            "br",
            "fr",
            "rf",
        )
    after = text[last:].partition("\n")[0].strip()
    if after and after[:1] not in ").,%]}":
        return False  # text behind it: a docstring begins
    previous = text[:line].rstrip()
    last_line = previous.rpartition("\n")[2].lstrip()
    opens = not previous or last_line.startswith("#") or previous.endswith((*_OPENERS, ":"))
    return after != "" or not opens

"""Path patterns as git's attributes take them, compiled to RE2: linear time whatever they hold.

Unlike an ignore pattern, one here never reaches below a directory that it names: `docs` is a file
called docs, `docs/**` is what lies in it.
"""

import re
from collections.abc import Callable
from functools import lru_cache

_PART = re.compile(
    r"(?P<into>(?:^|(?<=/))\*\*/)|(?P<below>(?<=/)\*\*$)|(?P<any>\*+)|(?P<one>\?)"
    r"|(?P<set>\[[!^]?\]?(?:\[:[a-z]+:\]|\\.|[^\]\\])*\])|\\(?P<escaped>.)|(?P<plain>.)",
    re.DOTALL,
)
_WILD = {"into": "(?:.*/)?", "below": ".+", "any": "[^/]*", "one": "[^/]"}


@lru_cache(maxsize=4096)
def matcher(*patterns: str) -> Callable[[str], bool]:
    """Tells whether a path matches any of the patterns; never, if one is not well formed.

    A pattern without a slash is for a file's name in any directory, one with a slash for its path
    from the root; `*` and `?` stop at slashes, `**/` stands for any directories.
    """
    import re2  # 10 ms, for those who match

    options = re2.Options()
    options.dot_nl, options.log_errors, options.never_capture = True, False, True
    sources = [source for source in map(_source, patterns) if source]
    if not sources:
        return lambda path: False
    try:
        found = re2.compile("|".join(sources), options)
    except re2.error:
        return lambda path: False
    return lambda path: found.fullmatch(path) is not None


def _source(pattern: str) -> str:
    """The pattern as a regular expression; empty where it can't match any file."""
    if pattern.endswith("/") or not pattern:
        return ""
    anywhere = "" if "/" in pattern else "(?:.*/)?"
    return anywhere + "".join(map(_translated, _PART.finditer(pattern.removeprefix("/"))))


def _translated(part: re.Match[str]) -> str:
    kind, text = str(part.lastgroup), part[0]
    if kind in _WILD:
        return _WILD[kind]
    if kind == "set":
        inside = text[1:-1]
        negated = inside[:1] in ("!", "^")
        members = inside[1:] if negated else inside
        members = re.sub(r"\\(.)", lambda escape: re.escape(escape[1]), members)
        if members.startswith("]"):
            members = "\\" + members
        return f"[{'^/' if negated else ''}{members}]"
    return re.escape(part["escaped"] or text)

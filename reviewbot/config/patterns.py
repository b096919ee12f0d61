"""The two pattern languages that people write: RE2 for lines, gitignore's for paths."""

import re
from functools import lru_cache
from typing import Any, NamedTuple


def options(*, case_sensitive: bool = True) -> Any:
    """RE2 options: a match never spans lines, groups are not told apart (which would take RE2's
    slower engines), nothing is written to standard error."""
    import re2  # 0.03 s to import; most policies have no pattern

    made = re2.Options()
    made.log_errors, made.never_nl, made.case_sensitive = False, True, case_sensitive
    made.never_capture = True
    return made


def per_line(pattern: str) -> str:
    """The pattern with ^ and $ as the ends of a line."""
    return f"(?m){pattern}"


@lru_cache(maxsize=2048)
def compile_pattern(pattern: str, *, case_sensitive: bool = True) -> Any:
    """A compiled pattern in which ^ and $ are the ends of a line. Raises re2.error."""
    import re2  # as above

    return re2.compile(per_line(pattern), options(case_sensitive=case_sensitive))


class PathExpression(NamedTuple):
    """A gitignore-style path pattern, translated."""

    include: bool
    """False for an entry that begins with `!`."""
    regex: str


@lru_cache(maxsize=2048)
def path_expression(pattern: str) -> PathExpression | None:
    """What a gitignore-style pattern means; None for one that matches nothing (a comment).

    Raises ValueError for what is no such pattern.
    """
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern  # 0.14 s to import

    try:
        parsed = GitIgnoreSpecPattern(pattern)
    except re.error as error:  # as of `[z-a]`, which it hands on as it is
        raise ValueError(f"not a path pattern: {error}") from None
    if parsed.include is None or parsed.regex is None:
        return None
    return PathExpression(parsed.include, str(parsed.regex.pattern))

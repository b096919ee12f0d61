"""Pull requests that the policy leaves unreviewed: routed only."""

from collections.abc import Iterable, Sequence

from reviewbot.config.patterns import compile_pattern
from reviewbot.config.policy import Policy


def ignored(
    policy: Policy,
    *,
    author: str = "",
    labels: Sequence[str] = (),
    branch: str = "",
    title: str = "",
) -> str:
    """Why a pull request is only routed, in words; empty: it is reviewed.

    The caller honours it only where no rule flags the change: a risky change is always reviewed.
    """
    checks: tuple[tuple[str, tuple[str, ...], Sequence[str]], ...] = (
        ("author", policy.ignore.authors, (author,)),
        ("label", policy.ignore.labels, labels),
        ("branch", policy.ignore.branches, (branch,)),
        ("title", policy.ignore.titles, (title,)),
    )
    for noun, wildcards, values in checks:
        if hit := _first(wildcards, values):
            return f"{noun} {hit[:100]} is on the policy's ignore list"
    return ""


def _first(wildcards: Iterable[str], values: Sequence[str]) -> str:
    """The first value that a wildcard matches whole; case is ignored, only `*` is special."""
    for wildcard in wildcards:
        parts = (_literal(part) for part in wildcard.split("*"))
        pattern = compile_pattern("^" + ".*".join(parts) + "$", case_sensitive=False)
        for value in values:
            if value and pattern.search(" ".join(value.split())):
                return value
    return ""


def _literal(text: str) -> str:
    # re2 costs 0.03 s to import, and is there already
    import re2

    return str(re2.escape(text))

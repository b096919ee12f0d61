"""What analysers say of a change: findings of their own, and evidence in a model's prompt."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from reviewbot.change.model import Change, Side, Sources
from reviewbot.review.answer import Category, Severity


@dataclass(frozen=True)
class Evidence:
    """One analyser's remark on a changed line."""

    path: str
    line: int
    end_line: int
    side: Side
    tool: str
    rule: str
    severity: Severity
    category: Category
    title: str
    body: str


@dataclass(frozen=True)
class Analysis:
    """What all analysers found, who ran, and who could not."""

    evidence: tuple[Evidence, ...] = ()
    ran: tuple[str, ...] = ()
    """Tools that ran, in the order of the table in docs."""
    notices: tuple[str, ...] = ()
    """A missing or failed tool, once each, with how to get it."""
    paths: frozenset[str] = frozenset()
    """Files that at least one tool read."""


class Analyzers(Protocol):
    """Runs every analyser there is over a change; never runs or reads the repository's own config."""

    def analyze(
        self, change: Change, sources: Sources, *, skip: Collection[str] = (), sql_dialect: str = ""
    ) -> Analysis:
        """All remarks on added lines of the files whose path is not in `skip`."""
        ...

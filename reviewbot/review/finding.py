"""Findings and coverage: what a review says, and of which files."""

from dataclasses import dataclass
from enum import StrEnum

from reviewbot.change.model import Side
from reviewbot.review.answer import Category, Severity


@dataclass(frozen=True)
class Finding:
    """One remark with its proved place, or with the reason why it has none."""

    path: str
    line: int | None
    """First line, on `side`; None if unanchored."""
    end_line: int | None
    """Last line, on `side`; equal to `line` for one line."""
    side: Side
    severity: Severity
    category: Category
    title: str
    body: str
    quote: str
    """The code it is about: the text of the anchored lines, else what the model quoted."""
    confidence: float
    engine: str
    """`claude`, `openai`, `llama`, or an analyser's own name (`ruff`, `squawk` …)."""
    suggestion: str | None = None
    """Replacement of lines `line` to `end_line`; only if it applies cleanly."""
    anchored: bool = True
    unanchored_reason: str = ""
    """Why it has no place in the diff: such a finding goes to the summary."""
    rule: str = ""
    """An analyser's rule id."""
    agreed: tuple[str, ...] = ()
    """Other engines that said the same."""
    opinion: str = ""
    """What came of a second opinion: `confirmed by claude`, `corrected by claude`."""
    passes: tuple[int, int] | None = None
    """In how many of how many passes it was made; None where there was one."""
    scripted: bool = False
    """From a hand-written answer of a demonstration."""
    fingerprint: str = ""
    model: str = ""
    """The model that was asked; empty for an analyser."""


class CoverageStatus(StrEnum):
    FULL = "full"
    PARTIAL = "partial"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Coverage:
    """How far one file was reviewed."""

    path: str
    status: CoverageStatus
    engine: str
    """Who read it: `claude`, `openai`, `llama`, `analyzers (no model)`, or `none`."""
    reason: str = ""
    """Why it was not read in full, or not by the tier that the route asked for."""

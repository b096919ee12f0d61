"""A finished review: everything that is printed, posted and stored of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from reviewbot.change.model import Change
from reviewbot.costs.budget import Spending
from reviewbot.costs.calls import Call
from reviewbot.costs.money import decimal_text
from reviewbot.costs.summary import CostSummary
from reviewbot.privacy.egress import EgressEntry
from reviewbot.publishing.life import Life
from reviewbot.publishing.rounds import Progress, Round
from reviewbot.review.already import edits_read
from reviewbot.review.answer import Severity
from reviewbot.review.finding import Coverage, CoverageStatus, Finding
from reviewbot.review.regret import PURPOSE, Regret
from reviewbot.routing.model import Match, Route

#: Version of the JSON form; raised when a key changes its meaning or goes away.
SCHEMA = 1


@dataclass(frozen=True)
class Review:
    """One run on one head."""

    id: str
    change: Change
    route: Route
    findings: tuple[Finding, ...]
    """Those that no earlier review has said."""
    coverage: tuple[Coverage, ...]
    """One entry for each file of the change, in its order."""
    calls: tuple[Call, ...]
    cost: CostSummary
    created_at: datetime
    egress: tuple[EgressEntry, ...] = ()
    walkthrough: tuple[str, ...] = ()
    """What the change does, a short text for each unit."""
    attention: tuple[str, ...] = ()
    """What must not be overlooked: risky files unread, failed engines."""
    notes: tuple[str, ...] = ()
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Findings not shown, by reason."""
    left_alone: str = ""
    """Why the change was routed only, though nothing failed: a draft, or ignored by policy."""
    worst: Severity | None = None
    """Of all findings, also those that the policy does not show."""
    spending: Spending | None = None
    """What is spent with this review, for its pull request and month; None where nothing was read."""
    held: str = ""
    """Why it waits for a person: the budget is used up, and the policy wants no lesser review."""
    regret: Regret | None = None
    """What Claude found and the local model did not; None unless both have read all of it."""
    strategy: str = ""
    """How it was read: `claude`, `local+verify` …; empty where no model was to read anything."""
    progress: Progress = field(default_factory=Progress)
    """How the pull request stands, with what earlier reviews of it have found."""

    @property
    def open(self) -> tuple[Finding, ...]:
        """All findings that are open: those of this review, then of earlier ones."""
        return (*self.findings, *(life.finding for life in self.progress.open))

    @property
    def scripted(self) -> bool:
        """Some answer was written by hand, for a demonstration."""
        return any(call.scripted for call in self.calls)

    @property
    def regret_usd(self) -> Decimal:
        """What Claude's reading for the comparison cost; reserves without an answer count."""
        usd = (call.usd for call in self.calls if call.start.purpose == PURPOSE)
        return sum(usd, Decimal(0))

    @property
    def complete(self) -> bool:
        """Every file that the route sends to a model was read in full by one that it allows."""
        return (
            not self.attention
            and not self.left_alone
            and all(
                entry.status is CoverageStatus.FULL or entry.engine == "none"
                for entry in self.coverage
            )
        )


def round_of(review: Review) -> Round:
    """The line of history that a review becomes."""
    progress, read = review.progress, review.progress.read_at(review.change.head)
    return Round(
        head=review.change.head or "",
        at=review.created_at,
        hunks=edits_read(read),
        files=len(read),
        new=len(review.findings),
        fixed=len(progress.fixed),
        open=len(review.open),
        usd=review.cost.total_usd,
    )


def review_json(review: Review) -> dict[str, Any]:
    """The review as `--format json` prints it: plain types, USD as decimal strings."""
    change = review.change
    return {
        "schema": SCHEMA,
        "id": review.id,
        "created_at": review.created_at.isoformat(),
        "change": {
            "repository": change.repository,
            "number": change.number,
            "title": change.title,
            "base": change.base,
            "head": change.head,
            "files": len(change.files),
            "added": sum(file.added_count for file in change.files),
            "removed": sum(file.removed_count for file in change.files),
            "missing_files": change.missing_files,
        },
        "route": route_json(review.route),
        "strategy": review.strategy,
        "walkthrough": list(review.walkthrough),
        "findings": [_finding(finding) for finding in review.findings],
        "dropped": dict(review.dropped),
        "worst": review.worst,
        "coverage": [
            {"path": c.path, "status": c.status, "engine": c.engine, "reason": c.reason}
            for c in review.coverage
        ],
        "calls": [call.to_json() for call in review.calls],
        "cost": review.cost.to_json(),
        "spending": review.spending.to_json() if review.spending else None,
        "egress": [
            {"path": e.path, "bytes": e.bytes, "redactions": e.redactions} for e in review.egress
        ],
        "attention": list(review.attention),
        "notes": list(review.notes),
        "held": review.held,
        "regret": _regret(review),
        "round": review.progress.number,
        "still_open": [_life(life) for life in review.progress.open],
        "fixed": [_life(life) for life in review.progress.fixed],
        "scripted": review.scripted,
        "complete": review.complete,
    }


def _regret(review: Review) -> dict[str, Any] | None:
    if review.regret is None:
        return None
    return {**review.regret.to_json(), "usd": decimal_text(review.regret_usd)}


def _life(life: Life) -> dict[str, Any]:
    return {**_finding(life.finding), "since": life.since}


def route_json(route: Route) -> dict[str, Any]:
    """The route as `reviewbot route --format json` prints it."""
    return {
        "tier": route.tier,
        "areas": list(route.areas),
        "certainty": route.certainty,
        "scores": dict(route.scores),
        "why": route.why,
        "reasons": _reasons(route.reasons),
        "files": [
            {
                "path": file.path,
                "kind": file.kind,
                "tier": file.tier,
                "areas": list(file.areas),
                "why": file.why,
                "reasons": _reasons(file.reasons),
            }
            for file in route.files
        ],
        "notes": list(route.notes),
    }


def _reasons(matches: Sequence[Match]) -> list[dict[str, Any]]:
    return [
        {
            "rule": m.rule,
            "area": m.area,
            "path": m.path,
            "line": m.line,
            "side": m.side,
            "why": m.why,
            "weight": m.weight,
        }
        for m in matches
    ]


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "path": finding.path,
        "line": finding.line,
        "end_line": finding.end_line,
        "side": finding.side,
        "severity": finding.severity,
        "category": finding.category,
        "title": finding.title,
        "body": finding.body,
        "quote": finding.quote,
        "suggestion": finding.suggestion,
        "confidence": finding.confidence,
        "engine": finding.engine,
        "model": finding.model or None,
        "agreed": list(finding.agreed),
        "opinion": finding.opinion,
        "passes": list(finding.passes) if finding.passes else None,
        "rule": finding.rule,
        "fingerprint": finding.fingerprint,
        "anchored": finding.anchored,
        "unanchored_reason": finding.unanchored_reason,
        "scripted": finding.scripted,
    }

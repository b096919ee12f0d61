"""Which findings are shown: duplicates merged, the worst first, capped by the policy."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from reviewbot.review.answer import Severity
from reviewbot.review.finding import Finding


@dataclass(frozen=True)
class Selection:
    """What is shown, and how much is not, by reason."""

    findings: tuple[Finding, ...]
    dropped: Mapping[str, int] = field(default_factory=dict)
    """`merged`, `below severity`, `over the limit` → how many."""


def select(findings: Iterable[Finding], *, min_severity: Severity, max_findings: int) -> Selection:
    """Merge, rank and cap. Order of the input does not matter."""
    ranked = sorted(findings, key=_order)
    kept: list[Finding] = []
    dropped: Counter[str] = Counter()
    for finding in ranked:
        twin = next((i for i, other in enumerate(kept) if _same(other, finding)), None)
        if twin is not None:
            kept[twin] = _merged(kept[twin], finding)
            dropped["merged"] += 1
        elif finding.severity.rank > min_severity.rank:
            dropped["below severity"] += 1
        else:
            kept.append(finding)
    if len(kept) > max_findings:
        dropped["over the limit"] = len(kept) - max_findings
    return Selection(tuple(kept[:max_findings]), dict(dropped))


def _order(finding: Finding) -> tuple[int, bool, float, str, int, str, str]:
    return (
        finding.severity.rank,
        not finding.anchored,
        -finding.confidence,
        finding.path,
        finding.line or 0,
        finding.title,
        finding.engine,
    )


def _same(one: Finding, other: Finding) -> bool:
    """Two remarks on one thing: overlapping lines and one category, or nearly one title."""
    if one.path != other.path or one.anchored != other.anchored:
        return False
    alike = _alike(one.title, other.title)
    if not one.anchored:
        return alike >= 0.6
    overlap = _lines(one) & _lines(other)
    if one.side != other.side or not overlap:
        return False
    return alike >= 0.5 or (one.category == other.category and alike >= 0.2)


def _lines(finding: Finding) -> set[int]:
    return set(range(finding.line or 0, (finding.end_line or 0) + 1))


def _alike(one: str, other: str) -> float:
    """Jaccard index of the titles' words."""
    a, b = ({word.strip(".,:;`'\"()") for word in text.lower().split()} for text in (one, other))
    return len(a & b) / len(a | b) if a | b else 1.0


def _merged(kept: Finding, other: Finding) -> Finding:
    names = {kept.engine, *kept.agreed, other.engine, *other.agreed} - {kept.engine}
    return replace(
        kept,
        agreed=tuple(sorted(names)),
        confidence=max(kept.confidence, other.confidence),
        suggestion=kept.suggestion
        or (
            other.suggestion if (kept.line, kept.end_line) == (other.line, other.end_line) else None
        ),
    )

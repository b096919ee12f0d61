"""Which findings are shown: duplicates merged, the worst first, capped by the policy."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from reviewbot.review.answer import Severity
from reviewbot.review.finding import Finding

#: Findings that are compared with each other for one file: more are no review but an attack.
MAX_PER_FILE = 200


@dataclass(frozen=True)
class Selection:
    """What is shown, and how much is not, by reason."""

    findings: tuple[Finding, ...]
    dropped: Mapping[str, int] = field(default_factory=dict)
    """`merged`, `below severity`, `over the limit` → how many."""
    worst: Severity | None = None
    """Of all findings, also those that are not shown."""


def select(findings: Iterable[Finding], *, min_severity: Severity, max_findings: int) -> Selection:
    """Merge, rank and cap. Order of the input does not matter."""
    ranked = sorted(findings, key=_order)
    dropped: Counter[str] = Counter()
    kept: list[Finding] = []
    for finding in sorted(_merged(ranked, dropped), key=_order):
        if finding.severity.rank > min_severity.rank:
            dropped["below severity"] += 1
        elif len(kept) == max_findings:
            dropped["over the limit"] += 1
        else:
            kept.append(finding)
    return Selection(tuple(kept), dict(dropped), ranked[0].severity if ranked else None)


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


def _merged(ranked: Iterable[Finding], dropped: Counter[str]) -> Iterable[Finding]:
    """One of each group of twins: the first, with what the others add."""
    groups: dict[tuple[str, bool, str], list[tuple[Finding, frozenset[str]]]] = defaultdict(list)
    for finding in ranked:
        words = _words(finding.title)
        group = groups[finding.path, finding.anchored, finding.side]
        for index, (other, others_words) in enumerate(group):
            if _same(other, others_words, finding, words):
                group[index] = _joined(other, finding), others_words
                dropped["merged"] += 1
                break
        else:
            if len(group) < MAX_PER_FILE:
                group.append((finding, words))
            else:
                dropped["over the limit"] += 1
    return (finding for group in groups.values() for finding, _ in group)


def same_remark(one: Finding, other: Finding) -> bool:
    """Whether both say one thing of one place, as twins do."""
    places = [(each.path, each.anchored, each.side) for each in (one, other)]
    return places[0] == places[1] and _same(one, _words(one.title), other, _words(other.title))


def _words(title: str) -> frozenset[str]:
    return frozenset(word.strip(".,:;`'\"()") for word in title.lower().split())


def _same(one: Finding, one_words: frozenset[str], other: Finding, words: frozenset[str]) -> bool:
    """Two remarks on one thing: overlapping lines and one category, or nearly one title."""
    if one.anchored and (
        (one.line or 0) > (other.end_line or 0) or (other.line or 0) > (one.end_line or 0)
    ):
        return False
    union = one_words | words
    alike = len(one_words & words) / len(union) if union else 1.0
    if not one.anchored:
        return alike >= 0.6
    return alike >= 0.5 or (one.category == other.category and alike >= 0.2)


def _joined(kept: Finding, other: Finding) -> Finding:
    names = {kept.engine, *kept.agreed, other.engine, *other.agreed} - {kept.engine}
    same_lines = (kept.line, kept.end_line) == (other.line, other.end_line)
    return replace(
        kept,
        agreed=tuple(sorted(names)),
        confidence=max(kept.confidence, other.confidence),
        suggestion=kept.suggestion or (other.suggestion if same_lines else None),
    )

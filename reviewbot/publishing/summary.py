"""A review as one Markdown text: for a pull request, a job summary or a file."""

from collections.abc import Collection, Mapping, Sequence
from html import escape
from types import MappingProxyType

from reviewbot.publishing import figures
from reviewbot.publishing.findings import findings_markdown, heading
from reviewbot.publishing.history import bounded, earlier_lines, folded, history
from reviewbot.publishing.markdown import inline_code, safe_line, safe_markdown, table_cell
from reviewbot.publishing.result import Review
from reviewbot.publishing.rounds import LOUD
from reviewbot.publishing.spending import cost_table
from reviewbot.review.finding import Coverage, Finding
from reviewbot.routing.model import FileRoute, Match, Route
from reviewbot.routing.wording import plural

#: GitHub takes 65 536 characters in a comment and 65 535 in a check run; some are left for what a
#: publisher adds.
LIMIT = 65_000
#: Most characters of a part, so that no part can push out another. Findings, then coverage, get
#: what is left.
_ATTENTION, _WHY, _WALKTHROUGH, _NOTES, _COVERAGE = 6_000, 8_000, 5_000, 4_000, 12_000
_EARLIER, _HISTORY = 8_000, 3_000
#: Tables of more rows are folded.
_FOLDED = 10


def summary_markdown(
    review: Review,
    *,
    inline: Collection[Finding] = (),
    links: Mapping[str, str] = MappingProxyType({}),
    limit: int = LIMIT,
) -> str:
    """The whole review in at most `limit` characters; what is folded says so.

    Findings that stand `inline`, in comments on their lines, are named in one line each; so are
    those of earlier reviews, with the `links` to their comments by their ids.
    """
    before = [
        f"## reviewbot: {figures.verdict(review)}",
        *_alerts(review),
        _about(review),
    ]
    after = [
        _why(review.route, _WHY),
        _cost(review),
        f"**Egress:** {figures.egress_line(review)}.",
        _walkthrough(review),
        _notes(review),
        history(review, _HISTORY),
    ]
    earlier = earlier_lines(review, links, _EARLIER)
    used = sum(len(part) + 2 for part in [*before, earlier, *after])
    findings = _findings(review, limit - used - _COVERAGE, inline)
    coverage = _coverage(review.coverage, limit - used - len(findings))
    parts = [*before, findings, earlier, after[0], coverage, *after[1:]]
    return "\n\n".join(part for part in parts if part) + "\n"


def route_markdown(route: Route) -> str:
    """Only the decision, as `reviewbot route --format markdown` prints it."""
    rows = [
        f"| {_code(file.path)} | {file.kind} | {file.tier} | {table_cell(safe_line(_because(file)))} |"
        for file in route.files
    ]
    head = "| File | Kind | Goes to | Why |\n|---|---|---|---|"
    table = _table(head, rows, LIMIT - 2 * _WHY, figures.tiers_line(route))
    return f"## Route: {route.tier}\n\n{_why(route, _WHY, title=False)}\n\n### Files\n\n{table}\n"


def _alerts(review: Review) -> list[str]:
    """What must be seen first, as GitHub's alerts."""
    alerts = []
    if review.scripted:
        alerts.append(f"> [!IMPORTANT]\n> **{figures.scripted_line(review)}**")
    lines = [f"> - {safe_line(_cut(line, 500))}" for line in review.attention]
    if not review.complete and not lines:
        lines = ["> - Not every file was read in full; see the coverage."]
    if lines:
        alerts.append("> [!WARNING]\n" + bounded(lines, _ATTENTION, "> - … and {} more"))
    return alerts


def _about(review: Review) -> str:
    parts = (
        [f"**{safe_line(_cut(review.change.title, 300))}**"] if review.change.title.strip() else []
    )
    parts += [inline_code(_cut(part, 300)) for part in figures.place_of(review)]
    return " · ".join([*parts, figures.scale(review)])


def _findings(review: Review, limit: int, inline: Collection[Finding]) -> str:
    dropped = figures.dropped_line(review)
    if not review.findings:
        return f"{dropped[:1].upper()}{dropped[1:]}." if dropped else ""
    listed = [each for each in review.findings if _is_only_listed(each, review)]
    placed = [
        each
        for each in review.findings
        if each.anchored and each not in inline and each not in listed
    ]
    loose = [finding for finding in review.findings if not finding.anchored]
    parts = ["### Findings"]
    if shown := [f"- {heading(each)}" for each in review.findings if each in inline]:
        parts.append("**In comments on their lines**")
        parts.append(bounded(shown, limit // 3, "- … and {} more"))
        limit -= sum(len(part) + 2 for part in parts)
    if listed:
        parts.append(_listed(listed, review, limit // 4))
        limit -= len(parts[-1]) + 2
    if placed:
        parts.append(
            findings_markdown(placed, review.change, limit - min(limit // 3, 3_000 * len(loose)))
        )
    if loose:
        parts.append("**Without a place in the diff**")
        room = limit - sum(len(part) + 2 for part in parts) - len(dropped) - 10
        parts.append(findings_markdown(loose, review.change, room))
    if dropped:
        parts.append(f"{dropped}.")
    return "\n\n".join(parts)


def _is_only_listed(finding: Finding, review: Review) -> bool:
    return finding.anchored and not review.progress.is_loud(finding)


def _listed(findings: Sequence[Finding], review: Review, limit: int) -> str:
    """Findings that get no comment any more, folded."""
    title = (
        f"{plural(len(findings), 'finding')} below {LOUD}: only listed, not on lines,"
        f" in round {review.progress.number}"
    )
    return folded(title, [f"- {heading(each)}" for each in findings], limit)


def _why(route: Route, limit: int, *, title: bool = True) -> str:
    parts = ["### Why it went where it went"] if title else []
    unsure = " (uncertain)" if route.certainty == "uncertain" else ""
    parts.append(f"**{route.tier}**{unsure}: {safe_line(_cut(figures.why_line(route), 1_500))}")
    if route.reasons:
        rows = [
            f"| {table_cell(safe_line(m.area))} | {_code(_place(m))} | {table_cell(safe_line(m.why))} "
            f"| {_code(m.rule)} | {m.weight:g} |"
            for m in route.reasons
        ]
        head = "| Area | Where | Why | Rule | Weight |\n|---|---|---|---|---|"
        parts.append(_table(head, rows, limit // 2, f"{plural(len(rows), 'reason')}"))
    notes = [f"- {safe_line(_cut(note, 300))}" for note in route.notes]
    if notes:
        parts.append(bounded(notes, limit // 4, "- … and {} more"))
    return "\n\n".join(parts)


def _place(match: Match) -> str:
    place = f"{match.path}:{match.line}" if match.line else match.path
    return place + (" (removed)" if match.side == "LEFT" and match.line else "")


def _because(file: FileRoute) -> str:
    return "; ".join(
        dict.fromkeys([*([file.why] if file.why else []), *(m.why for m in file.reasons[:3])])
    )


def _coverage(coverage: Sequence[Coverage], limit: int) -> str:
    line = figures.coverage_line(coverage)
    if not coverage:
        return ""
    rows = [
        f"| {_code(path)} | {status} | {table_cell(safe_line(engine))} | {table_cell(safe_line(reason))} |"
        for (status, engine, reason), paths in figures.coverage_groups(coverage).items()
        for path in paths
    ]
    head = "| File | Read | By | Why |\n|---|---|---|---|"
    return f"### Coverage\n\n{safe_line(line)}.\n\n" + _table(
        head, rows, limit - 6 * len(line) - 30, line
    )


def _cost(review: Review) -> str:
    rows = [
        f"| {f'**{row.what}**' if row.what == 'Total' else row.what} | {row.usd} | {table_cell(safe_line(_cut(row.how, 400)))} |"
        for row in cost_table(review)
    ]
    head = f"| | {'Would cost' if review.scripted else 'USD'} | |\n|---|---|---|"
    return f"### {figures.cost_title(review)}\n\n" + "\n".join([head, *rows])


def _walkthrough(review: Review) -> str:
    texts = [text for text in map(safe_markdown, review.walkthrough) if text]
    if not texts:
        return ""
    return "### Walkthrough\n\n" + bounded(texts, _WALKTHROUGH, "… and {} more parts", joint="\n\n")


def _notes(review: Review) -> str:
    """Notes of the source, the engines and the analysers; the route's stand with the route."""
    own = [note for note in dict.fromkeys(review.notes) if note not in review.route.notes]
    if not own:
        return ""
    lines = [f"- {safe_line(_cut(note, 400))}" for note in own]
    return "### Notes\n\n" + bounded(lines, _NOTES, "- … and {} more")


def _table(head: str, rows: Sequence[str], limit: int, summary: str) -> str:
    """A table of at most `limit` characters, folded where it is long."""
    if len(rows) <= _FOLDED:
        return head + "\n" + bounded(rows, limit, "\n… and {} more rows do not fit here.")
    shown = bounded(rows, limit - len(head) - 100, "\n… and {} more rows do not fit here.")
    return f"<details><summary>{escape(summary)}</summary>\n\n{head}\n{shown}\n\n</details>"


def _cut(text: str, limit: int) -> str:
    """Text before it is made Markdown: half a code span would set free what it holds."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _code(text: str) -> str:
    """A cell of code."""
    return table_cell(inline_code(text))

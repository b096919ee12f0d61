"""Findings as Markdown: as many in full as there is room for, then one line each, then a count."""

from collections.abc import Sequence

from reviewbot.change.model import Change
from reviewbot.publishing.excerpt import ExcerptLine, excerpt, replaced
from reviewbot.publishing.figures import engine_label
from reviewbot.publishing.markdown import fenced_code, inline_code, safe_line, safe_markdown
from reviewbot.review.finding import Finding
from reviewbot.routing.wording import plural


def findings_markdown(findings: Sequence[Finding], change: Change, limit: int) -> str:
    """The findings, worst first, in at most `limit` characters (with room for the lines that say
    what was folded)."""
    room = limit - 200
    lines: list[str] = []
    for finding in findings:
        line = "- " + heading(finding)
        if len(line) + 1 > room:
            break
        lines.append(line)
        room -= len(line) + 1
    shown: list[str] = []
    for finding, line in zip(findings, lines, strict=False):
        text = one(finding, change)
        if len(text) - len(line) + 1 > room:
            break
        shown.append(text)
        room -= len(text) - len(line) + 1
    parts = ["\n\n".join(shown)] if shown else []
    if rest := lines[len(shown) :]:
        parts.append(f"Only by their titles, to stay within the length of a comment ({len(rest)}):")
        parts.append("\n".join(rest))
    if left := len(findings) - len(lines):
        parts.append(f"… and {plural(left, 'finding')} more: they do not fit here.")
    return "\n\n".join(parts)


def heading(finding: Finding) -> str:
    """`**high** · `src/a.py:3` · title (engine, 0.90)`."""
    place = inline_code(place_text(finding))
    return f"**{finding.severity}** · {place} · {safe_line(finding.title)} ({safe_line(origin(finding))})"


def place_text(finding: Finding) -> str:
    """`src/a.py:3-5`, with the side where it is the old one; the path alone without a place."""
    if finding.line is None:
        return finding.path
    last = f"-{finding.end_line}" if finding.end_line not in (None, finding.line) else ""
    removed = " (removed)" if finding.side == "LEFT" else ""
    return f"{finding.path}:{finding.line}{last}{removed}"


def origin(finding: Finding) -> str:
    """Who says it, and how surely; an analyser is always sure and names its rule."""
    parts = [" ".join([engine_label(finding.engine), finding.rule]).rstrip()]
    if not finding.rule:
        parts.append(f"confidence {finding.confidence:.2f}")
    if finding.passes:
        parts.append("in {} of {} passes".format(*finding.passes))
    if finding.opinion:
        parts.append(finding.opinion)
    if others := [name for name in finding.agreed if not finding.opinion.endswith(f" {name}")]:
        parts.append("also " + ", ".join(others))
    if finding.scripted:
        parts.append("SCRIPTED")
    return ", ".join(parts)


def one(finding: Finding, change: Change) -> str:
    """One finding in full: where, the code, what goes wrong, and the suggestion as a diff."""
    parts = [heading(finding)]
    if not finding.anchored:
        parts.append(f"No place in the diff: {safe_line(finding.unanchored_reason)}.")
    if code := excerpt(finding, change):
        parts.append(fenced_code("\n".join(numbered(code)), "diff"))
    elif finding.quote and not finding.anchored:
        parts.append(fenced_code(finding.quote[:1_000]))
    parts.append(safe_markdown(finding.body))
    if finding.suggestion is not None:
        old = [f"-{line}" for line in replaced(finding, change)]
        new = [f"+{line}" for line in finding.suggestion.split("\n")]
        parts.append("Suggested change:\n\n" + fenced_code("\n".join([*old, *new]), "diff"))
    return "\n\n".join(part for part in parts if part)


def numbered(code: Sequence[ExcerptLine]) -> list[str]:
    """`+ 42 text`: the marker first, so that a reader of diffs colours the line."""
    width = max(len(str(line.number or "")) for line in code)
    return [f"{line.marker} {line.number or '':>{width}} {line.text}".rstrip() for line in code]

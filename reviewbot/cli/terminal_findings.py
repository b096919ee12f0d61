"""Findings as a person reads them at a terminal."""

from rich.text import Text

from reviewbot.change.model import Change
from reviewbot.cli.terminal_text import Page, clean, code_text
from reviewbot.publishing.excerpt import ExcerptLine, excerpt, replaced
from reviewbot.publishing.findings import origin, place_text
from reviewbot.review.answer import Severity
from reviewbot.review.finding import Finding

SEVERITY_STYLES = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "bold yellow",
    Severity.LOW: "bold cyan",
}
_MARKER_STYLES = {"+": "green", "-": "red", " ": ""}
#: Lines of a quote that has no place in the diff.
_QUOTE_LINES = 8


def print_finding(page: Page, finding: Finding, change: Change) -> None:
    """Where, what, the code around it, what goes wrong, and the suggestion as a diff."""
    page.blank()
    page.put(
        Text.assemble(
            (finding.severity.upper(), SEVERITY_STYLES[finding.severity]),
            " · ",
            (clean(place_text(finding)), "bold blue"),
            " · ",
            (clean(finding.title), "bold"),
            (f" ({clean(origin(finding))})", "dim"),
        ),
        hang=2,
    )
    if not finding.anchored:
        page.put(f"no place in the diff: {finding.unanchored_reason}", indent=2, style="dim")
    _code(page, finding, change)
    if finding.body.strip():
        page.prose(finding.body, indent=2)
    if finding.suggestion is not None:
        page.blank()
        page.put("suggested change:", indent=2, style="dim")
        for line in replaced(finding, change):
            page.code(Text(f"- {code_text(line)}", "red"), indent=4)
        for line in finding.suggestion.split("\n"):
            page.code(Text(f"+ {code_text(line)}", "green"), indent=4)


def _code(page: Page, finding: Finding, change: Change) -> None:
    lines = excerpt(finding, change)
    width = max((len(str(line.number or "")) for line in lines), default=0)
    page_lines = [_line(line, width) for line in lines]
    if not lines and not finding.anchored and finding.quote.strip():
        quoted = finding.quote.strip("\n").split("\n")[:_QUOTE_LINES]
        page_lines = [Text(f"| {code_text(line)}", "dim") for line in quoted]
    for text in page_lines:
        page.code(text, indent=2)
    if page_lines and finding.body.strip():
        page.blank()


def _line(line: ExcerptLine, width: int) -> Text:
    number = "" if line.number is None else str(line.number)
    return Text.assemble(
        (f"{'>' if line.hit else ' '} {number:>{width}} ", "bold" if line.hit else "dim"),
        (
            f"{line.marker} {code_text(line.text)}",
            _MARKER_STYLES[line.marker]
            if line.hit
            else f"dim {_MARKER_STYLES[line.marker]}".strip(),
        ),
    )

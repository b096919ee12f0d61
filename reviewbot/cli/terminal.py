"""What a person sees at a terminal. Only the modules `terminal*` know rich; commands that print
load them late."""

import os
import sys
from io import TextIOWrapper

from rich.console import Console
from rich.text import Text

from reviewbot.change.model import Change
from reviewbot.cli.terminal_findings import print_finding
from reviewbot.cli.terminal_progress import Progress
from reviewbot.cli.terminal_text import Page, clean
from reviewbot.publishing import figures
from reviewbot.publishing.result import Review
from reviewbot.publishing.spending import cost_table
from reviewbot.review.answer import Severity
from reviewbot.review.finding import CoverageStatus
from reviewbot.routing.model import FileRoute, Match, Route, Tier
from reviewbot.routing.wording import plural

__all__ = ["Progress", "print_review", "print_route", "stdout_console"]

#: Width where the output is no terminal and COLUMNS does not say, columns.
PIPED_WIDTH = 100
#: Most rows of the reasons and most paths of a group.
_REASONS, _PATHS = 12, 4
_TIER_STYLES = {Tier.CLAUDE: "bold magenta", Tier.LOCAL: "bold green", Tier.SKIP: "dim"}
_STATUS_STYLES = {
    CoverageStatus.FULL: "green",
    CoverageStatus.PARTIAL: "yellow",
    CoverageStatus.SKIPPED: "yellow",
}


def stdout_console() -> Console:
    """Standard output: colours on a terminal unless NO_COLOR is set, plain text in a pipe.

    A character that the output's encoding lacks is shown as `?`.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    fixed = not sys.stdout.isatty() and not os.environ.get("COLUMNS", "").isdigit()
    return _Piped(width=PIPED_WIDTH if fixed else None, markup=False, emoji=False, highlight=False)


class _Piped(Console):
    """A console whose reader may go away: `main` ends with 0 then, where rich would end with 1, which
    says that findings reach --fail-on."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def print_review(review: Review, console: Console) -> None:
    """The whole review; the verdict and the money stand last, where the eye rests."""
    page = Page(console)
    if not review.coverage and not review.change.missing_files:
        page.put(review.route.why)
        _alerts(page, review)
        return
    _header(page, review)
    _alerts(page, review)
    if any(text.strip() for text in review.walkthrough):
        page.heading("What it does")
        for text in review.walkthrough:
            page.prose(text, indent=2)
    _findings(page, review)
    page.heading("Why it went where it went")
    _route(page, review.route)
    _coverage(page, review)
    _notes(page, review)
    _cost(page, review)
    page.heading("Egress", figures.egress_line(review))
    _result(page, review)


def print_route(route: Route, change: Change, console: Console) -> None:
    """Only the decision: where the change goes, why, and each file."""
    page = Page(console)
    if change.title.strip():
        page.put(change.title, style="bold")
    _route(page, route, indent=0)
    page.heading("Files", figures.tiers_line(route))
    groups: dict[tuple[Tier, str, str], list[str]] = {}
    for file in route.files:
        groups.setdefault((file.tier, file.kind, _because(file)), []).append(file.path)
    page.table(
        [
            [Text(tier, _TIER_STYLES[tier]), kind, _paths(paths), why]
            for (tier, kind, why), paths in groups.items()
        ]
    )


def _header(page: Page, review: Review) -> None:
    page.put(review.change.title if review.change.title.strip() else "Review", style="bold")
    page.put(" · ".join([*figures.place_of(review), figures.scale(review)]), style="dim")


def _alerts(page: Page, review: Review) -> None:
    if review.scripted:
        page.blank()
        page.put(figures.scripted_line(review), style="bold black on yellow")
    if review.attention:
        page.blank()
        page.put("ATTENTION", style="bold white on red")
        for line in review.attention:
            page.put(f"! {line}", indent=2, hang=2, style="bold red")


def _findings(page: Page, review: Review) -> None:
    page.heading("Findings", figures.verdict(review))
    ranked = sorted(review.findings, key=lambda finding: finding.severity.rank)
    for finding in ranked:
        if finding.anchored:
            print_finding(page, finding, review.change)
    loose = [finding for finding in ranked if not finding.anchored]
    if loose:
        page.heading("Without a place in the diff")
    for finding in loose:
        print_finding(page, finding, review.change)
    if dropped := figures.dropped_line(review):
        page.blank()
        page.put(dropped, indent=2, style="dim")


def _route(page: Page, route: Route, indent: int = 2) -> None:
    unsure = " (uncertain)" if route.certainty == "uncertain" else ""
    text = Text.assemble(
        (route.tier.upper(), _TIER_STYLES[route.tier]),
        f"{unsure} · ",
        clean(figures.why_line(route)),
    )
    page.put(text, indent=indent, hang=2)
    page.table(
        [
            [f"{m.weight:+g}".replace("-", "−"), m.area, Text(clean(_place(m)), "blue"), m.why]
            for m in route.reasons[:_REASONS]
        ]
    )
    if len(route.reasons) > _REASONS:
        page.put(
            f"… and {plural(len(route.reasons) - _REASONS, 'reason')} more", indent=2, style="dim"
        )
    for note in route.notes:
        page.put(f"- {note}", indent=2, hang=2)


def _place(match: Match) -> str:
    removed = " (removed)" if match.side == "LEFT" else ""
    return f"{match.path}:{match.line}{removed}" if match.line else match.path


def _because(file: FileRoute) -> str:
    return file.why or "; ".join(dict.fromkeys(match.why for match in file.reasons[:3]))


def _coverage(page: Page, review: Review) -> None:
    page.heading("Coverage", figures.coverage_line(review.coverage))
    page.table(
        [
            [
                Text(status, _STATUS_STYLES[status]),
                "" if engine == "none" else engine,
                _paths(paths),
                why,
            ]
            for (status, engine, why), paths in figures.coverage_groups(review.coverage).items()
        ]
    )


def _paths(paths: list[str]) -> str:
    """All paths of a small group, else how many and the first ones."""
    if len(paths) <= _PATHS:
        return ", ".join(paths)
    return f"{len(paths)} files: {', '.join(paths[:2])} …"


def _notes(page: Page, review: Review) -> None:
    own = [note for note in dict.fromkeys(review.notes) if note not in review.route.notes]
    if own:
        page.heading("Notes")
    for note in own:
        page.put(f"- {note}", indent=2, hang=2)


def _cost(page: Page, review: Review) -> None:
    page.heading(figures.cost_title(review))
    rows = cost_table(review)
    page.table(
        [
            [Text(r.what, "bold" if r.what == "Total" else ""), Text(r.usd, "bold"), r.how]
            for r in rows
        ],
        right=[1],
    )


def _result(page: Page, review: Review) -> None:
    worst = min((finding.severity.rank for finding in review.findings), default=9)
    bad = not review.complete or worst <= Severity.HIGH.rank
    style = "bold red" if bad else "bold yellow" if review.findings else "bold green"
    spent = "would cost" if review.scripted else "cost"
    page.blank()
    page.put(
        Text.assemble(
            (figures.verdict(review), style),
            f" · {spent} {figures.usd(review.cost.total_usd)}",
            (" · SCRIPTED", "bold yellow") if review.scripted else "",
        )
    )

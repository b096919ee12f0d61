"""What a summary says of earlier reviews: findings that are still open, fixed ones, the rounds."""

from collections.abc import Mapping, Sequence
from html import escape

from reviewbot.publishing.figures import usd
from reviewbot.publishing.findings import heading
from reviewbot.publishing.life import Life
from reviewbot.publishing.markdown import inline_code
from reviewbot.publishing.result import Review, round_of
from reviewbot.publishing.rounds import Round
from reviewbot.review.already import short
from reviewbot.routing.wording import plural

#: Rounds that are shown, the newest ones.
_ROUNDS = 30


def earlier_lines(review: Review, links: Mapping[str, str], limit: int) -> str:
    """Findings of earlier reviews in at most `limit` characters: what is open, what was fixed."""
    progress, parts = review.progress, list[str]()
    if progress.open:
        lines = [_line(life, f"open since {_code(life.since)}", links) for life in progress.open]
        parts += ["### Still open", bounded(lines, limit * 2 // 3, "- … and {} more")]
    if progress.fixed:
        lines = [_line(life, f"fixed in {_code(life.fixed_in)}", links) for life in progress.fixed]
        parts += ["### Fixed by this push", bounded(lines, limit // 4, "- … and {} more")]
    return "\n\n".join(parts)


def history(review: Review, limit: int) -> str:
    """One line for each review of the pull request so far, folded; empty for its first one."""
    if not review.progress.rounds:
        return ""
    rounds = [*review.progress.rounds, round_of(review)]
    rows = [_row(each) for each in reversed(rounds[-_ROUNDS:])]
    if left := len(rounds) - len(rows):
        rows.append(f"| … and {left} before | | | | | | |")
    head = "| Head | UTC | Read | New | Fixed | Open | USD |\n|---|---|---|---|---|---|---|"
    return folded(f"History: {plural(len(rounds), 'review')}", rows, limit, head=head)


def folded(title: str, lines: Sequence[str], limit: int, *, head: str = "") -> str:
    """Lines, or rows of a table, that open on a click; in at most `limit` characters."""
    room = limit - len(title) - len(head) - 60
    shown = bounded(lines, room, "\n… and {} more do not fit here.")
    body = f"{head}\n{shown}" if head else shown
    return f"<details><summary>{escape(title)}</summary>\n\n{body}\n\n</details>"


def bounded(lines: Sequence[str], limit: int, more: str, joint: str = "\n") -> str:
    """The lines that fit into `limit` characters, and how many do not."""
    shown: list[str] = []
    room = limit - len(more) - 8
    for line in lines:
        if len(line) + len(joint) > room:
            break
        shown.append(line)
        room -= len(line) + len(joint)
    left = len(lines) - len(shown)
    return joint.join([*shown, *([more.format(left)] if left else [])])


def _line(life: Life, state: str, links: Mapping[str, str]) -> str:
    link = f" · [comment]({links[life.id]})" if life.id in links else ""
    return f"- {heading(life.finding)} · {state}{link}"


def _row(each: Round) -> str:
    what = "nothing new"
    if each.read:
        what = f"{plural(each.hunks, 'hunk')} of {plural(each.files, 'file')}"
    figures = f"{each.new} | {each.fixed} | {each.open} | {usd(each.usd)}"
    return f"| {_code(each.head)} | {each.at:%Y-%m-%d %H:%M} | {what} | {figures} |"


def _code(head: str) -> str:
    return inline_code(short(head))

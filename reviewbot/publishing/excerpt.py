"""The lines of the diff around a finding."""

from typing import NamedTuple

from reviewbot.change.model import Change, Line
from reviewbot.review.finding import Finding

#: Lines shown before and after a finding's own, and most of its own.
CONTEXT, MOST = 2, 12
#: Longest line shown, characters.
MAX_WIDTH = 200


class ExcerptLine(NamedTuple):
    """One line of code as shown."""

    number: int | None
    """On the line's own side; None for the line that says how many are left out."""
    marker: str
    text: str
    hit: bool
    """The finding is about this line."""


def excerpt(finding: Finding, change: Change) -> tuple[ExcerptLine, ...]:
    """The finding's lines with a little of the diff around them; empty where there are none.

    A finding without a quote shows no code: its line holds a secret.
    """
    file = change.by_path.get(finding.path)
    if file is None or finding.line is None or finding.end_line is None or not finding.quote:
        return ()
    place = file.by_number.get((finding.side, finding.line))
    if place is None:
        return ()
    lines = file.hunks[place[0]].lines
    numbers = range(finding.line, finding.end_line + 1)
    hits = [
        i for i, line in enumerate(lines) if line.side == finding.side and line.number in numbers
    ]
    start = max(hits[0] - CONTEXT, 0)
    shown = [
        _shown(line, hit=index in hits)
        for index, line in enumerate(lines[start : hits[-1] + CONTEXT + 1], start)
    ]
    if len(shown) <= MOST + 2 * CONTEXT:
        return tuple(shown)
    head = shown[: CONTEXT + MOST // 2]
    tail = shown[-(CONTEXT + MOST // 2) :]
    left_out = len(shown) - len(head) - len(tail)
    return (*head, ExcerptLine(None, " ", f"… {left_out} more lines", False), *tail)


def replaced(finding: Finding, change: Change) -> tuple[str, ...]:
    """Texts of the lines that the finding's suggestion replaces."""
    file = change.by_path.get(finding.path)
    if file is None or finding.line is None or finding.end_line is None:
        return ()
    numbers = range(finding.line, finding.end_line + 1)
    found = (file.by_number.get((finding.side, number)) for number in numbers)
    return tuple(place[1].text.rstrip("\r") for place in found if place is not None)


def _shown(line: Line, *, hit: bool) -> ExcerptLine:
    text = line.text.rstrip("\r").expandtabs(4)
    if len(text) > MAX_WIDTH:
        text = text[:MAX_WIDTH] + "…"
    return ExcerptLine(line.number, line.marker, text, hit)

"""Findings as comments on lines of the diff, and which can be."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from reviewbot.change.model import Change, Side
from reviewbot.privacy.invisible import escape_invisible
from reviewbot.publishing.excerpt import replaced
from reviewbot.publishing.findings import origin
from reviewbot.publishing.markdown import fenced_code, safe_line, safe_markdown
from reviewbot.publishing.marker import Marks
from reviewbot.review.finding import Finding

#: GitHub's limit for a comment, characters.
MAX_COMMENT = 65_536
#: Kept free for the heading, the mark and the lines that say what was cut.
_RESERVE = 2_000
#: Programs look for such lines in comments; a suggestion can't be indented to hide them.
_COMMAND = re.compile(r"^\s*/[A-Za-z]", re.MULTILINE)


@dataclass(frozen=True)
class InlineComment:
    """A comment on one line, or on several of one side of one hunk."""

    path: str
    line: int
    """The last line."""
    side: Side
    body: str
    start_line: int | None = None
    """The first line, where there are several."""

    def to_json(self) -> dict[str, Any]:
        """As GitHub takes it in a review."""
        shape = {"path": self.path, "line": self.line, "side": self.side, "body": self.body}
        if self.start_line is None:
            return shape
        return {**shape, "start_line": self.start_line, "start_side": self.side}


class Placed(NamedTuple):
    """Findings sorted out, worst first as they came."""

    findings: tuple[Finding, ...]
    """All; one without a place on GitHub says why."""
    inline: tuple[Finding, ...]
    """Those on lines."""

    @property
    def rest(self) -> tuple[Finding, ...]:
        """Those that stand in a text."""
        return tuple(finding for finding in self.findings if finding not in self.inline)


def place(findings: Sequence[Finding], change: Change, wanted: Callable[[Finding], bool]) -> Placed:
    """Tell which can stand on a line of the diff, of those that are `wanted` there."""
    checked = tuple(_checked(finding, change) for finding in findings)
    return Placed(checked, tuple(each for each in checked if each.anchored and wanted(each)))


def _checked(finding: Finding, change: Change) -> Finding:
    reason = _why_not(finding, change)
    if not reason or not finding.anchored:
        return finding
    return replace(finding, anchored=False, unanchored_reason=reason)


def inline_comment(finding: Finding, change: Change, marks: Marks) -> InlineComment:
    """The comment of a finding that `place` has let stand on its line."""
    first, last = finding.line or 0, finding.end_line or finding.line or 0
    return InlineComment(
        path=finding.path,
        line=last,
        side=finding.side,
        start_line=first if first < last else None,
        body=_body(finding, change, marks.finding_mark(finding.fingerprint)),
    )


def _why_not(finding: Finding, change: Change) -> str:
    """Why GitHub would not take a comment there; empty if it would."""
    if not finding.anchored:
        return finding.unanchored_reason or "no line is known"
    file = change.by_path.get(finding.path)
    if file is None or finding.line is None:
        return "the line is not in the diff"
    last = finding.line if finding.end_line is None else finding.end_line
    ends = [file.by_number.get((finding.side, number)) for number in (finding.line, last)]
    if last < finding.line or any(end is None for end in ends):
        return "the line is not in the diff"
    return "" if len({end[0] for end in ends if end}) == 1 else "the lines are not in one hunk"


def _body(finding: Finding, change: Change, mark: str) -> str:
    room = MAX_COMMENT - _RESERVE - len(mark)
    suggestion = _suggestion(finding, change)
    if len(suggestion) > room // 2:
        suggestion = "The suggested change is left out: it is too long for a comment."
    heading = f"**{finding.severity}** · {finding.category} · {safe_line(origin(finding))}"
    title = safe_line(finding.title)
    title = title if "**" in title else f"**{title}**"
    text = fitting(finding.body, room - len(suggestion) - len(title))
    return "\n\n".join(part for part in [heading, title, text, suggestion, mark] if part)


def fitting(text: str, room: int) -> str:
    """Safe Markdown of at most `room` characters; a cut is made before it is Markdown, and said."""
    shown, cut = safe_markdown(text), text
    while len(shown) > room and cut:
        cut = cut[: len(cut) // 2]
        shown = safe_markdown(cut) + "\n\n… cut here: too long for a comment."
    return shown


def _suggestion(finding: Finding, change: Change) -> str:
    """What GitHub applies on a click; as a diff where the text does not show what it would do."""
    code = finding.suggestion
    if code is None:
        return ""
    plain = escape_invisible(code) == code and "\r" not in code and not _COMMAND.search(code)
    if plain and finding.side == "RIGHT":
        ticks = "`" * max(3, max((len(run) for run in re.findall("`+", code)), default=0) + 1)
        return f"{ticks}suggestion\n{code}\n{ticks}"
    old = [f"-{line}" for line in replaced(finding, change)]
    new = [f"+{line}" for line in code.split("\n")]
    return "Suggested change:\n\n" + fenced_code("\n".join([*old, *new]), "diff")

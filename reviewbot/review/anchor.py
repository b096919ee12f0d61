"""The place of a remark in the diff, proved by the code it quotes.

A remark is anchored where the text of the diff's lines equals what it quotes; its line number
only chooses among several such places. Whatever can't be placed so keeps its reason and goes to
the summary: a comment on a wrong line is worse than none, a lost one too.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reviewbot.change.model import Change, FileChange, Line, Side
from reviewbot.privacy.invisible import escape_invisible
from reviewbot.review.answer import Remark
from reviewbot.review.finding import Finding
from reviewbot.review.render import shown_path
from reviewbot.review.suggestion import checked_suggestion, fenced

_PREFIX = re.compile(r"^\s*(?:\d+ [ +]|\d+\s*[|:]\s?|[+-](?=\s|\S))")
#: How far from the line it names a short quote such as `}` may stand, lines.
_NEAR = 3


@dataclass(frozen=True)
class _Place:
    side: Side
    line: int
    end_line: int
    quote: str


def anchor(
    remark: Remark,
    change: Change,
    *,
    engine: str,
    source: Mapping[str, str] | None = None,
    shown: Mapping[str, Sequence[str]] | None = None,
    scripted: bool = False,
) -> Finding:
    """Turn a remark into a finding with a proved place, or with the reason why it has none.

    `source` holds whole texts after the change, to check suggestions; `shown` the lines that
    redaction changed, as the model saw them.
    """
    path, file = _file(remark.path, change)
    place: _Place | str
    if file is None:
        place = "the change has no such file"
    elif not file.commentable:
        place = "the host shows no diff of this file"
    else:
        place = _find(remark, file, (shown or {}).get(file.path, ()))
    body, suggestion = remark.body, None
    if isinstance(place, _Place) and file is not None:
        suggestion, prose = checked_suggestion(
            remark, file, (place.side, place.line, place.end_line), (source or {}).get(file.path)
        )
        body += prose
    elif remark.suggestion:
        body += "\n\nSuggested code:\n\n" + fenced(remark.suggestion)
    found = place if isinstance(place, _Place) else None
    return Finding(
        path=path,
        line=found.line if found else None,
        end_line=found.end_line if found else None,
        side=found.side if found else "RIGHT",
        severity=remark.severity,
        category=remark.category,
        title=remark.title,
        body=body,
        quote=found.quote if found else remark.quote,
        confidence=remark.confidence,
        engine=engine,
        suggestion=suggestion,
        anchored=found is not None,
        unanchored_reason="" if found else str(place),
        scripted=scripted,
    )


def _file(path: str, change: Change) -> tuple[str, FileChange | None]:
    """The change's file that a model's path means: as shown, or with a diff prefix."""
    for candidate in (
        path,
        path.removeprefix("./"),
        path.removeprefix("a/"),
        path.removeprefix("b/"),
    ):
        if candidate in change.by_path:
            return candidate, change.by_path[candidate]
    for file in change.files:
        if path in (shown_path(file.path), file.old_path):
            return file.path, file
    return path, None


def _squeezed(text: str) -> str:
    return " ".join((text if text.isascii() else escape_invisible(text)).split())


def _quoted_lines(quote: str) -> list[frozenset[str]]:
    """Per line of the quote, what it may mean: as it is, or without the number and marker shown."""
    lines = [
        line for line in quote.strip("\r\n").split("\n") if line.strip() and line.strip() != "…"
    ]
    return [
        frozenset({_squeezed(line), _squeezed(_PREFIX.sub("", line, count=1))} - {""})
        for line in lines
    ]


def _find(remark: Remark, file: FileChange, shown: Sequence[str]) -> _Place | str:
    wanted = _quoted_lines(remark.quote)
    if not wanted:
        return "no code is quoted"
    redacted = _redacted(shown)
    best: tuple[tuple[int, int, int], _Place] | None = None
    for hunk in file.hunks:
        for side in ("RIGHT", "LEFT"):
            lines = [line for line in hunk.lines if (line.marker == "-") == (side == "LEFT")]
            lines = [line for line in lines if line.text.strip()]
            for start in range(len(lines)):
                length = _matched(wanted, lines[start:], redacted)
                if not length:
                    continue
                rank = _rank(remark, lines[start : start + length], whole=length == len(wanted))
                if rank is not None and (best is None or rank < best[0]):
                    best = rank, _place(remark, file, lines[start : start + length])
    return best[1] if best else "the quoted code is not in the diff"


def _redacted(shown: Sequence[str]) -> dict[int, str]:
    """Number → text of lines as a model saw them after redaction."""
    numbered = {}
    for line in shown:
        number, _, rest = line.partition(" ")
        if number.isdigit() and "[redacted:" in rest:
            numbered[int(number)] = _squeezed(rest[1:])
    return numbered


def _matched(
    wanted: list[frozenset[str]], lines: Sequence[Line], redacted: Mapping[int, str]
) -> int:
    """How many quoted lines stand here one after the other; 0 if not the first, or only a part
    of a quote that should be longer and begins with next to nothing."""
    count = 0
    for want, line in zip(wanted, lines, strict=False):
        text = redacted.get(line.new or 0) or _squeezed(line.text)
        if text not in want and _squeezed(line.text) not in want:
            break
        count += 1
    return count


def _rank(remark: Remark, lines: Sequence[Line], *, whole: bool) -> tuple[int, int, int] | None:
    """Better places first: the whole quote, then on changed lines, then nearest to the number."""
    first = lines[0]
    distance = abs(first.number - remark.line)
    telling = sum(character.isalnum() for line in lines for character in line.text) >= 4
    if not telling and distance > _NEAR:
        return None
    changed = any(line.marker != " " for line in lines)
    return (0 if whole else 1, 0 if changed else 1, distance)


def _place(remark: Remark, file: FileChange, lines: Sequence[Line]) -> _Place:
    """The place of the matched lines; a longer range that the remark names counts where the quote
    is one line that stands where the remark says."""
    first, last = lines[0], lines[-1].number
    span = (remark.end_line or remark.line) - remark.line
    if len(lines) == 1 and first.number == remark.line and 0 < span <= 30:
        hunk = file.by_number[first.side, first.number][0]
        ends = file.by_number.get((first.side, first.number + span))
        if ends is not None and ends[0] == hunk:
            last = first.number + span
    texts = [
        file.by_number[first.side, number][1].text
        for number in range(first.number, last + 1)
        if (first.side, number) in file.by_number
    ]
    return _Place(first.side, first.number, last, "\n".join(texts))

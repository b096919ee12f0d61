"""The place of a remark in the diff, proved by the code it quotes.

A remark is anchored where the text of the diff's lines equals what it quotes; its line number
only chooses among several such places. Whatever can't be placed so keeps its reason and goes to
the summary: a comment on a wrong line is worse than none, a lost one too.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from reviewbot.change.model import Change, FileChange, Line, Side
from reviewbot.privacy.invisible import escape_invisible
from reviewbot.review.answer import Remark
from reviewbot.review.finding import Finding
from reviewbot.review.render import shown_path
from reviewbot.review.suggestion import Suggestions, fenced

_PREFIX = re.compile(r"^\s*(?:\d+ [ +]|\d+\s*[|:]\s?|[+-](?=\s|\S))")
#: How far from the line it names a short or partial quote may stand, lines.
_NEAR = 3
#: Longest range of a comment that a remark's own numbers can make, lines.
_LONGEST_RANGE = 30


class _Place(NamedTuple):
    side: Side
    line: int
    end_line: int
    quote: str


class Anchors:
    """Places remarks in one change; what it learns of a file serves all remarks on it."""

    def __init__(self, change: Change, sources: Mapping[str, str] | None = None) -> None:
        """`sources` holds whole texts after the change, to check suggestions."""
        self._change = change
        self._sources = sources or {}
        self._texts: dict[str, _Text] = {}
        self._suggestions: dict[str, Suggestions] = {}

    def anchor(
        self,
        remark: Remark,
        *,
        engine: str,
        model: str = "",
        shown: Mapping[str, Sequence[str]] | None = None,
        scripted: bool = False,
    ) -> Finding:
        """Turn a remark into a finding with a proved place, or with the reason why it has none.

        `shown` holds the lines that redaction changed, as the model saw them.
        """
        path, file = self._file(remark.path)
        place: _Place | str
        if file is None:
            place = "the change has no such file"
        elif not file.commentable:
            place = "the host shows no diff of this file"
        else:
            place = self._text(file).find(remark, _redacted((shown or {}).get(file.path, ())))
        body, suggestion = remark.body, None
        if isinstance(place, _Place) and file is not None:
            suggestion, prose = self._suggestion(file).checked(remark, *place[:3])
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
            model=model,
            suggestion=suggestion,
            anchored=found is not None,
            unanchored_reason="" if found else str(place),
            scripted=scripted,
        )

    def _file(self, path: str) -> tuple[str, FileChange | None]:
        """The change's file that a model's path means: as shown, or with a diff prefix."""
        by_path = self._change.by_path
        for candidate in (path, *(path.removeprefix(prefix) for prefix in ("./", "a/", "b/"))):
            if candidate in by_path:
                return candidate, by_path[candidate]
        for file in self._change.files:
            if path in (shown_path(file.path), file.old_path):
                return file.path, file
        return path, None

    def _text(self, file: FileChange) -> "_Text":
        return self._texts.setdefault(file.path, _Text(file))

    def _suggestion(self, file: FileChange) -> Suggestions:
        source = self._sources.get(file.path)
        return self._suggestions.setdefault(file.path, Suggestions(file, source))


class _Quoted(NamedTuple):
    """One line of a quote: what it may mean, with and without the number and marker shown."""

    exact: frozenset[str]
    squeezed: frozenset[str]


@dataclass(frozen=True)
class _Run:
    """Lines of one side of one hunk, blank ones left out, in order."""

    lines: tuple[Line, ...]
    squeezed: tuple[str, ...]


@dataclass(frozen=True)
class _Text:
    """A file's changed text, indexed for look-ups by line."""

    file: FileChange

    @cached_property
    def _runs(self) -> tuple[_Run, ...]:
        runs = []
        for hunk in self.file.hunks:
            for left in (False, True):
                lines = tuple(
                    line
                    for line in hunk.lines
                    if (line.marker == "-") == left and line.text.strip()
                )
                runs.append(_Run(lines, tuple(_squeezed(line.text) for line in lines)))
        return tuple(runs)

    @cached_property
    def _index(self) -> dict[str, list[tuple[_Run, int]]]:
        """Squeezed text → every place where it stands."""
        index: dict[str, list[tuple[_Run, int]]] = {}
        for run in self._runs:
            for position, text in enumerate(run.squeezed):
                index.setdefault(text, []).append((run, position))
        return index

    @cached_property
    def _by_new_number(self) -> dict[int, tuple[_Run, int]]:
        return {
            line.new: (run, position)
            for run in self._runs
            for position, line in enumerate(run.lines)
            if line.new is not None
        }

    def find(self, remark: Remark, redacted: Mapping[int, str]) -> _Place | str:
        """The best place whose text is what the remark quotes."""
        wanted = _quoted_lines(remark.quote)
        if not wanted:
            return "no code is quoted"
        starts = [place for text in wanted[0].squeezed for place in self._index.get(text, ())]
        starts += [
            self._by_new_number[number]
            for number, text in redacted.items()
            if text in wanted[0].squeezed and number in self._by_new_number
        ]
        best: tuple[tuple[bool | int, ...], tuple[Line, ...]] | None = None
        for run, start in starts:
            length = _matched(wanted, run, start, redacted)
            lines = run.lines[start : start + length]
            rank = _rank(remark, wanted, lines)
            if rank is not None and (best is None or rank < best[0]):
                best = rank, lines
        return self._place(remark, best[1]) if best else "the quoted code is not in the diff"

    def _place(self, remark: Remark, lines: Sequence[Line]) -> _Place:
        """The place of the matched lines; a longer range that the remark names counts where the
        quote is one line that stands where the remark says."""
        by_number = self.file.by_number
        first, last = lines[0], lines[-1].number
        span = (remark.end_line or remark.line) - remark.line
        if len(lines) == 1 and first.number == remark.line and 0 < span <= _LONGEST_RANGE:
            end = by_number.get((first.side, first.number + span))
            if end is not None and end[0] == by_number[first.side, first.number][0]:
                last = first.number + span
        texts = [
            by_number[first.side, number][1].text
            for number in range(first.number, last + 1)
            if (first.side, number) in by_number
        ]
        return _Place(first.side, first.number, last, "\n".join(texts))


def _squeezed(text: str) -> str:
    return " ".join(escape_invisible(text.rstrip("\r")).split())


def _quoted_lines(quote: str) -> list[_Quoted]:
    lines = [line for line in quote.split("\n") if line.strip() and line.strip() != "…"]
    both = [(line.rstrip(), _PREFIX.sub("", line.rstrip(), count=1)) for line in lines]
    return [_Quoted(frozenset(pair), frozenset(map(_squeezed, pair)) - {""}) for pair in both]


def _redacted(shown: Sequence[str]) -> dict[int, str]:
    """Number → text of lines as a model saw them after redaction."""
    numbered = {}
    for line in shown:
        number, _, rest = line.partition(" ")
        if number.isdigit() and "[redacted:" in rest:
            numbered[int(number)] = _squeezed(rest[1:])
    return numbered


def _matched(wanted: Sequence[_Quoted], run: _Run, start: int, redacted: Mapping[int, str]) -> int:
    """How many quoted lines stand here, one after the other."""
    count = 0
    for want, line, text in zip(
        wanted, run.lines[start:][: len(wanted)], run.squeezed[start:][: len(wanted)], strict=False
    ):
        if text not in want.squeezed and redacted.get(line.new or 0) not in want.squeezed:
            break
        count += 1
    return count


def _rank(
    remark: Remark, wanted: Sequence[_Quoted], lines: Sequence[Line]
) -> tuple[bool | int, ...] | None:
    """Better places are smaller; None for one that proves too little.

    Next to nothing (`}`), and less than half of the quote, count only near the line named.
    """
    first = lines[0]
    distance = abs(first.number - remark.line)
    telling = sum(character.isalnum() for line in lines for character in line.text) >= 4
    enough = telling and 2 * len(lines) >= len(wanted)
    if not enough and distance > _NEAR:
        return None
    return (
        len(lines) < len(wanted),
        not (first.side == "RIGHT" and distance == 0),
        first.text.rstrip() not in wanted[0].exact,
        all(line.marker == " " for line in lines),
        first.side == "LEFT",
        distance,
    )

"""A file's part of a change as a model sees it: numbered lines, with the function around them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, pairwise

from reviewbot.change.model import FileChange, Hunk
from reviewbot.change.tokens import estimate_tokens
from reviewbot.privacy.invisible import escape_invisible
from reviewbot.review.context import enclosing

#: Longest line shown, in characters: minified text and data, of which the start is enough.
MAX_LINE = 2_000
#: No secret holds one of these.
_WORD_ENDS = " \t\n\"'`;,(){}[]<>"


@dataclass(frozen=True)
class Chunk:
    """One hunk, or a part of a long one, as text."""

    text: str
    tokens: int
    """Estimated tokens of `text`."""
    lines: range
    """Numbers of the new file that it shows from the diff."""
    cut: bool = False
    """Lines over `MAX_LINE` characters are shown in part."""


def heading(file: FileChange, note: str = "") -> str:
    """The line that starts a file. Untrusted paths are made one harmless line."""
    words = [file.status.value]
    if file.old_path and file.old_path != file.path:
        words.append(f"from {shown_path(file.old_path)}")
    if file.language:
        words.append(file.language)
    if file.old_mode and file.new_mode and file.old_mode != file.new_mode:
        words.append(f"mode {file.old_mode} to {file.new_mode}")
    if note:
        words.append(" ".join(escape_invisible(note).split()))
    return f"=== {shown_path(file.path)} ({', '.join(words)})"


def shown_path(path: str) -> str:
    """A path as a model sees it: one line, no invisible or control characters."""
    path = path.replace("\n", "<U+000A>").replace("\t", "<U+0009>").replace("\r", "<U+000D>")
    return escape_invisible(path)


def render_hunk(hunk: Hunk) -> list[str]:
    """The hunk's lines: number and marker before each."""
    body = hunk.body
    if max(map(len, body), default=0) > MAX_LINE:
        body = tuple(raw[:1] + cut_short(raw[1:], MAX_LINE) for raw in body)
    number = count(hunk.new_start).__next__
    return [f" {raw}" if raw[:1] == "-" else f"{number()} {raw}" for raw in body]


def cut_short(text: str, most: int) -> str:
    """At most `most` characters, cut where a word ends: half a secret would pass the detector."""
    if len(text) <= most:
        return text
    end = max(text.rfind(mark, 0, most) for mark in _WORD_ENDS)
    return text[: max(end, 0)] + "…"


def chunks(file: FileChange, source: str | None, budget: int) -> list[Chunk]:
    """The file's hunks as texts of at most `budget` estimated tokens each.

    With `source`, the file's text after the change, each hunk brings the function around it,
    as far as no other hunk shows it and the budget allows.
    """
    lines = source.split("\n") if source is not None else None
    made: list[Chunk] = []
    ends = [0, *(hunk.new_start + hunk.new_count - 1 for hunk in file.hunks)]
    starts = [*(hunk.new_start for hunk in file.hunks[1:]), None]
    for hunk, previous_end, next_start in zip(file.hunks, ends, starts, strict=False):
        shown = render_hunk(hunk)
        cut = max(map(len, hunk.body), default=0) > MAX_LINE
        head = f"@@ {cut_short(hunk.section, 200)}".rstrip()
        last = max(hunk.new_start + hunk.new_count - 1, hunk.new_start)
        numbers = range(hunk.new_start, last + 1)
        plain = _text([head, *shown])
        # a line's number is about a token; escapes make a text longer than the hunk's
        size = estimate_tokens(plain) if "<U+" in plain else hunk.tokens + len(hunk.body)
        if lines is not None and size < budget and not _disagrees(hunk, lines):
            wider = _text([head, *_around(hunk, lines, shown, previous_end, next_start)])
            if estimate_tokens(wider) <= budget:
                plain, size = wider, estimate_tokens(wider)
        if size <= budget:
            made.append(Chunk(plain, size, numbers, cut))
        else:
            made += _split(head, shown, numbers, budget, cut)
    return made


def _text(lines: Sequence[str]) -> str:
    return escape_invisible("\n".join([*lines, ""]))[:-1]


def _disagrees(hunk: Hunk, lines: Sequence[str]) -> bool:
    """The source is not the text this diff leads to: show nothing of it."""
    if not hunk.new_count:
        return True
    first = next((raw[1:] for raw in hunk.body if raw[:1] != "-"), None)
    at = hunk.new_start - 1
    return first is None or at >= len(lines) or lines[at].rstrip("\r") != first.rstrip("\r")


def _around(
    hunk: Hunk, lines: Sequence[str], shown: list[str], previous_end: int, next_start: int | None
) -> list[str]:
    first, last = hunk.new_start, hunk.new_start + hunk.new_count - 1
    new_side = [raw for raw in hunk.body if raw[:1] != "-"]
    changed = [number for number, raw in enumerate(new_side, first) if raw[:1] == "+"]
    inner = (changed[0], changed[-1]) if changed else (first, last)
    definition, start, end = enclosing(lines, *inner)
    start, end = max(start, previous_end + 1), min(end, (next_start or end + 1) - 1)
    before = [_numbered(lines, number) for number in range(start, first)]
    if definition is not None and previous_end < definition < first:
        before = [_numbered(lines, definition), "…"]
    after = [_numbered(lines, number) for number in range(last + 1, end + 1)]
    return [*before, *shown, *after]


def _numbered(lines: Sequence[str], number: int) -> str:
    return f"{number}  {cut_short(lines[number - 1], MAX_LINE)}"


def _split(head: str, shown: list[str], numbers: range, budget: int, cut: bool) -> list[Chunk]:
    """A hunk too long for one unit, cut between lines."""
    shown = _text(shown).split("\n")
    density = estimate_tokens("\n".join(shown)) / sum(map(len, shown))
    parts: list[list[str]] = [[]]
    size = 0.0
    for line in shown:
        tokens = len(line) * density + 1
        if size + tokens > budget and parts[-1]:
            parts.append([])
            size = 0.0
        parts[-1].append(line)
        size += tokens
    bounds = [0]
    for part in parts:
        bounds.append(bounds[-1] + sum(1 for line in part if line[:1].isdigit()))
    return [
        Chunk(text, estimate_tokens(text), range(numbers.start + a, numbers.start + b), cut)
        for part, (a, b) in zip(parts, pairwise(bounds), strict=True)
        for text in ["\n".join([f"{_text([head])} …", *part])]
    ]

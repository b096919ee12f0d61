"""A file's part of a change as a model sees it: numbered lines, with the function around them."""

import string
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, pairwise

from reviewbot.change.model import FileChange, Hunk
from reviewbot.change.tokens import estimate_tokens
from reviewbot.privacy.invisible import escape_invisible
from reviewbot.review.context import enclosing

#: Longest line shown, in characters: minified text and data, of which the start is enough.
MAX_LINE = 2_000
_WORD = string.ascii_letters + string.digits + "_-.+/="


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
        words.append(f"from {escape_invisible(file.old_path).replace(chr(10), ' ')}")
    if file.language:
        words.append(file.language)
    if file.old_mode and file.new_mode and file.old_mode != file.new_mode:
        words.append(f"mode {file.old_mode} to {file.new_mode}")
    if note:
        words.append(note)
    return f"=== {shown_path(file.path)} ({', '.join(words)})"


def shown_path(path: str) -> str:
    """A path as a model sees it: no invisible or control characters."""
    return (
        path
        if path.isascii() and path.isprintable()
        else escape_invisible(path).replace("\n", "<U+000A>").replace("\t", "<U+0009>")
    )


def render_hunk(hunk: Hunk) -> list[str]:
    """The hunk's lines: number and marker before each."""
    body = hunk.body
    if max(map(len, body), default=0) > MAX_LINE:
        body = tuple(map(_cut, body))
    number = count(hunk.new_start).__next__
    return [f" {raw}" if raw[:1] == "-" else f"{number()} {raw}" for raw in body]


def _cut(raw: str) -> str:
    """A line of at most `MAX_LINE` characters, cut between words: half a secret would pass the
    detector."""
    return raw if len(raw) <= MAX_LINE else raw[:MAX_LINE].rstrip(_WORD) + "…"


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
        head = f"@@ {hunk.section}".rstrip() if hunk.section else "@@"
        last = max(hunk.new_start + hunk.new_count - 1, hunk.new_start)
        numbers = range(hunk.new_start, last + 1)
        plain = _text([head, *shown])
        size = hunk.tokens + len(hunk.body)  # a line's number is about a token
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
    text = "\n".join(lines)
    return text if text.isascii() else escape_invisible(text)


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
    changed = [line.new for line in hunk.lines if line.marker == "+" and line.new]
    inner = (changed[0], changed[-1]) if changed else (first, last)
    definition, start, end = enclosing(lines, *inner)
    start, end = max(start, previous_end + 1), min(end, (next_start or end + 1) - 1)
    before = [f"{number}  {lines[number - 1]}" for number in range(start, first)]
    if definition is not None and previous_end < definition < first:
        before = [f"{definition}  {lines[definition - 1]}", "…"]
    after = [f"{number}  {lines[number - 1]}" for number in range(last + 1, end + 1)]
    return [*before, *shown, *after]


def _split(head: str, shown: list[str], numbers: range, budget: int, cut: bool) -> list[Chunk]:
    """A hunk too long for one unit, cut between lines."""
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
        for text in [_text([f"{head} …", *part])]
    ]

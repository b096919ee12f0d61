"""What a change says, whatever commit it stands on: its edits, known again by their own lines.

An *edit* is a run of removed and added lines that no line of context interrupts; of added lines that
blank ones part, each part. Its identity is these lines with the one line before and after them: no
line numbers, no further context, not how git joins edits to hunks. The two neighbours tell a line
that moved to another function from one that stayed, and no rebase without a conflict changes them:
git merges no changes that touch each other.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import replace
from typing import NamedTuple

from reviewbot.change.model import Change, FileChange, Hunk

#: Hex digits of an edit's identity: too many to find two edits with the same one.
_DIGITS = 32
#: Lines that are kept before and after an edit where a hunk is cut, and the length of a hunk that
#: is not worth it.
_MARGIN, _SHORT = 3, 30


class Edit(NamedTuple):
    """Lines `start` to before `end` of a hunk's body."""

    start: int
    end: int
    identity: str


def edits_of(hunk: Hunk) -> tuple[Edit, ...]:
    """A hunk's edits, in their order."""
    body, made = hunk.body, list[Edit]()
    for start, end in _spans(body):
        before = body[start - 1] if start else ""
        after = body[end] if end < len(body) else ""
        ends = () if after else (str(hunk.old_no_newline), str(hunk.new_no_newline))
        made.append(Edit(start, end, _digest((before, *body[start:end], after, *ends))))
    return tuple(made)


def edits_in(file: FileChange) -> Counter[str]:
    """How often each edit stands in a file."""
    return Counter(edit.identity for hunk in file.hunks for edit in edits_of(hunk))


def with_edits(hunk: Hunk, wanted: Set[str]) -> tuple[Hunk, ...]:
    """The hunk where it holds any of these edits; of a long one only what is around them."""
    edits = edits_of(hunk)
    here = [edit for edit in edits if edit.identity in wanted]
    if not here or len(here) == len(edits) or len(hunk.body) <= _SHORT:
        return (hunk,) if here else ()
    spans: list[tuple[int, int]] = []
    for edit in here:
        start, end = max(edit.start - _MARGIN, 0), min(edit.end + _MARGIN, len(hunk.body))
        if spans and start <= spans[-1][1]:
            start, _ = spans.pop()
        spans.append((start, end))
    return tuple(_part(hunk, *span) for span in spans)


def followed(change: Change, earlier: Mapping[str, Set[str]]) -> dict[str, str]:
    """The earlier path of each file that was called otherwise: path now → path then.

    `earlier` has the edits of the files as they were known. A file that git calls renamed has its
    old name; any other new name belongs to the known file that is gone and shares most of its
    edits, half of them at least.
    """
    gone = {path for path in earlier if path not in change.by_path}
    names: dict[str, str] = {}
    for file in change.files:
        if file.path in earlier:
            continue
        if file.old_path in gone:
            names[file.path] = file.old_path
        elif best := _likest(edits_in(file), {path: earlier[path] for path in gone}):
            names[file.path] = best
    return names


def _likest(edits: Counter[str], gone: Mapping[str, Set[str]]) -> str | None:
    shared = {path: sum(edit in known for edit in edits) for path, known in gone.items()}
    best = max(sorted(shared), key=lambda path: shared[path], default=None)
    return best if best is not None and 0 < len(edits) <= 2 * shared[best] else None


def _spans(body: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Where edits begin and end. What parts two is seen on the two lines alone, so that a part of
    a hunk has the same edits."""
    start: int | None = None
    for index, raw in enumerate(body):
        if raw[:1] not in ("+", "-"):
            if start is not None:
                yield start, index
            start = None
        elif start is None:
            start = index
        elif _parted(body[index - 1], raw):
            yield start, index
            start = index
    if start is not None:
        yield start, len(body)


def _parted(above: str, raw: str) -> bool:
    """A paragraph of added lines begins."""
    blank = above[:1] == "+" and not above[1:].strip()
    return blank and raw[:1] == "+" and bool(raw[1:].strip())


def _part(hunk: Hunk, start: int, end: int) -> Hunk:
    """Lines `start` to before `end` of a hunk."""
    old, new = (sum(raw[:1] != mark for raw in hunk.body[:start]) for mark in "+-")
    body = hunk.body[start:end]
    whole = end == len(hunk.body)
    return replace(
        hunk,
        old_start=hunk.old_start + old,
        new_start=hunk.new_start + new,
        old_count=sum(raw[:1] != "+" for raw in body),
        new_count=sum(raw[:1] != "-" for raw in body),
        body=body,
        old_no_newline=hunk.old_no_newline and whole,
        new_no_newline=hunk.new_no_newline and whole,
    )


def _digest(parts: tuple[str, ...]) -> str:
    data = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(data).hexdigest()[:_DIGITS]

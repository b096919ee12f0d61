"""What a change says, whatever commit it stands on: hunks known again by their own lines.

An *edit* is a run of removed and added lines that no line of context interrupts; a hunk is one
or several. Its identity is these lines with the one line of context before and after them: no
line numbers, no further context, not how git joins edits to hunks. The two neighbours tell a line
that moved to another function from one that stayed, and no rebase without a conflict changes them:
git merges no changes that touch each other.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Set
from itertools import groupby

from reviewbot.change.model import Change, FileChange, Hunk

#: Hex digits of an edit's identity: too many to find two edits with the same one.
_DIGITS = 32


def edits_of(hunk: Hunk) -> tuple[str, ...]:
    """The identities of a hunk's edits, in their order."""
    runs = [list(run) for _, run in groupby(hunk.body, key=_is_context)]
    made = []
    for index, run in enumerate(runs):
        if not _is_context(run[0]):
            before = runs[index - 1][-1] if index else ""
            after = runs[index + 1][0] if index + 1 < len(runs) else ""
            ends = (hunk.old_no_newline, hunk.new_no_newline) if not after else ()
            made.append(_digest([before, *run, after, *map(str, ends)]))
    return tuple(made)


def edits_in(file: FileChange) -> Counter[str]:
    """How often each edit stands in a file."""
    return Counter(edit for hunk in file.hunks for edit in edits_of(hunk))


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


def _is_context(raw: str) -> bool:
    return raw[:1] not in ("+", "-")


def _digest(parts: list[str]) -> str:
    data = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(data).hexdigest()[:_DIGITS]

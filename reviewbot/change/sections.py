"""Reads git's diff: a `diff --git` or `diff --cc` header and its hunks for each file.

The fast path of `parse`: the header's lines are looked at, a hunk's body is a slice that gets its
numbers when someone asks (docs/decisions/0001-diff-fast-path.md).
"""

import re
from collections.abc import Iterator

from reviewbot.change.hunks import (
    Lines,
    broken,
    excerpt,
    is_hunk_header,
    read_combined_hunks,
    read_hunks,
)
from reviewbot.change.model import FileChange, Status
from reviewbot.change.paths import (
    DEV_NULL,
    Names,
    from_marker_line,
    split_header,
    unquoted,
    without_prefix,
    without_prefixes,
)

GIT = "diff --git "
COMBINED = ("diff --cc ", "diff --combined ")
SUBMODULE_MODE = "160000"
_NO_COMMIT = "0000000"

_FIELD = re.compile(
    r"(old mode|new mode|deleted file mode|new file mode|rename from|rename to|copy from|copy to"
    r"|similarity index|dissimilarity index|index|mode|---|\+\+\+|Binary files|GIT binary) (.*)"
)
"""A line of a file's header: its keyword and the rest."""

_SUBMODULE = re.compile(
    r"Submodule (.+?) (?:([0-9a-f]{4,64})\.{2,3}([0-9a-f]{4,64})(?: \(.*\))?:?"
    r"|contains (?:untracked|modified) content)"
)
_UNMERGED = "* Unmerged path "

_ONLY_GIT = re.compile(
    r"^(?:diff --(?:cc|combined) |\* Unmerged path "
    r"|Submodule .* (?:[0-9a-f]{4,64}\.\.|contains (?:untracked|modified) content$))",
    re.MULTILINE,
)


def looks_like_git(text: str) -> bool:
    """Whether any line of it is one that only git writes."""
    if text.startswith(GIT) or f"\n{GIT}" in text:
        return True
    return _ONLY_GIT.search(text) is not None


def read_sections(lines: Lines, *, cut: bool = False) -> Iterator[FileChange]:
    """Each file section in turn; text between sections (mails, commit messages) is passed over.

    With `cut` the text may end within its last hunk. Raises DiffError.
    """
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line:
            at += 1
        elif line.startswith(GIT):
            file, at = _read_file(lines, at + 1, line[len(GIT) :], cut)
            yield file
        elif line.startswith(COMBINED):
            file, at = _read_combined(lines, at)
            yield file
        elif line.startswith("--- ") and _starts_plain_file(lines, at):
            file, at = _read_file(lines, at, "", cut)
            yield file
        else:
            if is_hunk_header(line):
                raise broken(at, "a hunk without the file it belongs to")
            noted = _noted_file(line)
            if noted:
                yield noted
            at += 1


def _starts_plain_file(lines: Lines, at: int) -> bool:
    following = lines[at + 1 : at + 3]
    return len(following) == 2 and following[0].startswith("+++ ") and is_hunk_header(following[1])


def _noted_file(line: str) -> FileChange | None:
    """The file of a line that is git's whole word on it: a submodule log, an unmerged path."""
    if line.startswith(_UNMERGED):
        return FileChange(unquoted(line[len(_UNMERGED) :]), Status.MODIFIED, patch_missing=True)
    found = _SUBMODULE.fullmatch(line)
    if found is None:
        return None
    path, old, new = found.groups()
    status = Status.MODIFIED
    if old and old.startswith(_NO_COMMIT):
        status = Status.ADDED
    elif new and new.startswith(_NO_COMMIT):
        status = Status.DELETED
    return FileChange(
        unquoted(path),
        status,
        old_mode=None if status is Status.ADDED else SUBMODULE_MODE,
        new_mode=None if status is Status.DELETED else SUBMODULE_MODE,
        is_submodule=True,
    )


def _read_fields(lines: Lines, at: int) -> tuple[dict[str, str], int]:
    """Keyword → rest of the line, for each line of the header; the index after it."""
    fields: dict[str, str] = {}
    while at < len(lines):
        found = _FIELD.match(lines[at])
        if found is None or found[1] in fields:
            break
        fields[found[1]] = found[2]
        at += 1
    return fields, at


def _read_file(lines: Lines, at: int, header: str, cut: bool) -> tuple[FileChange, int]:
    """One file from its extended header on; `header` is the rest of its `diff --git` line."""
    start = at
    fields, at = _read_fields(lines, at)
    names = _names(header, fields)
    if names is None:
        raise broken(max(start - 1, 0), f"can't tell the file's path: {excerpt(header)}")
    hunks, at = read_hunks(lines, at, cut=cut)
    if "+++" in fields and not hunks and at == len(lines) and not cut:
        raise broken(at - 1, "the text ends before the file's first hunk")
    old_mode, new_mode = _modes(fields)
    status = _status(fields)
    if status is Status.MODIFIED and names.old != names.new:
        status = Status.RENAMED  # `git diff --no-index` names two files without saying "rename"
    return FileChange(
        path=names.old if status is Status.DELETED else names.new,
        status=status,
        old_path=names.old if status in (Status.RENAMED, Status.COPIED) else None,
        hunks=hunks,
        old_mode=old_mode,
        new_mode=new_mode,
        is_binary="Binary files" in fields or "GIT binary" in fields,
        is_submodule=SUBMODULE_MODE in (old_mode, new_mode),
    ), at


def _names(header: str, fields: dict[str, str]) -> Names | None:
    """Old and new path, equal for an added or deleted file; the surest source first."""
    for move in ("rename", "copy"):
        if f"{move} from" in fields and f"{move} to" in fields:
            return _given(Names(unquoted(fields[f"{move} from"]), unquoted(fields[f"{move} to"])))
    in_header = split_header(header)
    names = without_prefixes(in_header) if in_header else None
    if names and names.old == names.new:
        return _given(names)
    if "---" in fields and "+++" in fields:
        names = without_prefixes(
            Names(from_marker_line(fields["---"]), from_marker_line(fields["+++"]))
        )
        if names.old == DEV_NULL:
            names = Names(names.new, names.new)
        elif names.new == DEV_NULL:
            names = Names(names.old, names.old)
    return _given(names)


def _given(names: Names | None) -> Names | None:
    return names if names and names.old and names.new else None


def _status(fields: dict[str, str]) -> Status:
    if "new file mode" in fields or fields.get("---", "").startswith(DEV_NULL):
        return Status.ADDED
    if "deleted file mode" in fields or fields.get("+++", "").startswith(DEV_NULL):
        return Status.DELETED
    if "rename to" in fields:
        return Status.RENAMED
    return Status.COPIED if "copy to" in fields else Status.MODIFIED


def _modes(fields: dict[str, str]) -> tuple[str | None, str | None]:
    """File modes as git writes them (`100644`), before and after; None where there is no file."""
    unchanged = fields.get("index", "").partition(" ")[2] or None
    old = fields.get("old mode") or fields.get("deleted file mode") or unchanged
    new = fields.get("new mode") or fields.get("new file mode") or unchanged
    return old, new


def _read_combined(lines: Lines, at: int) -> tuple[FileChange, int]:
    """One file of a merge: what the result has that no single parent has."""
    start = at
    path = unquoted(lines[at].split(" ", 2)[2])
    fields, at = _read_fields(lines, at + 1)
    named = from_marker_line(fields.get("+++", ""))
    if without_prefix(named) == path or not path:
        path = without_prefix(named)
    if not path:
        raise broken(start, f"can't tell the file's path: {excerpt(lines[start])}")
    hunks, at = read_combined_hunks(lines, at)
    before, _, after = fields.get("mode", "").partition("..")
    old_mode = fields.get("deleted file mode", before).partition(",")[0] or None
    new_mode = fields.get("new file mode", after) or None
    return FileChange(
        path=path,
        status=_status(fields),
        hunks=hunks,
        old_mode=old_mode,
        new_mode=new_mode,
        is_binary="Binary files" in fields,
        is_submodule=SUBMODULE_MODE in (old_mode, new_mode),
        is_combined=True,
    ), at

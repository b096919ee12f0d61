"""Unified diffs that are not git's (diff -u, svn, hg), read by unidiff."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from reviewbot.change.hunks import Lines, broken, check_end, excerpt
from reviewbot.change.model import FileChange, Hunk, Status
from reviewbot.change.paths import DEV_NULL, Names, unquoted, without_prefixes

#: More of these in a `Binary files … and … differ` line is no file name: unidiff's pattern takes
#: time that grows with their number times the line's length.
_MOST_ANDS = 20
_LONGEST_NAMES = 2 * 4096


def read_plain(lines: Lines) -> list[FileChange]:
    """The files of a diff without git's headers. Raises DiffError.

    `diff` tells of an added file only by an empty old side: an empty file that gained lines
    counts as added, too.
    """
    from unidiff.errors import UnidiffParseError  # 40 ms that git's diffs don't need
    from unidiff.patch import PatchSet

    at = 0

    def counted() -> Iterator[str]:
        nonlocal at
        for at, line in enumerate(lines):
            yield _safe(at, line) + "\n"

    try:
        return [_converted(file, lines) for file in PatchSet(counted())]
    except (UnidiffParseError, ValueError) as error:  # ValueError: numbers of thousands of digits
        raise broken(at, excerpt(str(error).strip())) from error


def _safe(at: int, line: str) -> str:
    """The line as unidiff may read it."""
    if line.startswith("\\ "):
        return "\\ No newline at end of file"  # GNU diff translates it; unidiff wants English
    if line.startswith("Binary file") and (
        len(line) > _LONGEST_NAMES or line.count(" and ") > _MOST_ANDS
    ):
        raise broken(at, f"not the names of two files: {excerpt(line)}")
    return line


def _converted(file: Any, lines: Lines) -> FileChange:
    """A file of unidiff's as ours."""
    for hunk in file:
        _check_whole(hunk, lines)
    hunks = tuple(_hunk(hunk) for hunk in file)
    before, after = unquoted(file.source_file), unquoted(file.target_file)
    names = without_prefixes(Names(before, after))
    status, old_path = Status.MODIFIED, None
    if file.is_added_file:
        status = Status.ADDED
    elif file.is_removed_file:
        status = Status.DELETED
    elif names.old != names.new:
        status, old_path = Status.RENAMED, names.old
    path = names.old if names.new == DEV_NULL else names.new
    if not path or path == DEV_NULL:
        raise broken((file.diff_line_no or 1) - 1, "a file without a name")
    return FileChange(path, status, old_path, hunks=hunks, is_binary=file.is_binary_file)


def _check_whole(hunk: Any, lines: Lines) -> None:
    """Raises DiffError where a hunk goes on after its count: unidiff passes over the rest."""
    end = max((line.diff_line_no or 0 for line in hunk), default=0)
    if end and end < len(lines) and lines[end].startswith("\\"):
        end += 1
    if end:
        check_end(lines, end)


def _hunk(hunk: Any) -> Hunk:
    lines = [(line.line_type, line.value.removesuffix("\n")) for line in hunk if line.line_type]
    unended = {before for (before, _), (marker, _) in pairwise(lines) if marker == "\\"}
    return Hunk(
        old_start=hunk.source_start,
        old_count=hunk.source_length,
        new_start=hunk.target_start,
        new_count=hunk.target_length,
        section=hunk.section_header.rstrip("\r"),
        body=tuple(marker + text for marker, text in lines if marker != "\\"),
        old_no_newline=bool(unended & {"-", " "}),
        new_no_newline=bool(unended & {"+", " "}),
    )

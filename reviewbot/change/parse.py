"""Any unified diff as a `Change`."""

import codecs
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from reviewbot.change.attributes import NO_ATTRIBUTES, Attributes
from reviewbot.change.hunks import Lines
from reviewbot.change.kinds import with_kinds
from reviewbot.change.model import Change, FileChange, Hunk, Status
from reviewbot.change.plain import read_plain
from reviewbot.change.sections import looks_like_git, read_sections
from reviewbot.errors import DiffError

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SURROGATE = re.compile("[\ud800-\udfff]")
_WHOLLY_CRLF = re.compile(
    r"^(?:diff --(?:git|cc|combined) .*|--- .*\r\n\+\+\+ .*\r\n@@ -.* @@.*)\r$", re.MULTILINE
)
_NO_BASE: Mapping[str, str] = MappingProxyType({})


def parse_diff(
    text: str | bytes,
    *,
    attributes: Attributes = NO_ATTRIBUTES,
    base: Mapping[str, str] = _NO_BASE,
    title: str = "",
    allow_cut: bool = False,
) -> Change:
    """The change that a unified diff makes; an empty text is an empty change.

    `attributes` and `base` (old path → text) are of the commit the change is made against; they
    only help to tell a file's kind. With `allow_cut` the text may end anywhere: what is whole of
    its last hunk counts.

    Every path is there once. Two sections of one path are merged: as one file whose type changed
    (a file became a link), else, from the diffs of several commits, as a file whose lines have no
    single number (`is_combined`).

    Raises DiffError, with the diff's line number where there is one.
    """
    decoded, undecodable = _decoded(text)
    if not decoded.strip():
        return Change(files=(), title=title)
    try:
        files = _read(decoded)
    except DiffError:
        if not allow_cut:
            raise
        files = _read(decoded[: decoded.rfind("\n") + 1], cut=True)
    if undecodable:
        files = [_cleaned(file) for file in files]
    return with_kinds(Change(tuple(files), title), attributes=attributes, base=base)


def _decoded(text: str | bytes) -> tuple[str, bool]:
    """The text, and whether it has bytes that are no UTF-8 (kept as surrogate escapes)."""
    undecodable = False
    try:
        if isinstance(text, str):
            text.encode()
        else:  # PowerShell's `>` writes UTF-16
            text = text.decode("utf-16" if text.startswith(_UTF_16) else "utf-8")
    except UnicodeError:
        raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        text, undecodable = raw.decode("utf-8", "surrogateescape"), True
    text = text.removeprefix("\ufeff")
    if "\r\n" in text and _WHOLLY_CRLF.search(
        text
    ):  # git ends its own lines with LF: something converted the file
        text = text.replace("\r\n", "\n")
    return text, undecodable


def _read(text: str, *, cut: bool = False) -> list[FileChange]:
    lines = Lines.of(text)
    is_git = looks_like_git(text)
    files = _merged(read_sections(lines, cut=cut) if is_git else read_plain(lines))
    if not files or not (is_git or any(file.hunks or file.is_binary for file in files)):
        raise DiffError(
            "not a unified diff: expected `diff --git` lines, or `---` and `+++` lines before `@@`"
        )
    return files


def _cleaned(file: FileChange) -> FileChange:
    """The file with U+FFFD for each byte of its lines that is no UTF-8."""

    def clean(text: str) -> str:
        return _SURROGATE.sub("\ufffd", text)

    def cleaned(hunk: Hunk) -> Hunk:
        return replace(hunk, section=clean(hunk.section), body=tuple(map(clean, hunk.body)))

    return replace(file, hunks=tuple(map(cleaned, file.hunks)))


def _merged(files: Iterable[FileChange]) -> list[FileChange]:
    """Each path once."""
    by_path: dict[str, list[FileChange]] = {}
    for file in files:
        by_path.setdefault(file.path, []).append(file)
    return [_one(same) if len(same) > 1 else same[0] for same in by_path.values()]


def _one(sections: list[FileChange]) -> FileChange:
    """Several sections of one path as one file; the text's order of commits is not known."""
    first, last = sections[0], sections[-1]
    old_modes = [file.old_mode for file in sections if file.old_mode]
    new_modes = [file.new_mode for file in reversed(sections) if file.new_mode]
    retyped = (
        [file.status for file in sections] == [Status.DELETED, Status.ADDED]
        # 100: a file, 120: a link, 160: a submodule
        and (first.old_mode or "")[:3] != (last.new_mode or "")[:3]
    )
    several = sum(bool(file.hunks) for file in sections) > 1 and not retyped
    return FileChange(
        path=first.path,
        status=_status_of_all({file.status for file in sections}),
        old_path=next((file.old_path for file in sections if file.old_path), None),
        hunks=tuple(hunk for file in sections for hunk in file.hunks),
        old_mode=old_modes[0] if old_modes else None,
        new_mode=new_modes[0] if new_modes else None,
        is_binary=any(file.is_binary for file in sections),
        is_submodule=any(file.is_submodule for file in sections),
        is_combined=several or any(file.is_combined for file in sections),
        patch_missing=any(file.patch_missing for file in sections),
    )


def _status_of_all(statuses: set[Status]) -> Status:
    """What all come to: added and then deleted (or the other way round) is modified."""
    if {Status.ADDED, Status.DELETED} <= statuses:
        return Status.MODIFIED
    telling = (Status.ADDED, Status.DELETED, Status.RENAMED, Status.COPIED)
    return next((status for status in telling if status in statuses), Status.MODIFIED)

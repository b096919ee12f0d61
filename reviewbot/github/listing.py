"""A pull request's files one by one, for the diffs that GitHub does not give whole.

Of a long page GitHub zeroes what comes last: `changes: 0` and no `patch`, as if nothing had
changed. Such files are asked for again in smaller pages, and declared where that does not help.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from reviewbot.change.hunks import parse_patch
from reviewbot.change.model import FileChange, Hunk, Status
from reviewbot.errors import DiffError, SourceError
from reviewbot.github.client import PER_PAGE, not_github

if TYPE_CHECKING:
    from github import Github

#: GitHub lists no more files of a pull request.
MAX_FILES = 3000
#: A page from these sizes on may have been cut: half of the 20,000 lines and 1 MB at which
#: GitHub stops to load a diff (docs: "Limits for viewing content and diffs").
CUT_LINES, CUT_CHARACTERS = 10_000, 500_000
#: Requests spent on asking again.
MAX_REPEATS = 100

_EMPTY_BLOBS = frozenset(
    (
        "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
        "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
    )
)
_STATUS: Mapping[str, Status] = {
    "added": Status.ADDED,
    "removed": Status.DELETED,
    "modified": Status.MODIFIED,
    "changed": Status.MODIFIED,
    "unchanged": Status.MODIFIED,
    "renamed": Status.RENAMED,
    "copied": Status.COPIED,
}


class Entry(NamedTuple):
    """One file as GitHub lists it."""

    path: str
    status: str
    changes: int
    """Lines added and removed; 0 also where GitHub gave up counting."""
    patch: str | None
    old_path: str | None
    sha: str

    @property
    def is_silent(self) -> bool:
        """Nothing is said of its lines: unchanged, binary, or cut off."""
        return self.patch is None and self.changes == 0


class FileList:
    """Reads `GET /repos/{repository}/pulls/{number}/files`."""

    def __init__(self, client: "Github", repository: str, number: int) -> None:
        self._requester = client.requester
        self._url = f"/repos/{repository}/pulls/{number}/files"
        self._repeats = MAX_REPEATS

    def read(self) -> tuple[FileChange, ...]:
        """The files, at most `MAX_FILES`, each path once; their kinds are not told yet."""
        files: dict[str, FileChange] = {}
        for number in range(1, MAX_FILES // PER_PAGE + 1):
            page, more = self._page(number, PER_PAGE)
            for entry in self._completed(page, number, PER_PAGE):
                files[entry.path] = as_file(entry)
            if not more:
                break
        return tuple(files.values())

    def _completed(self, page: list[Entry], number: int, size: int) -> list[Entry]:
        """The page with its silent entries asked for again, a tenth of the page at a time."""
        smaller = size // 10
        if not smaller or not _may_be_cut(page):
            return page
        completed = list(page)
        for start in range(0, len(page), smaller):
            part = page[start : start + smaller]
            if not self._repeats or not any(entry.is_silent for entry in part):
                continue
            self._repeats -= 1
            part_number = (number - 1) * 10 + start // smaller + 1
            again, _ = self._page(part_number, smaller)
            again = self._completed(again, part_number, smaller)
            if [entry.path for entry in again] == [entry.path for entry in part]:
                completed[start : start + smaller] = again
        return completed

    def _page(self, number: int, size: int) -> tuple[list[Entry], bool]:
        parameters = {"per_page": size, "page": number}
        headers, data = self._requester.requestJsonAndCheck("GET", self._url, parameters)
        if not isinstance(data, list):
            raise SourceError(not_github(self._requester.hostname))
        link = headers.get("link")
        more = len(data) == size if link is None else 'rel="next"' in link
        return [self._entry(item) for item in data], more and bool(data)

    def _entry(self, item: Any) -> Entry:
        try:
            return Entry(
                path=str(item["filename"]),
                status=str(item["status"]),
                changes=int(item["changes"]),
                patch=item.get("patch"),
                old_path=item.get("previous_filename"),
                sha=str(item["sha"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise SourceError(not_github(self._requester.hostname)) from None


def _may_be_cut(page: list[Entry]) -> bool:
    lines = sum(entry.changes for entry in page)
    characters = sum(len(entry.patch or "") for entry in page)
    return lines >= CUT_LINES or characters >= CUT_CHARACTERS


def as_file(entry: Entry) -> FileChange:
    """The file, with `patch_missing` unless its hunks are whole or it surely has none."""
    status = _STATUS.get(entry.status, Status.MODIFIED)
    hunks, missing = _hunks(entry)
    is_binary = missing and entry.is_silent and _has_binary_name(entry.path)
    changed = [raw[1:] for hunk in hunks for raw in hunk.body if raw[:1] != " "]
    return FileChange(
        path=entry.path,
        status=status,
        old_path=entry.old_path if status in (Status.RENAMED, Status.COPIED) else None,
        hunks=hunks,
        is_binary=is_binary,
        is_submodule=bool(changed) and all(map(_is_submodule_line, changed)),
        patch_missing=missing and not is_binary,
    )


def _hunks(entry: Entry) -> tuple[tuple[Hunk, ...], bool]:
    """The patch's hunks; whether there must be more than that."""
    if entry.patch is None:
        unchanged = entry.status in ("renamed", "copied", "unchanged") or entry.sha in _EMPTY_BLOBS
        return (), entry.changes > 0 or not unchanged
    try:
        hunks = parse_patch(entry.patch)
    except DiffError:
        return (), True
    shown = sum(len(hunk.added) + len(hunk.removed) for hunk in hunks)
    return ((), True) if shown < entry.changes else (hunks, False)


def _is_submodule_line(text: str) -> bool:
    word, _, sha = text.partition("Subproject commit ")
    return not word and len(sha) in (40, 64) and not sha.strip("0123456789abcdef")


def _has_binary_name(path: str) -> bool:
    from identify.identify import tags_from_filename  # 40 ms of tables

    return "binary" in tags_from_filename(path.rpartition("/")[2])

"""Diffs that real git (and GNU diff) wrote, beside what reviewbot must read in them."""

import json
from pathlib import Path

import pytest
from unidiff import PatchSet

from reviewbot.change.model import Change, FileChange
from reviewbot.change.parse import parse_diff

GOLDEN = sorted(
    path
    for path in (Path(__file__).parents[1] / "data").glob("*.diff")
    if path.with_suffix(".json").exists()
)
BEYOND_UNIDIFF = {"paths", "merge", "submodule_log", "mailbox", "log", "custom_prefix", "no_prefix"}
"""Where unidiff has no word for it, or (paths, prefixes, series) another one than git's."""


def described(file: FileChange) -> dict[str, object]:
    flags = [name for name in ("binary", "submodule", "combined") if getattr(file, f"is_{name}")]
    return {
        "path": file.path,
        "status": file.status,
        "kind": file.kind,
        "language": file.language,
        "old_path": file.old_path,
        "modes": [file.old_mode, file.new_mode],
        "is": flags + ["commentable"] * file.commentable,
        "added": file.added_count,
        "removed": file.removed_count,
        "no_newline": [
            any(hunk.old_no_newline for hunk in file.hunks),
            any(hunk.new_no_newline for hunk in file.hunks),
        ],
        "lines": [[line.marker, line.old, line.new, line.text] for line in file.lines()],
    }


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_reads_what_the_file_beside_says(path: Path) -> None:
    change = parse_diff(path.read_bytes())

    assert [described(file) for file in change.files] == json.loads(
        path.with_suffix(".json").read_text("utf-8")
    )


def test_there_are_golden_diffs() -> None:
    assert len(GOLDEN) >= 15


@pytest.mark.parametrize(
    "path", [path for path in GOLDEN if path.stem not in BEYOND_UNIDIFF], ids=lambda path: path.stem
)
def test_agrees_with_unidiff(path: Path) -> None:
    text = path.read_bytes().decode("utf-8", "replace")

    assert counted(parse_diff(text)) == counted_by_unidiff(text)


def counted(change: Change) -> dict[str, tuple[int, int, list[tuple[int | None, int | None]]]]:
    return {
        file.path: (
            file.added_count,
            file.removed_count,
            [(line.old, line.new) for line in file.lines()],
        )
        for file in change.files
    }


def counted_by_unidiff(
    text: str,
) -> dict[str, tuple[int, int, list[tuple[int | None, int | None]]]]:
    found: dict[str, tuple[int, int, list[tuple[int | None, int | None]]]] = {}
    for file in PatchSet(text):
        numbers = [
            (line.source_line_no, line.target_line_no)
            for hunk in file
            for line in hunk
            if line.source_line_no or line.target_line_no
        ]
        path = file.path.removeprefix("old/").removeprefix("new/")  # GNU diff's folders
        added, removed, earlier = found.get(path, (0, 0, []))  # a file that became a link is two
        found[path] = (added + file.added, removed + file.removed, earlier + numbers)
    return found

"""No text does the parser harm, and what it reads is what the diff says."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewbot.change.hunks import parse_patch
from reviewbot.change.model import Change, FileChange, Hunk, Status
from reviewbot.change.parse import parse_diff
from reviewbot.errors import DiffError

GOLDEN = [path.read_bytes() for path in (Path(__file__).parents[1] / "data").glob("*.diff")]
LOOKALIKES = [
    "diff --git a/x b/x",
    "--- a/x",
    "+++ b/x",
    "@@ -1 +1 @@",
    "@@@ -1 -1 +1 @@@",
    "\\ No newline at end of file",
    "-- ",
    "rename from x",
    "Binary files a and b differ",
    "Submodule x 1111111..2222222:",
    "GIT binary patch",
    "",
]

quick = settings(deadline=None, max_examples=150, database=None)
texts = st.one_of(
    st.sampled_from(LOOKALIKES),
    st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=12),
)
lines_of_a_file = st.lists(texts, max_size=12)


def check(change: Change) -> None:
    """What holds of every change."""
    paths = [file.path for file in change.files]
    assert len(set(paths)) == len(paths)
    assert all(paths)
    for file in change.files:
        for hunk in file.hunks:
            assert hunk.old_count == sum(line.marker != "+" for line in hunk.lines)
            assert hunk.new_count == sum(line.marker != "-" for line in hunk.lines)
        for (side, number), (index, line) in file.by_number.items():
            assert line in file.hunks[index].lines
            assert (line.side, line.number) == (side, number)
            line.text.encode()  # raises where a surrogate is left


def read_or_refused(text: str | bytes, *, allow_cut: bool = False) -> None:
    """Any other exception than DiffError fails the test."""
    try:
        change = parse_diff(text, allow_cut=allow_cut)
    except DiffError as refused:
        message = str(refused)
    else:
        check(change)
        return
    assert "\n" not in message


@quick
@given(st.one_of(st.binary(), st.text()))
def test_any_input_is_a_change_or_refused(text: str | bytes) -> None:
    read_or_refused(text)


@quick
@given(
    st.lists(
        st.one_of(texts, st.sampled_from(["+", "-", " "]).flatmap(lambda m: texts.map(m.__add__)))
    ),
    st.booleans(),
)
def test_any_lines_of_a_diff_are_a_change_or_refused(lines: list[str], cut: bool) -> None:
    read_or_refused("\n".join(lines), allow_cut=cut)


@settings(quick, max_examples=400)
@given(st.sampled_from(GOLDEN), st.data())
def test_a_damaged_diff_is_a_change_or_refused(diff: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(diff)))
    end = data.draw(st.integers(start, min(len(diff), start + 30)))
    damaged = diff[:start] + data.draw(st.binary(max_size=8)) + diff[end:]

    read_or_refused(damaged)


@settings(quick, max_examples=100)
@given(st.sampled_from(GOLDEN), st.data())
def test_a_cut_diff_can_be_read(diff: bytes, data: st.DataObject) -> None:
    cut = diff[: data.draw(st.integers(0, len(diff)))]

    read_or_refused(cut, allow_cut=True)


@st.composite
def hunks(draw: st.DrawFn) -> tuple[Hunk, ...]:
    made = []
    old = new = 1
    for _ in range(draw(st.integers(1, 3))):
        body = tuple(
            draw(
                st.lists(
                    st.builds(str.__add__, st.sampled_from("+- "), texts), min_size=1, max_size=8
                )
            )
        )
        gap = draw(st.integers(1, 40))
        old, new = old + gap, new + gap
        counts = [sum(line[0] != marker for line in body) for marker in "+-"]
        section = draw(st.sampled_from(["", "def f():", "@@ odd"]))
        made.append(Hunk(old, counts[0], new, counts[1], section, body))
        old, new = old + counts[0], new + counts[1]
    return tuple(made)


def rendered(path: str, parts: tuple[Hunk, ...]) -> str:
    """A file's diff, written by hand as git would."""
    rows = [f"diff --git a/{path} b/{path}", f"--- a/{path}", f"+++ b/{path}"]
    for hunk in parts:
        rows.append(
            f"@@ -{hunk.old_start},{hunk.old_count} +{hunk.new_start},{hunk.new_count} @@ {hunk.section}"
        )
        rows += hunk.body
    return "\n".join(rows) + "\n"


@quick
@given(st.lists(hunks(), min_size=1, max_size=4))
def test_what_is_rendered_is_read_back(files: list[tuple[Hunk, ...]]) -> None:
    text = "".join(rendered(f"src/f {number}.go", parts) for number, parts in enumerate(files))

    change = parse_diff(text)

    assert [file.hunks for file in change.files] == files
    assert [file.status for file in change.files] == [Status.MODIFIED] * len(files)
    first = text.partition("+++ ")[2].partition("\n")[2].partition("diff --git a/src/f 1.go b")[0]
    assert parse_patch(first) == files[0]
    check(change)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compared")


@settings(quick, max_examples=40)
@given(
    before=lines_of_a_file, after=lines_of_a_file, context=st.integers(0, 4), ended=st.booleans()
)
def test_the_diff_of_two_texts_turns_one_into_the_other(
    folder: Path, before: list[str], after: list[str], context: int, ended: bool
) -> None:
    ending = "\n" * ended
    for name, rows in (("old", before), ("new", after)):
        (folder / name).write_bytes(("\n".join(rows) + ending * bool(rows)).encode())
    diff = subprocess.run(
        ["git", "diff", "--no-index", "--text", f"-U{context}", "old", "new"],
        cwd=folder,
        env=os.environ | {"GIT_CONFIG_GLOBAL": os.devnull},
        capture_output=True,
    ).stdout

    change = parse_diff(diff)

    check(change)
    old, new = ((folder / name).read_bytes().decode() for name in ("old", "new"))
    assert applied(change.files, old) == new
    if change.files:
        assert (change.files[0].path, change.files[0].old_path) == ("new", "old")


def applied(files: tuple[FileChange, ...], text: str) -> str:
    """The text with the first file's hunks applied, by their new numbers."""
    rows = text.split("\n")
    unended = rows.pop() if rows[-1] else rows.pop() or None
    if unended is not None:
        rows.append(unended)
    ended = unended is None
    for hunk in reversed(files[0].hunks if files else ()):
        start = hunk.old_start - 1 + (hunk.old_count == 0)
        assert [raw[1:] for raw in hunk.body if raw[0] != "+"] == rows[
            start : start + hunk.old_count
        ]
        rows[start : start + hunk.old_count] = [raw[1:] for raw in hunk.body if raw[0] != "-"]
        if hunk.old_no_newline or hunk.new_no_newline:
            ended = not hunk.new_no_newline
    return "\n".join(rows) + "\n" * (ended and bool(rows))

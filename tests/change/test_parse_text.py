"""Texts by hand: what other tools write, what is broken, and what is no diff at all."""

import pytest

from reviewbot.change.hunks import parse_patch
from reviewbot.change.model import Status
from reviewbot.change.parse import parse_diff
from reviewbot.errors import DiffError

HUNK = "@@ -1,3 +1,3 @@ def f():\n a\n-b\n+B\n c\n"
FILE = "diff --git a/x.py b/x.py\nindex 1111111..2222222 100644\n--- a/x.py\n+++ b/x.py\n"


@pytest.mark.parametrize("nothing", ["", "\n", b"", "  \n\n", "\ufeff"])
def test_an_empty_text_is_an_empty_change(nothing: str | bytes) -> None:
    assert parse_diff(nothing).files == ()


@pytest.mark.parametrize(
    "text",
    [
        "hello\n",
        '{"json": true}',
        b"\x00\x01\xff\xfe",
        "--- a title\ntext\n",
        "--- a\n+++ b\n",
        "@@\n",
    ],
)
def test_what_is_no_diff_is_refused_in_one_line(text: str | bytes) -> None:
    with pytest.raises(DiffError, match=r"^not a unified diff: expected `diff --git`.*$"):
        parse_diff(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (FILE + "@@ -1,3 +1,3 @@\n a\n-b\n", "line 7 .*ends within the hunk of line 5"),
        (FILE, "line 4 .*ends before the file's first hunk"),
        (FILE + "@@ -1,2 +1,2 @@\n a\n-b\n+B\n c\n", "line 9 .*more lines than its header counts"),
        (FILE + "@@ -1,1 +1,2 @@\n-a\n-b\n+c\n+d\n", "line 5 .*don't fit the counts"),
        (FILE + "@@ -1,3 +1,3 @@\n a\n" + FILE, "line 7 .*within the hunk of line 5: 'diff --git"),
        (FILE + "@@ -1,x +1 @@\n a\n", "line 5 .*not a hunk header"),
        (FILE + f"@@ -1 +{'9' * 5000} @@\n a\n", "line 5 .*not a hunk header"),
        (HUNK + FILE + HUNK, "line 1 .*a hunk without the file"),
        (f"diff --git {'x y ' * 9000}\nold mode 100644\n", "line 1 .*can't tell the file's path"),
        ("diff --cc \nindex 1,2..3\n", "line 1 .*can't tell the file's path"),
        ("diff --cc x\n@@@ -1 +1 @@@\n", "line 2 .*not the header of a combined hunk"),
        ("diff --cc x\n@@@ -1 -1 +1 @@@\n+-a\n", "line 3 .*not a line of a combined hunk"),
        ("diff --cc x\n@@@ -1 -1 +1 @@@\n", "line 2 .*ends within the hunk"),
        ("--- x\n+++ x\n@@ -1,3 +1,3 @@\n a\n-b\n", "line 5 .*shorter than expected"),
        ("--- x\n+++ x\n@@ -1,2 +1,2 @@\n a\n-b\n+B\n c\n", "line 7 .*more lines than its header"),
        ("--- x\n+++ x\n@@ -1 +1 @@\n!a\n", "line 4 .*Hunk diff line expected"),
        (f"--- x\n+++ x\n@@ -{'9' * 5000} +1 @@\n a\n", "line 3 "),
        ("--- \n+++ \n@@ -1 +1 @@\n-a\n+b\n", "a file without a name"),
        ("Binary files a" + " and b" * 999 + " differ\n", "line 1 .*not the names of two files"),
    ],
)
def test_a_broken_diff_is_refused_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(DiffError, match=problem) as refused:
        parse_diff(text)

    message = str(refused.value)
    assert "\n" not in message
    assert len(message) < 200


@pytest.mark.parametrize("patch", ["hello", HUNK + "tail\n", "@@ -1 +1 @@\n-a\n"])
def test_a_broken_patch_is_refused(patch: str) -> None:
    with pytest.raises(DiffError, match=r"^line \d+ of the diff: "):
        parse_patch(patch)


def test_an_empty_patch_has_no_hunks() -> None:
    assert parse_patch("") == ()


def test_a_cut_text_keeps_what_is_whole_when_asked() -> None:
    text = (
        FILE
        + HUNK
        + "diff --git a/y.py b/y.py\n--- a/y.py\n+++ b/y.py\n@@ -1,9 +1,9 @@\n a\n+b\n+hal"
    )

    change = parse_diff(text, allow_cut=True)

    first, second = change.files
    assert first == parse_diff(FILE + HUNK).files[0]
    assert [line.text for line in second.lines()] == ["a", "b"]
    assert (second.hunks[0].old_count, second.hunks[0].new_count) == (1, 2)


def test_a_whole_text_is_not_cut_when_cutting_is_allowed() -> None:
    assert parse_diff(FILE + HUNK, allow_cut=True) == parse_diff(FILE + HUNK)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_what_powershell_writes_is_read(encoding: str) -> None:
    converted = (FILE + HUNK).replace("\n", "\r\n").encode(encoding)

    assert parse_diff(converted) == parse_diff(FILE + HUNK)


def test_carriage_returns_of_the_files_themselves_stay() -> None:
    (file,) = parse_diff(FILE + "@@ -1,2 +1,2 @@\n a\r\n--- b\r\n+++ c\r\n").files

    assert [line.text for line in file.lines()] == ["a\r", "-- b\r", "++ c\r"]


def test_context_lines_that_an_editor_stripped_are_restored() -> None:
    stripped = FILE + "@@ -1,4 +1,4 @@\n a\n\n-b\n+B\n\r\n"

    (file,) = parse_diff(stripped).files

    assert file.hunks[0].body == (" a", " ", "-b", "+B", " \r")


def test_surrogates_in_a_text_are_replaced() -> None:
    (file,) = parse_diff(FILE + "@@ -0,0 +1 @@\n+a\udcff\ud800b\n").files

    (line,) = file.lines()
    assert line.text.strip("ab") == "\ufffd" * 6
    assert line.text.encode()


def test_text_around_a_diff_is_passed_over() -> None:
    mail = "From 1 Mon Sep 17\nSubject: x\n\n--- a\n+++ b\n---\n x.py | 2 +-\n\n"

    (file,) = parse_diff(mail + FILE + HUNK + "-- \n2.39.5\n\n").files

    assert (file.path, file.added_count, file.removed_count) == ("x.py", 1, 1)
    assert file.hunks[0].section == "def f():"


def test_a_plain_diff_may_follow_a_git_one() -> None:
    files = parse_diff(FILE + HUNK + "--- a/y.py\n+++ b/y.py\n" + HUNK).files

    assert [file.path for file in files] == ["x.py", "y.py"]


@pytest.mark.parametrize(
    ("old", "new", "path", "old_path"),
    [
        ("a/x.py", "b/x.py", "x.py", None),
        ("x.py\t(revision 1)", "x.py\t(working copy)", "x.py", None),
        ("old/lib/x.py\t2026-01-05", "new/lib/x.py\t2026-01-06", "lib/x.py", None),
        ("a/x.py\tThu Jan 01", "b/x.py\tFri Jan 02", "x.py", None),
        ("x.py.orig", "x.py", "x.py", "x.py.orig"),
        ('"a/zo\\303\\253.py"', '"b/zo\\303\\253.py"', "zoë.py", None),
    ],
)
def test_a_plain_diff_names_its_file(old: str, new: str, path: str, old_path: str | None) -> None:
    (file,) = parse_diff(f"Index: x\n=====\n--- {old}\n+++ {new}\n{HUNK}").files

    assert (file.path, file.old_path) == (path, old_path)
    assert [line.number for line in file.lines()] == [1, 2, 2, 3]


def test_a_plain_diff_in_another_language_knows_its_missing_line_feed() -> None:
    (file,) = parse_diff(
        "--- x\n+++ x\n@@ -1 +1 @@\n-a\n+b\n\\ Kein Zeilenumbruch am Dateiende.\n"
    ).files

    assert (file.hunks[0].old_no_newline, file.hunks[0].new_no_newline) == (False, True)


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [("/dev/null", "b/x", Status.ADDED), ("a/x", "/dev/null", Status.DELETED)],
)
def test_a_plain_diff_adds_and_deletes(old: str, new: str, status: Status) -> None:
    body = "@@ -0,0 +1 @@\n+a\n" if status is Status.ADDED else "@@ -1 +0,0 @@\n-a\n"

    (file,) = parse_diff(f"--- {old}\n+++ {new}\n{body}").files

    assert (file.path, file.status) == ("x", status)


def test_fifty_thousand_lines_and_three_thousand_files() -> None:
    long = FILE + "@@ -0,0 +1,50000 @@\n" + "+line\n" * 50_000
    many = "".join((FILE + HUNK).replace("x.py", f"x{number}.py") for number in range(3000))

    (file,) = parse_diff(long).files
    assert file.by_number["RIGHT", 50_000][1].new == 50_000
    assert len(parse_diff(many).files) == 3000
    assert parse_diff("--- x\n+++ x\n" + long.split("\n", 4)[4]).files[0].added_count == 50_000

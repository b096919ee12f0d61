"""Each thing that git can say of a file, from a repository in which it happened."""

import pytest
from git_repository import Repository

from reviewbot.change.hunks import parse_patch
from reviewbot.change.model import FileChange, Kind, Status
from reviewbot.change.parse import parse_diff

TEN = "".join(f"line {number}\n" for number in range(1, 11))


def only_file(diff: bytes) -> FileChange:
    (file,) = parse_diff(diff).files
    return file


NAMES = [
    "plain.py",
    "with space/in it.py",
    "b/a/b/x.py",
    "a b/a b/a b",
    "naïve/ünï.py",
    'quote".py',
    "tab\t.py",
    "line\nfeed.py",
    "back\\slash.py",
    "-- a",
    "文書.md",
    "café\x01.py",
]


@pytest.mark.parametrize("quoted", ["true", "false"])
@pytest.mark.parametrize("prefix", ["--no-prefix", "--src-prefix=a/", "--src-prefix=old tree/"])
def test_paths_are_read_as_they_were_written(
    repository: Repository, quoted: str, prefix: str
) -> None:
    repository.commit()
    for name in NAMES:
        repository.write(name, TEN)
        repository.write(f"empty/{name}", "")
    repository.commit()

    diff = repository.git("-c", f"core.quotePath={quoted}", "diff", prefix, "HEAD~1", "HEAD")

    assert {file.path for file in parse_diff(diff).files} == {
        path for name in NAMES for path in (name, f"empty/{name}")
    }


@pytest.mark.parametrize("quoted", ["true", "false"])
def test_a_path_that_is_no_utf8_is_escaped(repository: Repository, quoted: str) -> None:
    repository.commit()
    repository.write(b"zo\xeb.py", b"na\xefve\n")
    repository.commit()

    diff = repository.git("-c", f"core.quotePath={quoted}", "show", "--format=")
    file = only_file(diff)

    assert file.path == "zo\\xeb.py"
    assert [line.text for line in file.lines()] == ["na\ufffdve"]


def test_a_rename_keeps_both_paths(repository: Repository) -> None:
    repository.write("old name.py", TEN)
    repository.commit()
    repository.git("mv", "old name.py", "new name.py")
    repository.commit()

    file = only_file(repository.diff("-M"))

    assert (file.status, file.old_path, file.path) == (Status.RENAMED, "old name.py", "new name.py")
    assert not file.commentable


def test_a_copy_names_its_origin(repository: Repository) -> None:
    repository.write("one.py", TEN)
    repository.commit()
    repository.write("two.py", TEN + "more\n")
    repository.commit()

    file = only_file(repository.diff("-C", "--find-copies-harder"))

    assert (file.status, file.old_path, file.path) == (Status.COPIED, "one.py", "two.py")
    assert file.added_count == 1


def test_a_mode_change_alone_has_no_lines(repository: Repository) -> None:
    repository.write("run me.sh", "#!/bin/sh\n")
    repository.commit()
    (repository.path / "run me.sh").chmod(0o755)
    repository.commit()

    file = only_file(repository.diff())

    assert (file.path, file.old_mode, file.new_mode) == ("run me.sh", "100644", "100755")
    assert (file.status, file.hunks) == (Status.MODIFIED, ())


@pytest.mark.parametrize("options", [(), ("--binary",), ("--full-index",)])
def test_binary_files_have_a_path_and_no_lines(
    repository: Repository, options: tuple[str, ...]
) -> None:
    repository.write("lo go.png", b"\0\1")
    repository.write("gone.bin", b"\0\2")
    repository.commit()
    repository.write("lo go.png", b"\0\3")
    repository.write("new.bin", b"\0" * 4000)
    (repository.path / "gone.bin").unlink()
    repository.commit()

    files = parse_diff(repository.diff(*options)).files

    assert {(file.path, file.status) for file in files} == {
        ("gone.bin", Status.DELETED),
        ("lo go.png", Status.MODIFIED),
        ("new.bin", Status.ADDED),
    }
    assert all(file.is_binary and file.kind is Kind.BINARY and not file.hunks for file in files)


def test_a_file_that_became_a_link_is_one_file(repository: Repository) -> None:
    repository.write("config", "secret = 1\nother = 2\n")
    repository.commit()
    (repository.path / "config").unlink()
    (repository.path / "config").symlink_to("/etc/passwd")
    repository.commit()

    file = only_file(repository.diff())

    assert (file.status, file.old_mode, file.new_mode) == (Status.MODIFIED, "100644", "120000")
    assert set(file.by_number) == {("LEFT", 1), ("LEFT", 2), ("RIGHT", 1)}


@pytest.mark.parametrize("option", ["--cc", "-c"])
def test_a_merge_is_read_for_its_result_and_never_commentable(
    repository: Repository, option: str
) -> None:
    repository.write("sp ace.py", TEN)
    repository.commit()
    repository.git("checkout", "-qb", "side")
    repository.write("sp ace.py", TEN.replace("line 5", "side 5"))
    repository.commit()
    repository.git("checkout", "-q", "main")
    repository.write("sp ace.py", TEN.replace("line 5", "main 5"))
    repository.commit()
    repository.git("merge", "-q", "side")
    repository.write("sp ace.py", TEN.replace("line 5", "both 5"))
    repository.commit()

    file = only_file(repository.git("show", option))

    assert (file.path, file.is_combined, file.commentable) == ("sp ace.py", True, False)
    assert [(line.new, line.text) for line in file.lines() if line.marker == "+"] == [(5, "both 5")]
    assert {line.text for line in file.lines() if line.marker == "-"} == {"side 5", "main 5"}


def test_a_conflict_is_read_while_it_lasts(repository: Repository) -> None:
    repository.write("x.py", "base\n")
    repository.commit()
    repository.git("checkout", "-qb", "side")
    repository.write("x.py", "side\n")
    repository.commit()
    repository.git("checkout", "-q", "main")
    repository.write("x.py", "main\n")
    repository.commit()
    repository.git("merge", "-q", "side")

    worktree = only_file(repository.git("diff"))
    staged = only_file(repository.git("diff", "--cached"))

    assert worktree.is_combined
    assert worktree.added_count == 5  # three conflict markers, and a line of each parent
    assert (staged.path, staged.patch_missing) == ("x.py", True)


@pytest.mark.parametrize("how", ["short", "log", "diff"])
def test_a_submodule_is_a_dependency_whose_version_moved(
    repository: Repository, library: Repository, how: str
) -> None:
    for text in ("1\n", "2\n"):
        library.write("f", text)
        library.commit()
    repository.git(
        "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../library", "lib s"
    )
    repository.commit()
    repository.git("-C", "lib s", "checkout", "-q", "HEAD~1")
    repository.commit()

    files = {file.path: file for file in parse_diff(repository.diff(f"--submodule={how}")).files}

    assert files["lib s"].is_submodule
    assert files["lib s"].kind is Kind.MANIFEST
    assert set(files) == {"lib s", "lib s/f"} if how == "diff" else {"lib s"}


def test_each_commit_of_a_series_counts(repository: Repository) -> None:
    repository.write("a.py", "1\n")
    repository.commit()
    for text in ("2\n", "3\n"):
        repository.write("a.py", text)
        repository.write(f"only {text.strip()}.py", text)
        repository.commit()

    for series in (
        repository.git("log", "-p", "HEAD~2.."),
        repository.git("format-patch", "--stdout", "HEAD~2"),
    ):
        files = {file.path: file for file in parse_diff(series).files}

        assert set(files) == {"a.py", "only 2.py", "only 3.py"}
        assert (files["a.py"].added_count, files["a.py"].commentable) == (2, False)
        assert files["only 2.py"].commentable


def test_deleted_and_empty_files(repository: Repository) -> None:
    repository.write("full.py", TEN)
    repository.write("empty.py", "")
    repository.commit()
    repository.git("rm", "-q", "full.py", "empty.py")
    repository.write("fresh.py", "")
    repository.commit()

    files = {file.path: file.status for file in parse_diff(repository.diff("--no-renames")).files}

    assert files == {
        "full.py": Status.DELETED,
        "empty.py": Status.DELETED,
        "fresh.py": Status.ADDED,
    }


@pytest.mark.parametrize(
    ("before", "after", "flags"),
    [
        ("a\nb", "a\nb\n", (True, False)),
        ("a\nb\n", "a\nb", (False, True)),
        ("a\nb", "a\nc", (True, True)),
        ("x\nb", "y\nb", (True, True)),
        ("x\nb\n", "y\nb\n", (False, False)),
    ],
)
def test_a_missing_last_line_feed_is_a_flag_and_no_line(
    repository: Repository, before: str, after: str, flags: tuple[bool, bool]
) -> None:
    repository.write("f", before)
    repository.commit()
    repository.write("f", after)
    repository.commit()

    (hunk,) = only_file(repository.diff()).hunks

    assert (hunk.old_no_newline, hunk.new_no_newline) == flags
    assert "".join(line.text + "\n" for line in hunk.lines if line.marker != "-").rstrip(
        "\n"
    ) == after.rstrip("\n")


def test_a_patch_of_the_api_has_the_hunks_of_its_file(repository: Repository) -> None:
    repository.write("f.py", TEN * 3)
    repository.commit()
    repository.write("f.py", "first\n" + TEN * 3 + "last")
    repository.commit()
    diff = repository.diff().decode()

    hunks = parse_patch(diff[diff.index("@@") :].removesuffix("\n"))

    assert hunks == only_file(diff.encode()).hunks
    assert len(hunks) == 2

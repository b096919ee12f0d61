"""Repositories and revisions that want git to do more than read."""

import stat
from pathlib import Path

import pytest

from reviewbot.errors import SourceError
from reviewbot.git import plumbing
from reviewbot.git.ranges import read_range


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A program that leaves a file behind when it is run."""
    program = tmp_path / "trap.sh"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> "{tmp_path}/sprung"\ncat\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


@pytest.mark.parametrize(
    "revision",
    [
        "--output=stolen",
        "-h",
        "--upload-pack=touch stolen",
        "--help",
        "HEAD --output=stolen",
        "HEAD\n--output=stolen",
        "HEAD\0",
        "@{upstream}",
        "@{-1}",
        "HEAD^{tree}",
        "$(touch stolen)",
        "main..--output=stolen",
        "--output=stolen..main",
        "main...--all",
        "\ud800",
        "^HEAD",
        "",
        " ",
    ],
)
def test_hostile_revisions_are_unknown(repo, revision: str) -> None:
    with pytest.raises(SourceError, match="unknown revision") as caught:
        read_range(repo.folder, revision)

    assert str(caught.value).isprintable()
    assert sorted(path.name for path in repo.folder.iterdir()) == [".git", "README.md", "shop.py"]


def test_a_branch_named_like_an_option_is_only_a_branch(repo) -> None:
    repo.git("update-ref", "refs/heads/--output=stolen", "HEAD")

    fetched = read_range(repo.folder, "--output=stolen")

    assert fetched.branch == "--output=stolen"
    assert not (repo.folder / "--output=stolen").exists()
    assert not (repo.folder / "stolen").exists()


def test_no_program_of_the_repository_runs(repo, trap: Path, tmp_path: Path) -> None:
    repo.commit_files("Base", {".gitattributes": "*.py diff=evil filter=evil\n", "a.py": "a = 1\n"})
    repo.commit("Change", a_dot_py="a = 2\n")
    (repo.folder / ".git" / "info" / "attributes").write_text("*.py diff=evil filter=evil\n")
    for key in (
        "diff.external",
        "diff.evil.command",
        "diff.evil.textconv",
        "filter.evil.smudge",
        "filter.evil.clean",
        "filter.evil.process",
        "core.fsmonitor",
        "core.pager",
        "core.editor",
        "core.sshCommand",
        "core.alternateRefsCommand",
        "pager.diff-tree",
        "uploadpack.packObjectsHook",
        "alias.diff-tree",
    ):
        repo.git("config", key, f"{trap} {key}")
    for hook in ("post-checkout", "post-index-change", "reference-transaction"):
        (repo.folder / ".git" / "hooks" / hook).symlink_to(trap)

    fetched = read_range(repo.folder, None)

    assert fetched.change.by_path["a.py"].hunks[0].added == ("a = 2",)
    assert not (tmp_path / "sprung").exists()


def test_a_partial_clone_fetches_nothing(repo, trap: Path, make_repo, tmp_path: Path) -> None:
    """The promised objects are gone, and the remote is a command."""
    blob = repo.git("rev-parse", "HEAD:shop.py")
    (repo.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    repo.git("config", "core.repositoryFormatVersion", "1")
    repo.git("config", "extensions.partialClone", "origin")
    repo.git("config", "remote.origin.promisor", "true")
    repo.git("config", "remote.origin.url", f"ext::{trap}")
    repo.git("config", "protocol.ext.allow", "always")

    with pytest.raises(SourceError, match="git diff-tree failed"):
        read_range(repo.folder, "HEAD")

    assert not (tmp_path / "sprung").exists()


def test_settings_do_not_change_the_diff(repo) -> None:
    head = repo.git("rev-parse", "HEAD")
    text = "def f():\n    a = 1\n\n    b = 2\n" + "    same = 0\n" * 8 + "    z = 1\n"
    (repo.folder / "lib").mkdir()
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{head},lib")
    repo.commit("Base", a_dot_py=text, ü_dot_py="u = 1\n")
    repo.git("update-index", "--cacheinfo", f"160000,{repo.git('rev-parse', 'HEAD')},lib")
    repo.git("mv", "ü.py", "ö.py")
    repo.commit("Change", a_dot_py=text.replace("= 1", "= 9"))
    (repo.folder / "attributes").write_text("*.py -diff\n")
    plain = read_range(repo.folder, "HEAD").change
    for key, value in {
        "diff.noprefix": "true",
        "diff.mnemonicPrefix": "true",
        "diff.context": "0",
        "diff.interHunkContext": "9",
        "diff.ignoreSubmodules": "all",
        "diff.renames": "false",
        "diff.algorithm": "patience",
        "diff.suppressBlankEmpty": "true",
        "diff.wsErrorHighlight": "all",
        "diff.colorMoved": "zebra",
        "diff.relative": "true",
        "diff.orderFile": "/nonexistent",
        "diff.submodule": "log",
        "color.ui": "always",
        "color.diff": "always",
        "core.quotePath": "false",
        "core.abbrev": "4",
        "core.attributesFile": str(repo.folder / "attributes"),
        "log.showSignature": "true",
    }.items():
        repo.git("config", key, value)

    assert read_range(repo.folder, "HEAD").change == plain


@pytest.mark.parametrize("where", [".gitattributes", "src/.gitattributes"])
def test_a_change_can_not_hide_a_file_as_binary(repo, where: str) -> None:
    """Git would read the checked-out attributes and print "Binary files differ"."""
    repo.commit_files(
        "Hide", {where: "*.py -diff\n*.py binary\n", "src/login.py": "admin = True\n"}
    )

    file = read_range(repo.folder, "HEAD").change.by_path["src/login.py"]

    assert file.hunks[0].added == ("admin = True",)
    assert not file.is_binary


def test_replaced_objects_are_read_as_they_were_committed(repo) -> None:
    real = repo.git("rev-parse", "HEAD")
    (repo.folder / "shop.py").write_text("harmless = 1\n")
    repo.git("commit", "--quiet", "--all", "--amend", "--message", "Harmless")
    repo.git("replace", real, "HEAD")

    assert read_range(repo.folder, real).change.title == "Sell"


def test_git_variables_of_the_caller_lead_nowhere_else(
    repo, make_repo, trap: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_repo("other")
    other.commit("Other", o_dot_py="o = 1\n")
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.folder))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(trap))
    monkeypatch.setenv("GIT_PAGER", str(trap))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "diff.external")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(trap))

    assert read_range(repo.folder, None).change.repository == "shop"
    assert not (tmp_path / "sprung").exists()


def test_git_sees_no_secret(repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spy = tmp_path / "bin" / "git"
    spy.parent.mkdir()
    spy.write_text(f'#!/bin/sh\nenv >> "{tmp_path}/environment"\nexit 1\n')
    spy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{spy.parent}:/usr/bin:/bin")
    monkeypatch.setenv("GITHUB_TOKEN", "ghs_canary")

    with pytest.raises(SourceError):
        read_range(repo.folder, None)

    assert "canary" not in (tmp_path / "environment").read_text()


def test_a_foreign_owner_is_explained(
    repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = tmp_path / "bin" / "git"
    spy.parent.mkdir()
    spy.write_text(
        "#!/bin/sh\necho \"fatal: detected dubious ownership in repository at '/x'\" >&2\nexit 128\n"
    )
    spy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{spy.parent}:/usr/bin:/bin")

    with pytest.raises(SourceError, match=r"belongs to another user.*--add safe\.directory"):
        read_range(repo.folder, None)


def test_a_diff_too_long_to_review_is_refused(repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plumbing, "MAX_OUTPUT_BYTES", 100)

    with pytest.raises(SourceError, match="review a smaller range"):
        read_range(repo.folder, "HEAD")


def test_git_that_hangs_is_stopped(repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = tmp_path / "bin" / "git"
    stub.parent.mkdir()
    stub.write_text("#!/bin/sh\nexec sleep 60\n")
    stub.chmod(0o755)
    monkeypatch.setenv("PATH", f"{stub.parent}:/usr/bin:/bin")
    monkeypatch.setattr(plumbing, "TIMEOUT_SECONDS", 0.1)

    with pytest.raises(SourceError, match="git was stopped by signal 9"):
        read_range(repo.folder, None)

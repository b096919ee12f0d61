"""The merged history of real repositories."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from git.conftest import Repo

from reviewbot.errors import SourceError
from reviewbot.git import history as history_module
from reviewbot.git.history import History, read_changes, read_history
from reviewbot.git.ranges import read_range


@pytest.fixture
def merged(repo: Repo) -> Repo:
    """The shop after a squash merge, a merged pull request and an empty commit."""
    repo.commit("Round up (#2)\n\nPrices are whole.", shop_dot_py="def total():\n    return 2\n")
    repo.git("checkout", "-q", "-b", "pages")
    repo.commit("Count", pages_dot_py="def pages():\n    return 1\n")
    repo.commit("Count better", pages_dot_py="def pages():\n    return 2\n")
    repo.git("checkout", "-q", "main")
    message = "Merge pull request #3 from ada/pages\n\nPages at last\n\nAs asked."
    repo.git("merge", "-q", "--no-ff", "-m", message, "pages")
    repo.commit("Nothing")
    return repo


def changes_of(history: History) -> list[history_module.Past]:
    return list(read_changes(history, history.merges))


def test_every_first_parent_commit_but_the_first_is_one_change(merged: Repo) -> None:
    history = read_history(merged.folder)

    titles = [past.fetched.change.title for past in changes_of(history) if past.fetched]

    assert titles == ["Nothing", "Pages at last", "Round up (#2)", "Sell"]
    assert history.branch == "main"
    assert history.notes == ()


def test_a_merged_branch_is_one_change_by_its_author(merged: Repo) -> None:
    past = changes_of(read_history(merged.folder))[1].fetched

    assert past
    assert past.branch == "pages"
    assert past.change.description == "As asked."
    assert past.author == "Ada Lovelace"
    assert [file.path for file in past.change.files] == ["pages.py"]
    assert past.change.files[0].hunks[0].added == ("def pages():", "    return 2")


def test_a_change_is_what_a_review_of_that_commit_reads(merged: Repo) -> None:
    for past in changes_of(read_history(merged.folder)):
        reviewed = read_range(merged.folder, past.merge.sha)

        assert past.fetched
        assert past.fetched.change.files == reviewed.change.files
        assert past.fetched.sources == reviewed.sources


def test_what_the_default_branch_says_today_holds_for_all(merged: Repo) -> None:
    merged.commit_files(
        "Say how",
        {
            "AGENTS.md": "Be kind.\n",
            ".github/reviewbot.yml": "version: 1\n",
            "web/.gitattributes": "*.js linguist-generated\n",
        },
    )

    history = read_history(merged.folder)

    assert history.policy == (".github/reviewbot.yml", "version: 1\n")
    assert [document.text for document in history.guidelines] == ["Be kind.\n"]
    assert history.attributes == {"web/.gitattributes": "*.js linguist-generated\n"}


def test_limit_keeps_the_newest(merged: Repo) -> None:
    whole, part = read_history(merged.folder), read_history(merged.folder, limit=2)

    assert part.merges == whole.merges[:2]


def test_since_leaves_out_what_is_older(merged: Repo) -> None:
    day = datetime(2030, 1, 2, tzinfo=UTC)

    assert len(read_history(merged.folder, since=day).merges) == 4
    with pytest.raises(SourceError, match="nothing was merged into shop since 2030-01-03"):
        read_history(merged.folder, since=day.replace(day=3))


def test_a_checked_out_branch_is_not_the_history(merged: Repo) -> None:
    merged.git("checkout", "-q", "-b", "wild")
    merged.commit("Wild", wild_dot_py="x = 1\n")

    assert read_history(merged.folder).branch == "main"


def test_a_bare_repository_has_its_own_default_branch(merged: Repo, tmp_path: Path) -> None:
    merged.git("branch", "trunk", "HEAD~1")
    merged.git("clone", "-q", "--bare", str(merged.folder), str(tmp_path / "bare"))
    bare = Repo(tmp_path / "bare")
    bare.git("symbolic-ref", "HEAD", "refs/heads/trunk")

    history = read_history(bare.folder)

    assert history.branch == "trunk"
    assert len(history.merges) == 3


def test_a_repository_without_history_says_so(make_repo: Callable[..., Repo]) -> None:
    made = make_repo("new")
    with pytest.raises(SourceError, match="has no commit yet"):
        read_history(made.folder)

    made.commit("Start", a="1\n")
    with pytest.raises(SourceError, match="has only its first commit"):
        read_history(made.folder)


def test_a_shallow_clone_is_said_to_be_one(merged: Repo, tmp_path: Path) -> None:
    for depth in (1, 3):
        address = f"file://{merged.folder}"
        merged.git("clone", "-q", f"--depth={depth}", address, str(tmp_path / f"cut{depth}"))

    with pytest.raises(SourceError, match="shallow clone without history: git fetch --unshallow"):
        read_history(tmp_path / "cut1")
    history = read_history(tmp_path / "cut3")
    assert len(history.merges) == 2
    assert "only the 2 merges that are here count" in history.notes[0]
    assert all(past.fetched for past in changes_of(history))


def test_a_commit_that_git_cannot_diff_costs_only_itself(merged: Repo) -> None:
    blob = merged.git("rev-parse", "HEAD~2:shop.py")
    (merged.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()

    found = {past.merge.sha: past.fetched for past in changes_of(read_history(merged.folder))}

    unread = [sha for sha, fetched in found.items() if fetched is None]
    assert unread == [merged.git("rev-parse", "HEAD~2")]
    assert len(found) == 4


def test_a_huge_change_is_left_out(merged: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    merged.commit("Dump", dump_dot_txt="x\n" * 3_000)
    monkeypatch.setattr(history_module, "MAX_DIFF_BYTES", 5_000)

    fetched = [past.fetched for past in changes_of(read_history(merged.folder))]

    assert fetched[0] is None
    assert all(fetched[1:])


def test_a_line_that_looks_like_a_commit_stays_in_its_diff(repo: Repo) -> None:
    sha = repo.git("rev-parse", "HEAD")
    repo.commit("Note", note_dot_txt=f"{sha}\n")
    repo.commit(f"Quote\n\n{sha}\n{sha}", note_dot_txt=f"{sha}\n{sha}\n")

    newest, older, *_ = changes_of(read_history(repo.folder))

    assert newest.fetched
    assert older.fetched
    assert newest.fetched.change.files[0].hunks[0].added == (sha,)
    assert older.fetched.change.files[0].hunks[0].added == (sha,)


def test_nothing_of_the_repository_is_run(merged: Repo, tmp_path: Path) -> None:
    proof = tmp_path / "ran"
    for name in ("diff.evil.textconv", "diff.evil.command", "core.fsmonitor", "diff.external"):
        merged.git("config", name, f"touch {proof}; cat")
    merged.commit("Attributes", _dot_gitattributes="*.py diff=evil\n")
    merged.commit("Change", shop_dot_py="def total():\n    return 9\n")
    subprocess.run(["git", "log", "-p", "-1", "--textconv"], cwd=merged.folder, check=False)
    assert proof.exists(), "the trap works"
    proof.unlink()

    past = changes_of(read_history(merged.folder))

    assert all(each.fetched for each in past)
    assert not proof.exists()


def test_an_unknown_commit_is_unread(merged: Repo) -> None:
    history = read_history(merged.folder)
    strange = replace(history, merges=(history.merges[0]._replace(sha="1" * 40),))

    assert [past.fetched for past in changes_of(strange)] == [None]

"""Pull requests too long for one diff: read file by file, nothing lost in silence."""

import subprocess

import pytest
from github_simulator.state import Limits, Repository

from reviewbot.change.model import Kind, Status
from reviewbot.github import listing
from reviewbot.github.listing import Entry, as_file
from reviewbot.github.pulls import read_pull

PIECEMEAL = "GitHub gives no whole diff of this pull request: read file by file"


def open_pull(shop: Repository, files: dict[str, str | bytes | None]) -> None:
    shop.content.commit("feature", files, start="main")
    shop.open_pull("feature")


def test_a_diff_that_github_refuses_is_read_in_pages(simulator, shop, client) -> None:
    names = [f"src/m{number}.py" for number in range(250)]
    shop.content.commit("main", dict.fromkeys(names, "x = 1\n"))
    simulator.limits = Limits(diff_files=100)
    moved = "".join(f"line {number}\n" for number in range(20))
    others = {"gone.py": None, "old.py": None, "moved.py": moved, "logo.png": b"\x89PNG\0\2"}
    open_pull(shop, {**dict.fromkeys(names, "x = 2\n"), **others, "empty.py": ""})

    fetched = read_pull(client, "acme", "shop", 1)

    files = fetched.change.by_path
    assert len(files) == 254
    assert not any(file.patch_missing for file in files.values())
    assert fetched.change.missing_files == 0
    assert files["src/m0.py"].hunks[0].body == ("-x = 1", "+x = 2")
    assert (files["moved.py"].status, files["moved.py"].old_path) == (Status.RENAMED, "old.py")
    assert files["gone.py"].status is Status.DELETED
    assert (files["logo.png"].is_binary, files["logo.png"].kind) == (True, Kind.BINARY)
    assert files["empty.py"].status is Status.ADDED
    assert fetched.notes[0] == PIECEMEAL
    pages = [request.query for request in simulator.requests if request.path.endswith("/files")]
    assert pages == [{"per_page": "100", "page": str(number)} for number in (1, 2, 3)]


def test_the_listing_reads_the_same_change_as_the_diff(simulator, shop, client) -> None:
    files = {"pay.py": "def pay(amount):\n    return 0", "made/api.py": "x = 9\n", "new.py": "n\n"}
    open_pull(shop, files)
    whole = read_pull(client, "acme", "shop", 1)
    simulator.limits = Limits(diff_files=1)

    listed = read_pull(client, "acme", "shop", 1)

    def told(fetched):
        return [(file.path, file.status, file.kind, file.hunks) for file in fetched.change.files]

    assert told(listed) == told(whole)
    assert listed.sources == whole.sources


def test_files_that_a_long_page_zeroed_are_asked_for_again(simulator, shop, client) -> None:
    """Padding pushes the risky change to where GitHub says `changes: 0` and shows no patch."""
    padding = {f"a/pad{number}.txt": "pad\n" * 9_000 for number in range(4)}
    risky = {"z/login.py": "admin = True\n", "pay.py": "def pay(amount):\n    return 0\n"}
    open_pull(shop, {**padding, **risky})

    fetched = read_pull(client, "acme", "shop", 1)

    files = fetched.change.by_path
    assert files["z/login.py"].hunks[0].added == ("admin = True",)
    assert files["pay.py"].hunks[0].added == ("    return 0",)
    assert not any(file.patch_missing for file in files.values())
    assert all(file.added_count == 9_000 for path, file in files.items() if "pad" in path)


def test_what_stays_zeroed_is_declared(simulator, shop, client, monkeypatch) -> None:
    monkeypatch.setattr(listing, "MAX_REPEATS", 1)
    padding = {f"a/pad{number}.txt": "pad\n" * 15_000 for number in range(2)}
    open_pull(shop, {**padding, "z/login.py": "admin = True\n"})

    fetched = read_pull(client, "acme", "shop", 1)

    hidden = {path for path, file in fetched.change.by_path.items() if file.patch_missing}
    assert hidden == {"a/pad1.txt", "z/login.py"}
    assert "GitHub shows no text of 2 of the files: known by path only" in fetched.notes


def test_a_file_too_long_for_a_patch_is_known_by_its_path(simulator, shop, client) -> None:
    simulator.limits = Limits(diff_lines=100, patch_lines=50)
    open_pull(shop, {"auth/login.py": "x = 1\n" * 120, "small.py": "s = 1\n"})

    fetched = read_pull(client, "acme", "shop", 1)

    login, small = fetched.change.files
    assert (login.path, login.patch_missing, login.kind) == ("auth/login.py", True, Kind.SOURCE)
    assert not small.patch_missing
    assert fetched.notes == (
        PIECEMEAL,
        "GitHub shows no text of 1 of the files: known by path only",
    )


def test_files_over_githubs_limit_are_counted(simulator, shop, client) -> None:
    open_pull(shop, {f"many/f{number:04}.py": "x = 1\n" for number in range(3_050)})

    fetched = read_pull(client, "acme", "shop", 1)

    assert len(fetched.change.files) == 3_000
    assert fetched.change.missing_files == 50
    assert "GitHub lists only 3000 of 3050 files" in fetched.notes
    pages = [request for request in simulator.requests if request.path.endswith("/files")]
    assert len(pages) == 30


def test_a_diff_that_lacks_files_is_not_believed(simulator, shop, client) -> None:
    open_pull(shop, {"a.py": "a = 1\n", "b.py": "b = 1\n"})
    diff = shop.content.diff(*shop.ends(shop.pulls[1])).decode()
    half = diff[: diff.index("diff --git a/b.py")]
    simulator.fail("GET .*/pulls/1$", 200, body=half, accept=".diff")

    fetched = read_pull(client, "acme", "shop", 1)

    assert [file.path for file in fetched.change.files] == ["a.py", "b.py"]
    assert fetched.notes == (PIECEMEAL,)


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_diff_that_github_fails_to_make_is_read_in_pages(
    simulator, shop, client, status: int
) -> None:
    open_pull(shop, {"a.py": "a = 1\n"})
    simulator.fail(r"/pulls/1$", status, "this diff is taking too long", accept=".diff")

    fetched = read_pull(client, "acme", "shop", 1)

    assert fetched.change.files[0].hunks[0].added == ("a = 1",)
    assert fetched.notes == (PIECEMEAL,)


EMPTY = (
    subprocess.run(
        ["git", "hash-object", "-t", "blob", "--stdin"], input=b"", capture_output=True, check=True
    )
    .stdout.decode()
    .strip()
)


@pytest.mark.parametrize(
    ("entry", "missing"),
    [
        (Entry("a.py", "modified", 1, "@@ -1 +0,0 @@\n-x", None, "0"), False),
        (Entry("a.py", "modified", 9, "@@ -1 +0,0 @@\n-x", None, "0"), True),
        (Entry("a.py", "modified", 1, "@@ -1,9 +1 @@\n-x", None, "0"), True),
        (Entry("a.py", "modified", 5, None, None, "0"), True),
        (Entry("a.py", "modified", 0, None, None, "0"), True),
        (Entry("a.py", "added", 0, None, None, EMPTY), False),
        (Entry("a.py", "added", 0, None, None, "0"), True),
        (Entry("a.png", "added", 0, None, None, "0"), False),
        (Entry("a.png", "added", 7, None, None, "0"), True),
        (Entry("b.py", "renamed", 0, None, "a.py", "0"), False),
        (Entry("b.py", "renamed", 3, None, "a.py", "0"), True),
        (Entry("b.py", "something new", 0, None, None, "0"), True),
    ],
)
def test_a_file_without_text_is_declared_unless_it_surely_has_none(
    entry: Entry, missing: bool
) -> None:
    file = as_file(entry)

    assert file.patch_missing is missing
    assert file.path == entry.path


def test_a_submodule_is_known_by_its_line() -> None:
    patch = f"@@ -1 +1 @@\n-Subproject commit {'a' * 40}\n+Subproject commit {'b' * 40}"
    lookalike = "@@ -1 +1 @@\n-Subproject commit none\n+x"

    assert as_file(Entry("lib", "modified", 2, patch, None, "0")).is_submodule
    assert not as_file(Entry("lib", "modified", 2, lookalike, None, "0")).is_submodule

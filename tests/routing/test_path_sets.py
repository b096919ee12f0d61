"""Many lists of paths at once say the same as each alone."""

from hypothesis import given
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from reviewbot.routing.paths import PathList, PathSets

entries = st.sampled_from(
    [
        "**/*auth*",
        "!**/*author*",
        "**/pay/**",
        "*.css",
        "/src/**",
        "!src/a.py",
        "**",
        "!*.md",
        "a?.py",
    ]
)
paths = st.sampled_from(
    [
        "src/auth/a.py",
        "src/authors.py",
        "pay/x.css",
        "src/a.py",
        "docs/pay",
        "a.md",
        "ab.py",
        "x/ab.py",
    ]
)


@given(st.lists(st.lists(entries, min_size=1, max_size=4), max_size=4), paths)
def test_lists_hold_what_git_would_ignore(lists: list[list[str]], path: str):
    expected = {
        index
        for index, patterns in enumerate(lists)
        if GitIgnoreSpec.from_lines(patterns).match_file(path)
    }

    assert PathSets(lists).holding(path) == expected


def test_an_empty_list_holds_all_among_several_and_nothing_alone():
    assert PathSets([[], ["x"]]).holding("a.py") == {0}
    assert "a.py" not in PathList([])


def test_case_does_not_count():
    assert "src/AUTH/x.py" in PathList(["**/*auth*"])

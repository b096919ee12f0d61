"""What a diff itself tells of whole texts, against git's own."""

from pathlib import Path
from tempfile import TemporaryDirectory

from github_simulator.content import Content
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewbot.change.parse import parse_diff
from reviewbot.github.texts import added_text, deleted_text, text_before

LINES = st.lists(st.sampled_from(["a\n", "b\n", "\n", "c\r\n", "d d\n", "-\n", "+\n"]), max_size=14)
TEXTS = st.builds(lambda lines, end: "".join(lines) + end, LINES, st.sampled_from(["", "", "open"]))


PAIRS = st.lists(st.tuples(TEXTS, TEXTS), min_size=20, max_size=60)


@settings(max_examples=10, deadline=None)
@given(pairs=PAIRS)
def test_the_text_before_is_what_git_had(pairs: list[tuple[str, str]]) -> None:
    with TemporaryDirectory() as folder:
        content = Content(Path(folder))
        base = content.commit("main", {f"f{n}": before for n, (before, _) in enumerate(pairs)})
        head = content.commit("main", {f"f{n}": after for n, (_, after) in enumerate(pairs)})
        files = parse_diff(content.diff(base, head)).by_path

    for n, (before, after) in enumerate(pairs):
        hunks = files[f"f{n}"].hunks if f"f{n}" in files else ()
        assert text_before(after, hunks) == before


def test_added_and_deleted_files_are_whole_in_the_diff(tmp_path: Path) -> None:
    content = Content(tmp_path / "repository")
    base = content.commit("main", {"gone": "one\ntwo", "stays": "x\n"})
    head = content.commit("main", {"gone": None, "new": "a\n\nb\n", "open": "end"})

    files = parse_diff(content.diff(base, head)).by_path

    assert added_text(files["new"]) == "a\n\nb\n"
    assert added_text(files["open"]) == "end"
    assert deleted_text(files["gone"]) == "one\ntwo"


def test_a_text_that_does_not_fit_the_diff_gives_nothing(tmp_path: Path) -> None:
    content = Content(tmp_path / "repository")
    base = content.commit("main", {"f": "a\nb\n"})
    head = content.commit("main", {"f": "a\nc\n"})
    hunks = parse_diff(content.diff(base, head)).files[0].hunks

    assert text_before("a\nd\n", hunks) is None
    assert text_before("", hunks) is None

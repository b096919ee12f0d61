"""Diff files as people save them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewbot.errors import DiffError
from reviewbot.git.diff_file import read_diff, read_heading

PATCH = (
    b"diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n x = 1\n-y = 1\n+y = 2\n"
)


def test_a_plain_diff_is_named_after_its_file() -> None:
    fetched = read_diff(PATCH, "fix.diff")

    assert fetched.change.title == "fix.diff"
    assert [file.path for file in fetched.change.files] == ["a.py"]


def test_a_mail_of_format_patch_brings_its_message(repo) -> None:
    repo.commit("Vergütung prüfen: a subject long enough to be folded in the mail's header\n\nWhy.")
    repo.commit("Pay twice\n\nWe owe it.\n\nReally.", pay_dot_py="p = 1\n")

    fetched = read_diff(repo.git("format-patch", "-1", "--stdout").encode(), "-")

    assert fetched.change.title == "Pay twice"
    assert fetched.change.description == "We owe it.\n\nReally."
    assert fetched.author == "Ada Lovelace"


def test_folded_and_encoded_subjects_are_read(repo) -> None:
    repo.commit("Vergütung prüfen: a subject long enough to be folded in a header", p_dot_py="p\n")

    fetched = read_diff(repo.git("format-patch", "-1", "--stdout").encode(), "-")

    assert (
        fetched.change.title == "Vergütung prüfen: a subject long enough to be folded in a header"
    )


def test_git_show_brings_its_message(repo) -> None:
    fetched = read_diff(repo.git("show").encode() + b"\n", "-")

    assert fetched.change.title == "Sell"
    assert fetched.change.description == "Now with prices."
    assert fetched.author == "Ada Lovelace"


def test_what_is_no_diff_is_named_in_the_error() -> None:
    with pytest.raises(DiffError, match=r"^notes\.txt: "):
        read_diff(b"Dear diary,\nnothing changed.\n", "notes.txt")


@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"From: ", b"Subject: =?", b"commit " + b"a" * 40]),
)
def test_no_text_above_a_diff_breaks_it(text: bytes, start: bytes) -> None:
    heading = read_heading(start + text + b"\n\n" + PATCH)

    assert "\n" not in heading.title

"""A corpus is somebody's file: it is read, or its error says where and what."""

import json

import pytest

from reviewbot.errors import DocumentError
from reviewbot.evaluation.corpus import read_corpus

DIFF = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-one\n+two\n"


def line(**keys: object) -> str:
    usual = {
        "pr_url": "https://github.com/acme/shop/pull/7",
        "diff": DIFF,
        "golden": [{"file": "a.py", "line": 1, "comment": "Why two?"}],
    }
    return json.dumps(usual | keys)


def test_a_line_is_a_pull_request_with_its_remarks() -> None:
    [case] = read_corpus([line(title="Count", base="b", head="h", language="Python"), ""], "prs")

    change = case.fetched.change
    assert (change.repository, change.number, change.title) == ("acme/shop", 7, "Count")
    assert [file.path for file in change.files] == ["a.py"]
    assert case.golden[0].comment == "Why two?"
    assert case.rejected == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "no JSON object"),
        ("[" * 5_000, "no JSON object"),
        ("7", "the line"),
        (line(golden=[{"line": 1}]), "golden.0.file"),
        (line(diff="@@ -1 +1 @@\n-one\n"), "diff"),
        (line(pr_url="https://github.com/acme/shop/pull/1"), "is there twice"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, problem: str) -> None:
    first = line(pr_url="https://github.com/acme/shop/pull/1")

    with pytest.raises(DocumentError, match=problem) as raised:
        list(read_corpus([first, "", text], "prs.jsonl"))

    assert raised.value.line == 3

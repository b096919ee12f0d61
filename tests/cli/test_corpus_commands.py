"""A labelled corpus, routed and scored at a terminal."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from reviewbot.cli import main


def diff(path: str, line: str) -> str:
    return f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -1,0 +2 @@\n+{line}\n"


RECORDS = [
    {"id": "pay", "diff": diff("a.py", "stripe.Refund.create(x)"), "labels": ["payments"]},
    {"id": "plain", "diff": diff("a.py", "x = 1"), "labels": []},
    {"id": "missed", "diff": diff("a.py", "x = 2"), "labels": ["auth"], "title": "Sneaky"},
    {"id": "alarm", "diff": diff("b.py", "check_password(raw)"), "labels": []},
    {"id": "unclear", "diff": diff("b.py", "x = 3"), "labels": ["auth"], "ambiguous": True},
]


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REVIEWBOT_DATA_DIR", str(tmp_path / "data"))
    path = tmp_path / "corpus.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as lines:
        for number, record in enumerate(RECORDS):
            lines.write(json.dumps({**record, "repo": f"o/{number % 2}"}) + "\n")
    return path


def score(corpus: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["rules", "score", str(corpus), *arguments]) == 0
    return capsys.readouterr().out


def test_predictions_hold_labels_and_tier(corpus: Path, tmp_path: Path):
    out = tmp_path / "out.jsonl"

    assert main(["route", "--corpus", str(corpus), "--predictions", str(out)]) == 0

    lines = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert lines[0] == {"id": "pay", "labels": ["payments"], "tier": "claude"}
    assert lines[1] == {"id": "plain", "labels": [], "tier": "local"}
    assert [line["id"] for line in lines] == [record["id"] for record in RECORDS]


def test_a_score_tells_figures_and_why_each_miss(corpus: Path, capsys: pytest.CaptureFixture[str]):
    text = score(corpus, capsys, "--misses", "--by", "repo")

    assert "clear changes: 4, 50% flagged" in text
    assert "ambiguous changes, apart: 1, 0% flagged" in text
    assert "repo o/1: 2, 50% flagged" in text
    assert "missed: auth weighs 0 of 3 (uncertain from 2): missed Sneaky\n  no rule fired" in text
    assert re.search(r"false alarm: auth weighs \d\.?\d? of 3 \(uncertain from 2\): alarm", text)
    assert re.search(r"  [+-][\d.]+ auth\.learned  b\.py", text)
    assert "  +3 auth.password  b.py:2  check_password(raw)" in text


def test_a_score_as_json_has_the_same(corpus: Path, capsys: pytest.CaptureFixture[str]):
    made: dict[str, Any] = json.loads(score(corpus, capsys, "--misses", "--format", "json"))

    assert (made["changes"], made["flagged_share"]) == (4, 0.5)
    assert made["flagged"]["precision"] == made["flagged"]["recall"] == 0.5
    assert made["areas"]["payments"]["f1"] == 1
    assert made["ambiguous"]["changes"] == 1
    assert made["certainty"]["sure"] == {"changes": 2, "labelled": 1}
    assert [miss["id"] for miss in made["misses"]] == ["alarm", "missed"]
    assert "auth.password" in {reason["rule"] for reason in made["misses"][0]["reasons"]}
    assert "by" not in made


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ({"id": "x", "diff": ""}, "x needs `labels`"),
        ({"id": "x", "diff": "", "labels": [1]}, "x needs `labels`"),
        ({"id": "x", "diff": "", "labels": []}, "x has no `language`"),
    ],
)
def test_a_line_that_cannot_be_scored_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: dict[str, Any], problem: str
):
    path = tmp_path / "corpus.jsonl"
    path.write_text(json.dumps(line) + "\n", encoding="utf-8")

    assert main(["rules", "score", str(path), "--by", "language"]) == 2
    assert problem in capsys.readouterr().err

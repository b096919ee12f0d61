"""`make demo` from end to end, with no model: everything that is not real says so."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / ".demo"


@pytest.fixture(scope="module")
def shown(examples: Path, folder: Path) -> str:
    """What the demonstration prints; a key in the environment must not be used."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("REVIEWBOT_")},
        "DEMO_SCRIPTED": "1",
        "ANTHROPIC_API_KEY": "sk-ant-a-real-one",
    }
    run = subprocess.run(
        [sys.executable, str(examples / "demo.py")],
        cwd=folder.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_it_says_what_is_scripted_at_the_top_and_at_the_sums(shown: str) -> None:
    banner, _, reviews = shown.partition("1 of 5")
    table = reviews.rpartition("5 of 5")[2]

    assert "Claude:      SCRIPTED" in banner
    assert "Local model: SCRIPTED" in banner
    assert "What it would cost (SCRIPTED: no real money)" in table
    assert "reviewbot review --repo PATH" in table


def test_every_review_is_whole_and_marked(shown: str, folder: Path) -> None:
    reviews = [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))]

    assert [review["route"]["tier"] for review in reviews] == ["claude"] * 3 + ["local"] * 2
    assert all(review["complete"] and review["scripted"] for review in reviews)
    by_model = [
        [finding for finding in review["findings"] if finding["scripted"]] for review in reviews
    ]
    assert [len(found) for found in by_model] == [2, 2, 2, 2, 0]
    assert all(finding["anchored"] for found in by_model for finding in found)


def test_it_fits_a_hundred_columns(shown: str) -> None:
    assert [line for line in shown.split("\n") if len(line) > 100] == []

"""`reviewbot report` and `reviewbot ledger export` at a terminal, over a real ledger."""

import csv
import io
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from flow.conftest import Terminal
from model_servers.behaviours import Answer
from model_servers.claude import ClaudeServer
from sample_month import write_month

from reviewbot.store.ledger import open_store

#: Whatever day it is.
NOVEMBER = ("--since", "2026-11-01", "--until", "2026-12-01")


@pytest.fixture
def ledger(terminal: Terminal, tmp_path: Path) -> None:
    """The sample month, where the terminal's settings look for it."""
    with open_store(f"sqlite:///{tmp_path}/data/reviewbot.db") as store:
        write_month(store)


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(
    ("format_", "told"),
    [
        ("text", "Reviews in 2026-11-01 to 2026-12-01\n"),
        ("markdown", "# Reviews in 2026-11-01 to 2026-12-01\n"),
        ("json", '"claude_usd": "0.0172"'),
        ("csv", "totals,,claude_usd,0.0172,"),
        ("html", "<title>Reviews in 2026-11-01 to 2026-12-01</title>"),
    ],
)
def test_a_month_is_told_in_every_format(terminal: Terminal, format_: str, told: str) -> None:
    code, out, err = terminal.run("report", *NOVEMBER, "--format", format_)

    assert (code, err) == (0, "")
    assert told in out


@pytest.mark.usefixtures("ledger")
def test_one_repository_and_any_time_can_be_chosen(terminal: Terminal) -> None:
    times = ("--since", "2026-11-06", "--until", "2026-11-09")

    _, out, _ = terminal.run("report", *times, "--repo", "acme/shop", "--format", "json")

    data = json.loads(out)
    assert data["window"]["name"] == "2026-11-06 to 2026-11-09"
    assert data["repository"] == "acme/shop"
    assert (data["totals"]["reviews"], data["totals"]["calls"]) == (2, 3)


@pytest.mark.usefixtures("ledger")
def test_an_empty_month_leads_to_one_that_is_not(terminal: Terminal) -> None:
    code, out, _ = terminal.run("report", "--since", "2026-05-01", "--until", "2026-06-01")

    assert code == 0
    assert "No change was reviewed in 2026-05-01 to 2026-06-01." in out
    assert "reviewbot report --month 2026-12" in out


def test_without_a_ledger_nothing_is_made(terminal: Terminal, tmp_path: Path) -> None:
    code, out, _ = terminal.run("report")
    _, export, _ = terminal.run("ledger", "export", "--format", "json")

    assert code == 0
    assert "reviewbot serve" in out
    assert json.loads(export) == []
    assert not (tmp_path / "data" / "reviewbot.db").exists()


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["report", "--month", "2026-13"], "is no month"),
        (["report", "--month", "2026-11", "--since", "2026-11-01"], "--month goes without"),
        (["report", "--until", "2026-11-01"], "--until needs --since"),
        (["report", "--month", "9998-01"], "has not begun yet"),
        (["report", "--repo", "acme/shopp"], "near names: acme/shop"),
        (["ledger", "export", "--repo", "acme/shopp"], "near names: acme/shop"),
        (["report", "--forecast", "missing.json"], "cannot read missing.json"),
        (["report", "--forecast", "README.md"], "is no saved forecast"),
    ],
)
def test_wrong_use_is_one_clear_line(
    terminal: Terminal,
    arguments: list[str],
    complaint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "README.md").write_text("# Shop\n")

    code, _, err = terminal.run(*arguments)

    assert code == 2
    assert complaint in err
    assert "Traceback" not in err


@pytest.mark.usefixtures("ledger")
def test_the_ledger_is_exported_in_both_formats(terminal: Terminal) -> None:
    _, table, _ = terminal.run("ledger", "export", *NOVEMBER)
    _, array, _ = terminal.run("ledger", "export", "--until", "2027-01-01", "--format", "json")

    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["id"] for row in rows] == [f"c{number}" for number in range(1, 8)]
    assert [row["id"] for row in json.loads(array)] == [f"c{number}" for number in range(9)]
    refused = rows[2]
    assert (refused["outcome"], refused["usd"]) == ("refused", "0.0022")
    assert (refused["price_input"], refused["price_source"][:12]) == ("4", "genai-prices")
    assert json.loads(refused["raw"])["usage"] == {"input_tokens": 500, "output_tokens": 10}


def test_a_real_review_stands_in_the_report(
    terminal: Terminal,
    repository: Path,
    with_claude: ClaudeServer,
    says: Callable[..., str],
) -> None:
    quote = "    if user.digest == digest(password):"
    with_claude.play(Answer(says({"path": "shop/auth/login.py", "line": 9, "quote": quote})))
    review = terminal.review(repository, "risky")

    _, out, _ = terminal.run("report", "--format", "json")

    data = json.loads(out)
    assert data["totals"]["claude_usd"] == review["cost"]["claude_usd"] != "0"
    assert data["totals"]["all_claude_usd"] == review["cost"]["all_claude_usd"]
    assert data["findings"]["in_reviews"] == len(review["findings"]) > 0
    assert [tier["name"] for tier in data["tiers"]] == ["claude"]
    assert [area["name"] for area in data["areas"]] == ["auth"]
    assert data["totals"]["idle_usd"] == "0", "no machine was asked"


@pytest.mark.usefixtures("ledger")
def test_a_terminal_is_shown_what_matters_in_bold(tmp_path: Path) -> None:
    program = shutil.which("reviewbot", path=str(Path(sys.executable).parent))
    assert program
    ours, theirs = pty.openpty()
    settings = {
        "PATH": os.environ["PATH"],
        "TERM": "xterm-256color",
        "REVIEWBOT_DATA_DIR": str(tmp_path / "data"),
    }

    with subprocess.Popen([program, "report", *NOVEMBER], stdout=theirs, env=settings) as run:
        os.close(theirs)
        written = b""
        with suppress(OSError):  # the other end is closed
            while piece := os.read(ours, 65_536):
                written += piece
    os.close(ours)

    text = written.decode()
    assert run.returncode == 0
    assert "\x1b[1m" in text
    plain = re.sub(r"\x1b\[[\d;]*m", "", text)
    assert "Local cost more than Claude in this time would have" in plain

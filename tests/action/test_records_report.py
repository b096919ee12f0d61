"""A month's report from nothing but the records in pull requests."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from action.conftest import ROOT, STATE_KEY, Job
from github_simulator.server import TOKEN

from reviewbot.cli import main

Says = Callable[..., str]
EXAMPLES = ROOT / "docs" / "examples"


@pytest.fixture
def reviewed(job: Job, says: Says, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Two pull requests of this month, one by each tier; a person looks at them."""
    job.local.answering = lambda asked: says({})
    job.claude.answering = lambda asked: says(
        {
            "path": "shop/auth/login.py",
            "line": 9,
            "quote": "    if user.digest == digest(password):",
        }
    )
    job.costs = [
        Decimal(job.run(job.event(job.pull(branch))).outputs["cost-usd"])
        for branch in ("plain", "risky")
    ]
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("REVIEWBOT_GITHUB_API_URL", job.github.url)
    monkeypatch.setenv("REVIEWBOT_MARKER_KEY", STATE_KEY)
    monkeypatch.setenv("REVIEWBOT_DATA_DIR", str(job.folder / "nothing"))
    return job


def test_the_report_says_what_the_pull_requests_cost(
    reviewed: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["report", "--from-github", "acme/shop", "--format", "json"])

    data = json.loads(capsys.readouterr().out)
    assert code == 0
    assert data["repository"] == "acme/shop"
    totals = data["totals"]
    assert (totals["pull_requests"], totals["reviews"], totals["calls"]) == (2, 2, 2)
    spent = sum(
        Decimal(totals[name])
        for name in ("claude_usd", "other_external_usd", "energy_usd", "amortisation_usd")
    )
    assert spent == sum(reviewed.costs)
    assert {tier["name"] for tier in data["tiers"]} == {"claude", "local"}
    assert [area["name"] for area in data["areas"]] == ["auth", "no area"]
    assert data["missing"][0].startswith("From the records that acme/shop's pull requests carry")
    assert not (reviewed.folder / "nothing").exists(), "no database is made"


@pytest.mark.parametrize("format_", ["text", "markdown", "csv", "html"])
def test_every_format_says_what_is_missing(
    reviewed: Job, capsys: pytest.CaptureFixture[str], format_: str
) -> None:
    code = main(["report", "--from-github", "acme/shop", "--format", format_])

    out = " ".join(capsys.readouterr().out.split())
    assert code == 0
    assert "how long answers took" in out
    assert "not from a ledger" in out


def test_it_is_posted_as_the_months_issue(
    reviewed: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    for outcome in ("created", "already"):
        assert main(["report", "--from-github", "acme/shop", "--post", "acme/shop"]) == 0
        out = capsys.readouterr().out
        assert outcome in out or "edited" in out

    [issue] = reviewed.repository.issues.values()
    assert "not from a ledger" in issue.body


def test_the_example_workflow_posts_last_months(job: Job) -> None:
    """Its script as it stands, after a step that has installed reviewbot."""
    [told] = yaml.safe_load((EXAMPLES / "monthly-report.yml").read_text("utf-8"))["jobs"].values()
    [step] = [one for one in told["steps"] if "run" in one]
    assert set(step["env"]) == {"GITHUB_TOKEN", "REVIEWBOT_MARKER_KEY"}
    temp = job.folder / "temp"
    temp.mkdir()
    (temp / "reviewbot").symlink_to(Path(sys.executable).parents[1], target_is_directory=True)

    ran = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(job.folder),
            "RUNNER_TEMP": str(temp),
            "GITHUB_REPOSITORY": "acme/shop",
            "REVIEWBOT_GITHUB_API_URL": job.github.url,
            "GITHUB_TOKEN": TOKEN,
            "REVIEWBOT_MARKER_KEY": STATE_KEY,
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    [issue] = job.repository.issues.values()
    last = datetime.now(UTC).replace(day=1) - timedelta(days=1)
    assert issue.title == f"Reviews in {last:%B %Y}: acme/shop"


def test_another_key_reads_nothing(
    reviewed: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REVIEWBOT_MARKER_KEY", "another key")

    assert main(["report", "--from-github", "acme/shop"]) == 0

    assert "No change of acme/shop was reviewed" in capsys.readouterr().out


def test_a_copied_record_counts_once(reviewed: Job, capsys: pytest.CaptureFixture[str]) -> None:
    """By a stranger, and in another pull request by the bot itself."""
    first, second = reviewed.repository.pulls[1], reviewed.repository.pulls[2]
    [summary] = second.comments
    second.comments.append(type(summary)(1, 2, "eve", summary.body, summary.when))
    first.comments.append(type(summary)(2, 1, summary.author, summary.body, summary.when))

    main(["report", "--from-github", "acme/shop", "--format", "json"])

    totals = json.loads(capsys.readouterr().out)["totals"]
    assert (totals["pull_requests"], totals["calls"]) == (2, 2)


@pytest.mark.parametrize(
    ("arguments", "unset", "said"),
    [
        (["--from-github", "acme"], "", "is no repository"),
        (["--from-github", "acme/shop", "--repo", "acme/shop"], "", "goes without --repo"),
        (["--from-github", "acme/shop", "--since", "2026-01-01"], "", "needs a month"),
        (["--from-github", "acme/shop"], "GITHUB_TOKEN", "needs GITHUB_TOKEN"),
        (["--from-github", "acme/shop"], "REVIEWBOT_MARKER_KEY", "must hold the Action's"),
        (["--from-github", "acme/nothing"], "", "not there (404)"),
    ],
)
def test_wrong_use_is_one_clear_line(
    job: Job,
    arguments: list[str],
    unset: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("REVIEWBOT_GITHUB_API_URL", job.github.url)
    monkeypatch.setenv("REVIEWBOT_MARKER_KEY", STATE_KEY)
    if unset:
        monkeypatch.delenv(unset)

    code = main(["report", *arguments])

    captured = capsys.readouterr()
    assert code == 2
    assert said in captured.err
    assert len(captured.err.splitlines()) == 1

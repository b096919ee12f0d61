"""`reviewbot report --post`: one issue for each month, with a person's own token."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flow.conftest import Terminal
from github_simulator.content import Content
from github_simulator.server import TOKEN, GitHubSimulator
from github_simulator.state import Repository
from sample_month import write_month

from reviewbot.cli import report_issue
from reviewbot.store.ledger import open_store


@pytest.fixture
def github(tmp_path: Path, terminal: Terminal) -> Iterator[GitHubSimulator]:
    (tmp_path / "github").mkdir()
    with GitHubSimulator(tmp_path / "github") as running:
        terminal.set(github_api_url=running.url)
        terminal.monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        with open_store(f"sqlite:///{tmp_path / 'data' / 'reviewbot.db'}") as store:
            write_month(store)
        yield running
    assert running.problems == []


@pytest.fixture
def office(github: GitHubSimulator, tmp_path: Path) -> Repository:
    content = Content(tmp_path / "content")
    content.commit("main", {"a.py": "a\n"})
    return github.repository("acme/office", start=content)


MONTH = ("report", "--month", "2026-10", "--post", "acme/office")


def test_a_month_is_posted_once_and_then_kept(terminal: Terminal, office: Repository) -> None:
    first = terminal.run(*MONTH)
    again = terminal.run(*MONTH)
    one = terminal.run(*MONTH, "--repo", "acme/shop")

    assert first == (0, "acme/office#1: created\n", "")
    assert again == (0, "acme/office#1: already\n", "")
    assert one == (0, "acme/office#2: created\n", "")
    assert [issue.title for issue in office.issues.values()] == [
        "Reviews in October 2026",
        "Reviews in October 2026: acme/shop",
    ]
    assert "October 2026 cost &#36;0.0120" in office.issues[1].body


def test_after_a_lost_answer_it_is_looked_for(
    terminal: Terminal, github: GitHubSimulator, office: Repository
) -> None:
    github.ambiguous("POST /repos/acme/office/issues")
    terminal.monkeypatch.setattr("time.sleep", lambda _: None)

    code, out, err = terminal.run(*MONTH)

    assert (code, out) == (0, "acme/office#1: already\n")
    assert "looking again in 5 s" in err
    assert len(office.issues) == 1


def test_a_github_that_stays_unclear_is_one_line(
    terminal: Terminal, github: GitHubSimulator, office: Repository
) -> None:
    github.fail("POST /repos/acme/office/issues", 502)
    terminal.monkeypatch.setattr("time.sleep", lambda _: None)

    code, _, err = terminal.run(*MONTH)

    assert code == 2
    assert err.count("looking again") == report_issue.TRIES - 1
    assert office.issues == {}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--month", "2026-10", "--post", "office"), "write it as OWNER/NAME"),
        (
            ("--since", "2026-10-01", "--until", "2026-11-01", "--post", "acme/office"),
            "--post needs a month",
        ),
        (("--month", "2026-10", "--post", "acme/none"), "write issues in acme/none"),
    ],
)
@pytest.mark.usefixtures("office")
def test_wrong_use_is_one_clear_line(
    terminal: Terminal, arguments: tuple[str, ...], complaint: str
) -> None:
    code, _, err = terminal.run("report", *arguments)

    assert code == 2
    assert complaint in err


def test_issues_that_are_off_and_a_missing_token_are_told(
    terminal: Terminal, office: Repository
) -> None:
    office.has_issues = False
    switched_off = terminal.run(*MONTH)
    terminal.monkeypatch.delenv("GITHUB_TOKEN")
    nobody = terminal.run(*MONTH)

    assert (switched_off[0], nobody[0]) == (2, 2)
    assert "the repository must have issues" in switched_off[2]
    assert "GITHUB_TOKEN must hold a token" in nobody[2]

"""Bad input: one clear line, exit 2, no traceback, nothing asked of any model."""

from pathlib import Path

import pytest
from flow.conftest import Terminal
from model_servers.behaviours import Fail
from model_servers.claude import ClaudeServer


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["review", "--diff", "missing.diff"], "cannot read missing.diff"),
        (["review", "no-such-branch...main"], "no-such-branch"),
        (["review", "--output=/tmp/x"], "--output"),
        (["review", "a..b", "--diff", "-"], "exclude each other"),
        (["review", "--repo", "/nowhere"], "/nowhere"),
        (["review", "--pr", "https://evil.example/o/r/pull/1"], "evil.example"),
        (["route", "--corpus", "missing.jsonl", "--predictions", "out"], "missing.jsonl"),
        (["route", "--corpus", "missing.jsonl"], "go together"),
        (["rules", "check", "missing.yml"], "missing.yml"),
        (["rules", "explain", "auth.nothing"], "no rule auth.nothing"),
        (["review", "--format", "pdf"], "pdf"),
        (["reviewx"], "Did you mean 'review'?"),
        (["xyzzy"], "xyzzy"),
    ],
)
def test_wrong_arguments(
    terminal: Terminal,
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(repository)

    code, out, err = terminal.run(*arguments)

    assert code == 2, err
    assert words in err
    assert "Traceback" not in err
    assert out == ""


def test_a_file_in_place_of_a_rule_lists_its_rules(terminal: Terminal, tmp_path: Path) -> None:
    mine = tmp_path / "mine.yml"
    mine.write_text("area: a\ntitle: A\nrules:\n  - {id: a.b, why: Opens a door, added: [door]}\n")

    code, out, _ = terminal.run("rules", "explain", str(mine))

    assert (code, out.split()) == (0, ["a.b", "1", "Opens", "a", "door"])


def test_text_that_is_no_diff(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Dear all,\nplease approve.\n")

    code, _, err = terminal.run("review", "--diff", str(tmp_path / "a.txt"))

    assert code == 2, err
    assert "diff" in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"claude_model": "claude-imaginary-9"}, "claude-imaginary-9"),
        ({"watts": "many"}, "REVIEWBOT_WATTS"),
        ({"wats": "3"}, "did you mean REVIEWBOT_WATTS?"),
        ({"local_url": "ftp://x"}, "REVIEWBOT_LOCAL_URL"),
        ({"local_engine": "openai"}, "REVIEWBOT_LOCAL_URL"),
        ({"policy": "missing.yml"}, "REVIEWBOT_POLICY"),
        ({"prices_file": "missing.yml"}, "REVIEWBOT_PRICES_FILE"),
        ({"database_url": "mysql://x/y"}, "REVIEWBOT_DATABASE_URL"),
    ],
)
def test_wrong_settings(
    terminal: Terminal, repository: Path, settings: dict[str, str], words: str
) -> None:
    terminal.set(**settings)

    code, _, err = terminal.run("review", "main...risky", "--repo", str(repository))

    assert code == 2, err
    assert words in err
    assert len(err.strip().splitlines()) == 1


def test_an_unknown_policy_key_names_line_and_nearest_key(
    terminal: Terminal, repository: Path, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.yml"
    policy.write_text("version: 1\nroute:\n  granularty: file\n")
    terminal.set(policy=policy)

    code, _, err = terminal.run("route", "main...risky", "--repo", str(repository))

    assert code == 2, err
    assert f"{policy}:3:" in err
    assert "granularity" in err


def test_a_broken_rule_names_line_and_fix(terminal: Terminal, tmp_path: Path) -> None:
    rules = tmp_path / "own.yml"
    rules.write_text(
        "area: auth\ntitle: Own\nrules:\n  - id: own.look\n    why: Looks ahead\n"
        "    added: ['(?=login)']\n"
    )

    code, _, err = terminal.run("rules", "check", str(rules))

    assert code == 2, err
    assert f"{rules}:6" in err
    assert "look-ahead" in err


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_is_one_line_that_does_not_hold_it(
    terminal: Terminal, repository: Path, with_claude: ClaudeServer, status: int
) -> None:
    with_claude.play(Fail(status, "invalid x-api-key"))

    code, _, err = terminal.run("review", "main...risky", "--repo", str(repository))

    assert code == 2, err
    assert "claude" in err
    assert with_claude.key not in err
    assert len(err.strip().splitlines()) == 1

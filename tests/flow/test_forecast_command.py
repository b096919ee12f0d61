"""`reviewbot forecast` from end to end, over real repositories."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flow.conftest import LOGIN_BASE, LOGIN_HEAD, Terminal

from reviewbot import replaying
from reviewbot.config.policy import Policy
from reviewbot.errors import SourceError
from reviewbot.git.history import read_history
from reviewbot.replaying import replay_history
from reviewbot.reporting.replay import Replayed, Replayer
from reviewbot.routing.rules import shipped_rules

EXAMPLES = Path(__file__).parents[2] / "examples" / "assumptions"


@pytest.fixture
def history(tmp_path: Path) -> Callable[..., Path]:
    """A bare repository of `commits` changes, the first ones with a login that gets worse."""

    def make(commits: int, name: str = "shop.git") -> Path:
        folder = tmp_path / name
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", folder], check=True)
        lines = []
        for number in range(commits + 1):
            text = [LOGIN_BASE, LOGIN_HEAD][number % 2] if number < 5 else LOGIN_BASE
            at = 1_900_000_000 + number * 86_400
            lines.append(
                f"commit refs/heads/main\ncommitter A <a@example.org> {at} +0000\n"
                f"data 5\nC{number:04}\n"
                f"M 644 inline shop/auth/login.py\ndata {len(text)}\n{text}\n"
                f"M 644 inline shop/size.py\ndata 9\nx = {number:05}\n"
            )
        subprocess.run(
            ["git", "fast-import", "--quiet"],
            cwd=folder,
            input="".join(lines).encode(),
            check=True,
        )
        return folder

    return make


@pytest.fixture
def replayer() -> Replayer:
    return Replayer(shipped_rules(), Policy(), (), 16_384)


def test_a_forecast_says_share_money_and_verdict(
    terminal: Terminal, history: Callable[..., Path]
) -> None:
    code, out, err = terminal.run("forecast", "--repo", str(history(20)))

    assert code == 0
    assert "shop: 20 merged changes replayed, 20 expected a month" in out
    assert "the card buys privacy and independence, not money" in out
    assert "auth" in out
    assert err.startswith("reviewbot: 20 commits in ")


def test_the_second_time_everything_is_known(
    terminal: Terminal, history: Callable[..., Path], tmp_path: Path
) -> None:
    repository = str(history(20))
    _, first, _ = terminal.run("forecast", "--repo", repository, "--format", "markdown")
    kept = tmp_path / "data" / "forecast-cache"
    (file,) = kept.iterdir()
    file.write_bytes(file.read_bytes()[:-30])  # the disk was full

    _, second, err = terminal.run("forecast", "--repo", repository, "--format", "markdown")

    assert second == first
    assert "(19 known before)" in err
    assert not (tmp_path / "data" / "reviewbot.db").exists(), "no database is made"


def test_another_policy_is_another_forecast(
    terminal: Terminal, history: Callable[..., Path], tmp_path: Path
) -> None:
    repository = str(history(20))
    terminal.run("forecast", "--repo", repository)
    policy = tmp_path / "policy.yml"
    policy.write_text("route: {always_claude: ['shop/size.py']}\n")
    terminal.set(policy=policy)

    _, out, err = terminal.run("forecast", "--repo", repository, "--format", "json")

    assert "(0 known before)" in err
    assert json.loads(out)["repositories"][0]["tiers"]["claude"] == 20


def test_several_repositories_share_the_stated_rate(
    terminal: Terminal, history: Callable[..., Path]
) -> None:
    repos = [str(history(count, f"r{count}.git")) for count in (10, 30)]

    arguments = ["forecast", "--prs-per-month", "400", "--format", "json"]
    code, out, _ = terminal.run(*arguments, "--repo", repos[0], "--repo", repos[1])

    data = json.loads(out)
    assert code == 0
    assert data["per_month"] == 400
    assert [share["per_month"] for share in data["repositories"]] == [100, 300]
    assert [share["name"] for share in data["repositories"]] == repos


def test_html_is_written_whole(terminal: Terminal, history: Callable[..., Path]) -> None:
    code, out, _ = terminal.run("forecast", "--repo", str(history(5)), "--format", "html")

    assert code == 0
    assert out.startswith("<!doctype html>")
    assert out.rstrip().endswith("</html>")


def test_stated_speed_decides_the_hours(terminal: Terminal, history: Callable[..., Path]) -> None:
    repository = str(history(5))

    def hours(*options: str) -> float:
        _, out, _ = terminal.run("forecast", "--repo", repository, "--format", "json", *options)
        return float(json.loads(out)["strategies"]["local"]["gpu_hours"])

    slow = ("--read-tokens-per-second", "500", "--write-tokens-per-second", "15")
    assert hours(*slow) == pytest.approx(2 * hours(), rel=1e-4)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--repo", "nowhere"], "no such folder: nowhere"),
        (["--prs-per-month", "0"], "not between 0 and"),
        (["--assume", "x.yml", "--limit", "5"], "--assume goes with --format only"),
        (["--assume", "missing.yml"], "cannot read missing.yml"),
    ],
)
def test_wrong_use_is_one_clear_line(
    terminal: Terminal, arguments: list[str], complaint: str
) -> None:
    code, _, err = terminal.run("forecast", *arguments)

    assert code == 2
    assert complaint in err
    assert "Traceback" not in err


def test_stated_figures_need_no_repository(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    code, out, err = terminal.run("forecast", "--assume", str(EXAMPLES / "team-of-forty.yml"))

    assert (code, err) == (0, "")
    assert "$2,700.00" in out
    assert "as published: rounded parts added up" in out


def test_processes_find_what_one_finds(
    history: Callable[..., Path], replayer: Replayer, tmp_path: Path
) -> None:
    read = read_history(history(210))
    ticks: list[int] = []

    several = replay_history(read, replayer, tmp_path / "a", processes=2, tick=ticks.append)
    alone = replay_history(read, replayer, tmp_path / "b", processes=1)

    assert several == alone
    assert [change.sha for change in several.changes] == [merge.sha for merge in read.merges]
    assert sum(ticks) == 210


class Deadly(Replayer):
    """Ends its process, as the kernel does when memory is short."""

    def replay(self, *_: object) -> Replayed:
        os._exit(9)


def test_a_process_that_dies_is_said_to(
    history: Callable[..., Path], replayer: Replayer, tmp_path: Path
) -> None:
    deadly = Deadly(replayer.rules, replayer.policy, (), 16_384)

    with pytest.raises(SourceError, match=r"has died .*--processes 1"):
        replay_history(read_history(history(210)), deadly, tmp_path, processes=2)


def test_the_installed_command_uses_processes(history: Callable[..., Path], tmp_path: Path) -> None:
    program = shutil.which("reviewbot", path=str(Path(sys.executable).parent))
    assert program
    settings = {"PATH": os.environ["PATH"], "REVIEWBOT_DATA_DIR": str(tmp_path / "data")}

    run = subprocess.run(
        [program, "forecast", "--repo", history(replaying.WORTH_PROCESSES), "--processes", "2"],
        env=settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    assert "200 merged changes replayed" in run.stdout

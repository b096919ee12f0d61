"""`reviewbot forecast` from end to end, over real repositories."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
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


ENGINES = """\
engines:
  fine: {tier: local, url: 'http://127.0.0.1:9999/v1', model: our-finetune}
  rented: {tier: local, url: 'https://models.example.com/v1', model: big}
  sonnet: {tier: claude, model: claude-sonnet-5-5}
use: {areas: {auth: sonnet}}
"""
PRICES = """\
prices:
  - {provider: models.example.com, model: big, input_per_mtok: 1, output_per_mtok: 2}
"""


@pytest.fixture
def named(terminal: Terminal, tmp_path: Path) -> Callable[[str], None]:
    """Offers three engines, and sets the policy."""

    def write(policy: str) -> None:
        for name, text in (("engines", ENGINES), ("prices", PRICES), ("policy", policy)):
            (tmp_path / f"{name}.yml").write_text(text)
        terminal.set(
            engines=tmp_path / "engines.yml",
            prices_file=tmp_path / "prices.yml",
            policy=tmp_path / "policy.yml",
        )

    return write


def test_each_named_engine_has_its_share_its_tokens_and_its_money(
    terminal: Terminal, history: Callable[..., Path], named: Callable[[str], None]
) -> None:
    named("route: {engines: {languages: {python: fine}}}\n")
    repository = str(history(20))

    _, out, _ = terminal.run("forecast", "--repo", repository, "--format", "json")
    _, page, _ = terminal.run("forecast", "--repo", repository, "--format", "html")

    made = json.loads(out)
    lines = {line["name"]: line for line in made["engines"]}
    assert {name: (line["tier"], line["model"]) for name, line in lines.items()} == {
        "claude": ("claude", "claude-opus-5-5"),  # the files beside the flagged ones
        "sonnet": ("claude", "claude-sonnet-5-5"),
        "fine": ("local", "our-finetune"),
    }
    tiers = made["repositories"][0]["tiers"]
    assert (lines["sonnet"]["changes"], lines["fine"]["changes"]) == (
        tiers["claude"],
        tiers["local"],
    )
    whole = made["strategies"]["named"]
    for key in ("claude_usd", "energy_usd", "other_usd"):
        assert sum(Decimal(line[key]) for line in lines.values()) == Decimal(whole[key])
    usual = made["strategies"]["hybrid_pull_request"]
    assert whole["claude_usd"] != usual["claude_usd"]
    assert whole["energy_usd"] == usual["energy_usd"]
    assert all(text in page for text in ("With the named engines", "our-finetune", "sonnet"))


def test_a_named_server_of_others_is_billed_and_needs_no_hardware(
    terminal: Terminal, history: Callable[..., Path], named: Callable[[str], None]
) -> None:
    named("route: {engines: {tiers: {local: rented}, areas: {auth: gold}}}\n")

    _, out, _ = terminal.run("forecast", "--repo", str(history(20)), "--format", "json")
    code, text, _ = terminal.run("forecast", "--repo", str(history(20, "again.git")))

    made = json.loads(out)
    [rented] = [line for line in made["engines"] if line["name"] == "rented"]
    whole = made["strategies"]["named"]
    assert rented["other_usd"] == whole["other_usd"] != "0"
    assert (whole["energy_usd"], whole["amortisation_usd"], whole["gpu_hours"]) == ("0", "0", 0)
    assert code == 0
    assert "other servers" in text
    assert "not offered here: gold" in " ".join(text.split())


def test_without_a_use_for_them_named_engines_change_nothing(
    terminal: Terminal, history: Callable[..., Path], named: Callable[[str], None], tmp_path: Path
) -> None:
    repository = str(history(5))
    _, plain, _ = terminal.run("forecast", "--repo", repository, "--format", "json")
    named("version: 1\n")
    (tmp_path / "engines.yml").write_text(ENGINES.partition("use:")[0])

    _, out, _ = terminal.run("forecast", "--repo", repository, "--format", "json")

    assert json.loads(out)["strategies"] == json.loads(plain)["strategies"]
    assert json.loads(out)["engines"] == []


def test_a_named_model_without_a_price_is_told_before_any_work(
    terminal: Terminal, history: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "engines.yml").write_text(ENGINES)
    terminal.set(engines=tmp_path / "engines.yml")

    code, _, err = terminal.run("forecast", "--repo", str(history(5)))

    assert code == 2
    assert "models.example.com" in err


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

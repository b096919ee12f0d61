"""What the README says to type runs as it stands there, but for what needs a model or GitHub."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
#: Exit codes other than 0: without a model a review is incomplete, which no gate lets pass.
CODES = {"reviewbot review --fail-on high --format sarif": 1}
#: What needs somebody else: GitHub's address, or models.
ELSEWHERE = ("--pr URL", "reviewbot eval", "check|test")


def commands() -> list[str]:
    text = README.read_text("utf-8")
    block = re.search(r"^## Use\n\n```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert block
    lines = [line.partition("  #")[0].partition(" # ")[0].strip() for line in block[1].splitlines()]
    return [line for line in lines if not any(word in line for word in ELSEWHERE)]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository `shop` on its branch `feature`, with something not committed yet."""
    folder = tmp_path_factory.mktemp("readme") / "shop"
    folder.mkdir()

    def git(*words: str) -> None:
        who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)

    git("init", "-qb", "main")
    for number in range(3):
        (folder / "pages.py").write_text(f"SIZE = {number}\n")
        git("add", "-A")
        git("commit", "-qm", f"Change {number}")
    git("checkout", "-qb", "feature")
    (folder / "pages.py").write_text("SIZE = 7\n")
    git("commit", "-qam", "More")
    (folder / "pages.py").write_text("SIZE = 8\n")
    return folder


def test_the_block_is_read() -> None:
    assert len(commands()) >= 9


@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_readme_runs(shop: Path, command: str) -> None:
    here = Path(sys.executable).parent
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("REVIEWBOT_", "ANTHROPIC_", "GITHUB_"))
    }
    environment = {
        **clean,
        "PATH": f"{here}:{os.environ['PATH']}",
        "REVIEWBOT_DATA_DIR": str(shop.parent / "data"),
    }
    typed = command.replace("/backups/", f"{shop.parent}/backups/")

    done = subprocess.run(
        ["bash", "-c", typed],
        cwd=shop,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert "Traceback" not in done.stderr
    assert done.returncode == CODES.get(command, 0), done.stdout + done.stderr

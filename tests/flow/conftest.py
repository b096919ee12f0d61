"""One person at a terminal: a real repository, a real command line, loopback models."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from model_servers.claude import ClaudeServer
from model_servers.openai import OpenAIServer

from reviewbot.cli import main

LOGIN_BASE = """\
import hmac

from shop.identity import Denied, digest, start_session


def login(user, password):
    if not user.active:
        raise Denied
    if hmac.compare_digest(user.digest, digest(password)):
        return start_session(user)
    return None
"""
LOGIN_HEAD = LOGIN_BASE.replace(
    "hmac.compare_digest(user.digest, digest(password))", "user.digest == digest(password)"
)
PAGES_BASE = "def pages(total, size):\n    return -(-total // size)\n"
PAGES_HEAD = "def pages(total, size):\n    return total // size\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """`main` with a branch for each kind of change: `risky`, `plain`, `both`, `docs`."""
    folder = tmp_path / "shop"
    folder.mkdir()

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)

    def commit(branch: str, files: dict[str, str]) -> None:
        git("checkout", "-q", *(["-b", branch] if branch != "main" else ["-B", "main"]))
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        git("add", "-A")
        git("commit", "-q", "-m", f"Change {branch}")
        if branch != "main":
            git("checkout", "-q", "main")

    git("init", "-q", "-b", "main")
    commit(
        "main",
        {"shop/auth/login.py": LOGIN_BASE, "shop/pages.py": PAGES_BASE, "README.md": "Shop\n"},
    )
    commit("risky", {"shop/auth/login.py": LOGIN_HEAD})
    commit("plain", {"shop/pages.py": PAGES_HEAD})
    commit("both", {"shop/auth/login.py": LOGIN_HEAD, "shop/pages.py": PAGES_HEAD})
    commit("docs", {"README.md": "Web shop\n"})
    return folder


@dataclass
class Terminal:
    """Runs commands as a person would; each setting is an environment variable."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def set(self, **settings: object) -> None:
        for name, value in settings.items():
            self.monkeypatch.setenv(f"REVIEWBOT_{name.upper()}", str(value))

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """(exit code, standard output, standard error)."""
        code = main(list(arguments))
        captured = self.capsys.readouterr()
        return code, captured.out, captured.err

    def review(self, repository: Path, branch: str) -> dict[str, Any]:
        """The JSON form of a review of what `branch` adds to main."""
        code, out, err = self.run(
            "review", f"main...{branch}", "--repo", str(repository), "--format", "json"
        )
        assert code == 0, err
        result: dict[str, Any] = json.loads(out)
        return result


@pytest.fixture
def terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Terminal:
    """A terminal with a database of its own and no models."""
    for name in ("ANTHROPIC_API_KEY", "GITHUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    made = Terminal(monkeypatch, capsys)
    made.set(data_dir=tmp_path / "data")
    return made


@pytest.fixture
def with_claude(terminal: Terminal, claude_server: ClaudeServer) -> ClaudeServer:
    """A Claude that the terminal's settings point to."""
    claude_server.models += ("claude-haiku-5-5", "claude-sonnet-5-5")
    terminal.set(anthropic_api_url=claude_server.root, anthropic_api_key=claude_server.key)
    return claude_server


@pytest.fixture
def with_local(terminal: Terminal, openai_server: OpenAIServer) -> OpenAIServer:
    """A local model that the terminal's settings point to."""
    terminal.set(local_url=f"{openai_server.root}/v1", local_api_key=openai_server.key)
    return openai_server


@pytest.fixture
def says() -> Callable[..., str]:
    """An answer with findings, each given by what matters of it."""

    def answer(*findings: dict[str, Any], walkthrough: str = "It changes a thing.") -> str:
        usual = {
            "path": "shop/pages.py",
            "line": 2,
            "end_line": None,
            "quote": "    return total // size",
            "severity": "high",
            "category": "correctness",
            "title": "The last page is lost",
            "body": "Rounds down.",
            "suggestion": None,
            "confidence": 0.9,
        }
        return json.dumps({"walkthrough": walkthrough, "findings": [usual | f for f in findings]})

    return answer

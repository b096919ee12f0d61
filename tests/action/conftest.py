"""A job of a workflow: `action.yml` as it stands, its steps in bash, a runner's environment."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from flow.conftest import LOGIN_BASE, LOGIN_HEAD, PAGES_BASE, PAGES_HEAD
from github_simulator.content import Content
from github_simulator.server import GitHubSimulator
from github_simulator.state import Pull, Repository
from model_servers.claude import ClaudeServer
from model_servers.openai import OpenAIServer
from preloaded import preloaded

ROOT = Path(__file__).parents[2]
DEFINITION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
#: Who posts with a job's own token.
BOT = "github-actions[bot]"
STATE_KEY = "a state key that nobody else knows"
_EXPRESSION = re.compile(r"\$\{\{ *(inputs|github)\.([\w-]+) *\}\}")


@dataclass
class Ran:
    """What a job left."""

    code: int
    log: str
    """What people see: the runner takes the masks out."""
    masked: list[str]
    outputs: dict[str, str]
    summary: str


@dataclass
class Job:
    """A runner with `action.yml`, a GitHub and models."""

    folder: Path
    github: GitHubSimulator
    repository: Repository
    claude: ClaudeServer
    local: OpenAIServer
    installed: Path
    """The virtual environment of the step."""
    inputs: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    permissions: dict[str, str] = field(
        default_factory=lambda: {"contents": "read", "pull_requests": "write"}
    )
    runs: int = 0
    costs: list[Decimal] = field(default_factory=list)

    def pull(self, branch: str = "plain", **facts: Any) -> Pull:
        return self.repository.open_pull(branch, title=f"Change {branch}", **facts)

    def event(self, pull: Pull, action: str = "opened") -> dict[str, Any]:
        return self.github.payloads.pull_request(self.repository, pull, action)

    def run(
        self,
        event: dict[str, Any] | str,
        *,
        name: str = "pull_request",
        actor: str = "ada",
        **inputs: str,
    ) -> Ran:
        """Every `run:` step of `action.yml`, but for the installation, which needs a registry:
        `installed` stands in for what it makes."""
        self.runs += 1
        here = self.folder / f"run{self.runs}"
        here.mkdir()
        text = event if isinstance(event, str) else json.dumps(event)
        (here / "event.json").write_text(text, "utf-8")
        temp = here / "temp"
        temp.mkdir()
        (temp / "reviewbot").symlink_to(self.installed, target_is_directory=True)
        given = {"github-token": self.token()} | self.inputs
        given |= {key.replace("_", "-"): value for key, value in inputs.items()}
        environment = self._environment(here, name, actor)
        code, log = 0, ""
        for step in DEFINITION["runs"]["steps"]:
            if "run" not in step or step["name"] == "Install reviewbot":
                continue
            ran = self._bash(step, given, environment)
            code, log = ran.returncode, log + ran.stdout + ran.stderr
        return self._left(here, code, log)

    def token(self) -> str:
        """The job's own, which GitHub makes of the job's `permissions`."""
        installation = next(iter(self.github.apps.installations.values()))
        only = frozenset({self.repository.full_name})
        now = self.github.now()
        return self.github.apps.grant(installation, only, self.permissions, now).token

    def _environment(self, here: Path, name: str, actor: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(here),
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_ACTOR": actor,
            "GITHUB_API_URL": self.github.url,
            "GITHUB_SERVER_URL": self.github.url,
            "GITHUB_REPOSITORY": self.repository.full_name,
            "GITHUB_EVENT_NAME": name,
            "GITHUB_EVENT_PATH": str(here / "event.json"),
            "GITHUB_ENV": str(here / "env"),
            "GITHUB_OUTPUT": str(here / "output"),
            "GITHUB_STEP_SUMMARY": str(here / "summary.md"),
            "GITHUB_RUN_ID": str(9_000 + self.runs),
            "GITHUB_RUN_ATTEMPT": "1",
            "RUNNER_TEMP": str(here / "temp"),
            "REVIEWBOT_ANTHROPIC_API_URL": self.claude.root,
            **self.environment,
        }

    def _bash(
        self, step: dict[str, Any], given: dict[str, str], environment: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """As the runner does it for `shell: bash`."""
        assert step["shell"] == "bash"
        script = Path(environment["RUNNER_TEMP"], "step.sh")
        script.write_text(step["run"], "utf-8")
        mapped = {name: evaluated(value, given) for name, value in step.get("env", {}).items()}
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            env={**environment, **mapped},
            cwd=environment["RUNNER_TEMP"],
            capture_output=True,
            text=True,
            check=False,
        )

    def _left(self, here: Path, code: int, log: str) -> Ran:
        lines = log.splitlines()
        mask = "::add-mask::"
        written = here / "output"
        pairs = written.read_text("utf-8").splitlines() if written.exists() else []
        summary = here / "summary.md"
        ran = Ran(
            code,
            "\n".join(line for line in lines if not line.startswith(mask)),
            [line.removeprefix(mask) for line in lines if line.startswith(mask)],
            dict(pair.split("=", 1) for pair in pairs),
            summary.read_text("utf-8") if summary.exists() else "",
        )
        assert not (here / "env").exists(), "a later step's environment is not ours to change"
        return ran


def evaluated(text: str, given: dict[str, str]) -> str:
    """An expression of `action.yml` with what the workflow gave, or the input's default."""

    def value(found: re.Match[str]) -> str:
        assert found[1] == "inputs", f"nothing else is needed: {found[0]}"
        default = str(DEFINITION["inputs"][found[2]].get("default", ""))
        return given.get(found[2], default)

    made = _EXPRESSION.sub(value, text)
    assert "${{" not in made
    return made


@pytest.fixture(scope="session")
def installed() -> Iterator[Path]:
    with preloaded() as folder:
        yield folder


@pytest.fixture
def job(
    tmp_path: Path, claude_server: ClaudeServer, openai_server: OpenAIServer, installed: Path
) -> Iterator[Job]:
    """A repository with a branch for each kind of change: `risky`, `plain`, `both`."""
    content = Content(tmp_path / "content")
    content.commit("main", {"shop/pages.py": PAGES_BASE, "shop/auth/login.py": LOGIN_BASE})
    content.commit("plain", {"shop/pages.py": PAGES_HEAD}, start="main")
    content.commit("risky", {"shop/auth/login.py": LOGIN_HEAD}, start="main")
    claude_server.models += ("claude-haiku-5-5",)
    openai_server.key = "local-0123456789abcdef"
    with GitHubSimulator(tmp_path) as github:
        app = github.app("github-actions")
        repository = github.repository("acme/shop", start=content)
        github.install(app, "acme")
        made = Job(tmp_path, github, repository, claude_server, openai_server, installed)
        made.inputs = {
            "anthropic-api-key": claude_server.key,
            "local-url": f"{openai_server.root}/v1",
            "local-api-key": openai_server.key,
            "state-key": STATE_KEY,
        }
        yield made
        assert github.problems == []


@pytest.fixture
def says() -> Callable[..., str]:
    """An answer with findings, each given by what matters of it."""

    def answer(*findings: dict[str, Any]) -> str:
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
        found = [usual | each for each in findings]
        return json.dumps({"walkthrough": "It changes a thing.", "findings": found})

    return answer

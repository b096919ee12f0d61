"""`make demo`: five changes to a small web shop, reviewed from end to end.

Makes a real git repository of `shop/` and `changes/` in `.demo/` (or the folder given) and runs the real command line on
each change. Models that are configured are used; for one that is not, a server on this machine
plays the hand-written answers of `answers/`, and everything it touches is marked SCRIPTED.
DEMO_SCRIPTED=1 plays them in any case.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from scripted_server import EXAMPLES, ScriptedServer, written_answers

from reviewbot.config.settings import Settings, load_settings
from reviewbot.errors import ReviewbotError

WIDTH = 100
RULE = "─" * WIDTH
#: The commits are the same on every machine: whose they are and when is fixed, no one's settings.
IDENTITY = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Robin Example",
    "GIT_AUTHOR_EMAIL": "robin@shop.example",
    "GIT_AUTHOR_DATE": "2026-03-02T09:00:00Z",
    "GIT_COMMITTER_NAME": "Robin Example",
    "GIT_COMMITTER_EMAIL": "robin@shop.example",
    "GIT_COMMITTER_DATE": "2026-03-02T09:00:00Z",
}
CLAUDE = ("ANTHROPIC_API_KEY", "ANTHROPIC_API_KEY_FILE", "ANTHROPIC_API_URL")
LOCAL = ("LOCAL_ENGINE", "LOCAL_MODEL", "LOCAL_URL", "LOCAL_API_KEY", "LOCAL_API_KEY_FILE")
#: The demonstration has its own database and the policy that comes with reviewbot.
OWN = ("DATABASE_URL", "POLICY")


@dataclass(frozen=True)
class Models:
    """Which models are real here."""

    settings: Settings
    claude: bool
    local: bool

    @property
    def scripted(self) -> bool:
        return not (self.claude and self.local)


def main(folder: Path) -> int:
    """Run the demonstration in `folder`; the exit code of the first review that failed, else 0."""
    models = find_models()
    shutil.rmtree(folder, ignore_errors=True)
    branches = make_repository(folder / "shop")
    print(banner(models, len(branches), folder), flush=True)
    with ScriptedServer(written_answers()) as server:
        environment = review_environment(models, server.url, folder)
        for number, branch in enumerate(branches, 1):
            print(f"\n{RULE}\n{number} of {len(branches)}   main...{branch}\n{RULE}", flush=True)
            code = review(branch, environment, folder)
            if code:
                print(f"demo: the review of {branch} ended with exit code {code}", file=sys.stderr)
                return code
    reviews = [json.loads((folder / f"{branch}.json").read_text("utf-8")) for branch in branches]
    print(f"\n{RULE}\n{table(reviews)}\n\n{closing(models)}\n{RULE}")
    return 0


def find_models() -> Models:
    """What is configured. Raises SettingsError for a setting that is wrong."""
    settings = load_settings()
    real = os.environ.get("DEMO_SCRIPTED", "") in ("", "0")
    local = bool(settings.local_url) and settings.local_engine != "none"
    return Models(settings, real and settings.anthropic_api_key is not None, real and local)


def make_repository(shop: Path) -> list[str]:
    """A repository with the shop on `main` and a branch for each change; their names."""
    unwanted = shutil.ignore_patterns("__pycache__", ".pytest_cache")
    shutil.copytree(EXAMPLES / "shop", shop, ignore=unwanted)
    git(shop, "init", "--quiet", "--initial-branch=main")
    git(shop, "add", "--all")
    git(shop, "commit", "--quiet", "--message=The shop")
    patches = sorted((EXAMPLES / "changes").glob("*.patch"))
    for patch in patches:
        git(shop, "checkout", "--quiet", "-b", patch.stem, "main")
        git(shop, "am", "--quiet", "--committer-date-is-author-date", str(patch.resolve()))
    git(shop, "checkout", "--quiet", "main")
    return [patch.stem for patch in patches]


def git(repository: Path, *arguments: str) -> None:
    """Run git there, by nobody's settings but ours."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment = {**inherited, **IDENTITY}
    subprocess.run(["git", *arguments], cwd=repository, env=environment, check=True)


def review_environment(models: Models, server: str, folder: Path) -> dict[str, str]:
    """The reviews' environment: the caller's, with the server where a model is missing."""
    dropped = [*OWN, *(() if models.claude else CLAUDE), *(() if models.local else LOCAL)]
    names = {f"REVIEWBOT_{name}" for name in dropped}
    environment = {name: value for name, value in os.environ.items() if name not in names}
    environment["REVIEWBOT_DATA_DIR"] = str((folder / "data").resolve())
    environment["COLUMNS"] = str(min(shutil.get_terminal_size((WIDTH, 40)).columns, WIDTH))
    if not models.claude:
        environment["REVIEWBOT_ANTHROPIC_API_KEY"] = "scripted"
        environment["REVIEWBOT_ANTHROPIC_API_URL"] = server
    if not models.local:
        environment["REVIEWBOT_LOCAL_URL"] = f"{server}/v1"
    return environment


def review(branch: str, environment: Mapping[str, str], folder: Path) -> int:
    """Review one branch by the command line, its output on ours; its exit code."""
    command = [sys.executable, "-m", "reviewbot", "review", f"main...{branch}"]
    command += ["--repo", str(folder / "shop"), "--json-file", str(folder / f"{branch}.json")]
    return subprocess.run(command, env=environment, check=False).returncode


def banner(models: Models, changes: int, folder: Path) -> str:
    """What is real in this run and what is not."""
    lines = [
        RULE,
        f"reviewbot: {changes} changes to a small web shop (examples/), reviewed from end to end",
        "",
        f"Real here: git, routing, packing, analysers, anchoring, prices, the ledger ({folder}/data).",
    ]
    if models.claude:
        lines.append(f"Claude:      {models.settings.claude_model}, REAL: this costs a few cents.")
    else:
        lines.append("Claude:      SCRIPTED: no key, so hand-written answers are played.")
    if models.local:
        lines.append(f"Local model: the one at {models.settings.local_url}, REAL.")
    else:
        lines.append("Local model: SCRIPTED: none is set, so hand-written answers are played.")
    if models.scripted:
        lines += [
            "",
            "SCRIPTED means: no model took part. A server on this machine plays the answers, nothing",
            "is paid for them, tokens are estimates, and money is what it would cost.",
        ]
    return "\n".join([*lines, RULE])


def table(reviews: list[dict[str, Any]]) -> str:
    """Every change with its route and cost, and the sum."""
    scripted = any(result["scripted"] for result in reviews)
    title = "What it would cost (SCRIPTED: no real money)" if scripted else "What it cost"
    heads = (
        "change",
        "goes to",
        "areas",
        "findings",
        "Claude $",
        "local $",
        "joules",
        "all Claude $",
    )
    rows = [_row(result) for result in reviews]
    sums = [_sum(reviews, key) for key in ("claude_usd", "local_usd", "joules", "all_claude_usd")]
    found = sum(len(result["findings"]) for result in reviews)
    claude, local, joules, all_claude = sums
    total = (
        "total",
        "",
        "",
        str(found),
        _usd(claude),
        _usd(local),
        f"{joules:.0f}",
        _usd(all_claude),
    )
    widths = [max(len(row[at]) for row in (heads, *rows, total)) for at in range(len(heads))]
    widths[0] = min(widths[0], 28)
    lines = [_line(row, widths) for row in (heads, *rows, total)]
    lines.insert(1, "─" * len(lines[0]))
    lines.insert(-1, "─" * len(lines[0]))
    if not all(result["complete"] for result in reviews):
        lines.append("! incomplete: see above what was not read, and why")
    return "\n".join([title, "", *lines])


def _row(result: dict[str, Any]) -> tuple[str, ...]:
    cost, route = result["cost"], result["route"]
    return (
        result["change"]["title"],
        route["tier"],
        ", ".join(route["areas"]) or "–",
        str(len(result["findings"])) + ("" if result["complete"] else " !"),
        _usd(_amount(cost["claude_usd"])),
        _usd(_amount(cost["local_usd"])),
        f"{_amount(cost['joules']):.0f}",
        _usd(_amount(cost["all_claude_usd"])),
    )


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    title = row[0] if len(row[0]) <= widths[0] else row[0][: widths[0] - 1] + "…"
    texts = [title.ljust(widths[0]), row[1].ljust(widths[1]), row[2].ljust(widths[2])]
    numbers = [text.rjust(width) for text, width in zip(row[3:], widths[3:], strict=True)]
    return "  ".join([*texts, *numbers])


def _amount(value: str | float | None) -> Decimal:
    return Decimal(str(value or 0))


def _sum(reviews: list[dict[str, Any]], key: str) -> Decimal:
    return sum((_amount(result["cost"][key]) for result in reviews), Decimal(0))


def _usd(amount: Decimal) -> str:
    return f"{amount:.4f}"


def closing(models: Models) -> str:
    """What the table leaves out, and how to go on."""
    lines = []
    if not models.local:
        lines += [
            "The scripted server answers at once: a real local model takes seconds, joules and cents.",
            "",
        ]
    lines += ["Your own repository, this branch against its default branch:", ""]
    lines += ["  .venv/bin/reviewbot review --repo PATH", ""]
    lines.append(
        "With models: ANTHROPIC_API_KEY=… and REVIEWBOT_LOCAL_URL=http://127.0.0.1:8000/v1"
    )
    lines.append("Only where a change would go, and why: .venv/bin/reviewbot route --repo PATH")
    return "\n".join(lines)


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".demo")))
    except ReviewbotError as error:
        sys.exit(f"demo: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"demo: {' '.join(error.cmd[:2])} failed (exit code {error.returncode})")
    except KeyboardInterrupt:
        sys.exit(130)

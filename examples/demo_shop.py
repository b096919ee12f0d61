"""The example repository: the shop on `main`, and each change on a branch of its own."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

EXAMPLES = Path(__file__).parent
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


class Branch(NamedTuple):
    """A change as its author would open a pull request for it."""

    name: str
    author: str
    """Login."""
    title: str
    description: str


def make_repository(shop: Path) -> list[Branch]:
    """A repository with the shop on `main` and a branch for each change, in order."""
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
    return [_branch(shop, patch.stem) for patch in patches]


def git(repository: Path, *arguments: str) -> str:
    """Run git there, by nobody's settings but ours; what it prints."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    run = subprocess.run(
        ["git", *arguments],
        cwd=repository,
        env={**inherited, **IDENTITY},
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    )
    return run.stdout


def _branch(shop: Path, name: str) -> Branch:
    shown = git(shop, "log", "-1", "--format=%ae%x00%s%x00%b", name)
    email, title, body = shown.split("\0")
    description = " ".join(
        body.split()
    )  # GitHub keeps line ends; a commit's are only for terminals
    return Branch(name, email.partition("@")[0], title, description)

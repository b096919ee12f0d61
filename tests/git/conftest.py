"""Real repositories in temporary folders."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest


class Repo:
    """A repository that a test fills."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def git(self, *arguments: str, data: bytes | None = None) -> str:
        """Run git here, as a person with no settings would."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Ada Lovelace",
            "GIT_AUTHOR_EMAIL": "ada@example.com",
            "GIT_COMMITTER_NAME": "Ada Lovelace",
            "GIT_COMMITTER_EMAIL": "ada@example.com",
            "GIT_AUTHOR_DATE": "2030-01-02T03:04:05Z",
            "GIT_COMMITTER_DATE": "2030-01-02T03:04:05Z",
        }
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=environment,
            input=data,
            capture_output=True,
            check=True,
        )
        return os.fsdecode(done.stdout).strip()

    def commit(self, message: str, **files: str | bytes | None) -> str:
        """Commit files given as `name=text` (`__` is `/`, `_dot_` is `.`); None deletes one."""
        return self.commit_files(
            message,
            {name.replace("__", "/").replace("_dot_", "."): text for name, text in files.items()},
        )

    def commit_files(self, message: str, files: dict[str, str | bytes | None]) -> str:
        for name, content in files.items():
            path = os.path.join(os.fsencode(self.folder), os.fsencode(name))
            if content is None:
                os.unlink(path)
                continue
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
        self.git("add", "--all", ".")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def make_repo(tmp_path: Path) -> Callable[..., Repo]:
    """Makes a repository with an empty history on `main`."""

    def make(name: str = "shop", *options: str) -> Repo:
        folder = tmp_path / name
        folder.mkdir()
        repo = Repo(folder)
        repo.git("init", "--quiet", "--initial-branch=main", *options)
        return repo

    return make


@pytest.fixture
def repo(make_repo: Callable[..., Repo]) -> Repo:
    """A shop with two commits on `main`."""
    made = make_repo()
    made.commit("Start", shop_dot_py="def total():\n    return 0\n", README_dot_md="# Shop\n")
    made.commit("Sell\n\nNow with prices.", shop_dot_py="def total():\n    return 1\n")
    return made

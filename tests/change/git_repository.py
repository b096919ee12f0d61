"""A git repository that a test drives as a person would."""

import os
import subprocess
from pathlib import Path

ALONE = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    **{f"GIT_{who}_NAME": "Ada" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "ada@example.org" for who in ("AUTHOR", "COMMITTER")},
}
"""Nothing of the machine's own git settings."""


class Repository:
    """A folder under git, driven as a person would."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> bytes:
        """What `git arguments` prints; a conflict (exit 1) is no failure here."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, env=os.environ | ALONE, capture_output=True
        )
        assert done.returncode in (0, 1), done.stderr.decode()
        return done.stdout

    def write(self, name: str | bytes, content: str | bytes) -> None:
        """Puts a file there, with the folders it needs."""
        where = os.path.join(os.fsencode(self.path), os.fsencode(name))
        os.makedirs(os.path.dirname(where), exist_ok=True)
        with open(where, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())

    def commit(self) -> None:
        """Commits everything as it lies there."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "step")

    def diff(self, *options: str) -> bytes:
        """The last commit's diff."""
        return self.git("diff", *options, "HEAD~1", "HEAD")

"""`reviewbot setup` in a process of its own."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

#: GitHub reaches it there; it is not asked in these tests.
PUBLIC = "https://reviewbot.example.com"


@dataclass
class SetUp:
    """`reviewbot setup` in a process."""

    process: subprocess.Popen[str]
    data: Path
    said: str = ""

    @property
    def folder(self) -> Path:
        return self.data / "app"

    def link(self) -> str:
        """The address that it prints."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.said += line
            if found := re.search(r"http://\S+", line):
                return found[0]
        pytest.fail(f"no link: {self.said}")

    def ended(self) -> int:
        """How it ended; `said` is all that it printed then."""
        rest, _ = self.process.communicate(timeout=60)
        self.said += rest
        return self.process.returncode


def clean_environment(**settings: str) -> dict[str, str]:
    """Ours without any setting of reviewbot, and with these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REVIEWBOT_")}
    return {**kept, **{f"REVIEWBOT_{name}": value for name, value in settings.items()}}

"""Whoever reads may go away: that is no finding and no error."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("command", ["review", "route"])
def test_a_reader_that_goes_away_ends_it_with_0(tmp_path: Path, command: str) -> None:
    diff = Path(__file__).parents[2] / "examples" / "changes" / "01-remember-me.patch"
    read, write = os.pipe()
    os.close(read)
    environment = {**os.environ, "REVIEWBOT_DATA_DIR": str(tmp_path)}
    for name in ("ANTHROPIC_API_KEY", "REVIEWBOT_ANTHROPIC_API_KEY", "REVIEWBOT_LOCAL_URL"):
        environment.pop(name, None)

    done = subprocess.run(
        [sys.executable, "-m", "reviewbot", command, "--diff", str(diff)],
        stdout=write,
        stderr=subprocess.PIPE,
        env=environment,
        timeout=120,
    )
    os.close(write)

    assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr

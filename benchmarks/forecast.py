"""Replay of merged history beside `git log -p` of the same commits.

    python benchmarks/forecast.py REPOSITORY [COMMITS]

Wall and CPU seconds of both; the replay starts without a cache, then once more with it.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from processes import table

from reviewbot.config.policy import Policy
from reviewbot.git.history import read_history
from reviewbot.replaying import DEFAULT_CONTEXT_TOKENS, replay_history
from reviewbot.reporting.replay import Replayer
from reviewbot.routing.rules import shipped_rules


class Time(NamedTuple):
    wall: float
    cpu: float


def spent(work: Callable[[], object]) -> Time:
    """Wall seconds, and CPU seconds of this process and its ended children."""

    def cpu() -> float:
        return sum(
            usage.ru_utime + usage.ru_stime
            for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        )

    wall, before = time.perf_counter(), cpu()
    work()
    return Time(time.perf_counter() - wall, cpu() - before)


def main() -> None:
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    history = read_history(
        Path(sys.argv[1]), limit=int(sys.argv[2]) if len(sys.argv) == 3 else None
    )
    replayer = Replayer(shipped_rules(), Policy(), history.guidelines, DEFAULT_CONTEXT_TOKENS)
    commits = len(history.merges)

    whole: list[bool] = []

    def git() -> None:
        newest, count = history.merges[0].sha, f"--max-count={commits}"
        command = ["git", f"--git-dir={history.repository.git_dir}", "log", "-p", "-m"]
        done = subprocess.run(
            [*command, "--first-parent", count, newest],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        whole.append(done.returncode == 0)

    git()  # fill the disk cache
    with tempfile.TemporaryDirectory() as name:
        cache = Path(name)
        log = min(spent(git), spent(git))
        replay = spent(lambda: replay_history(history, replayer, cache))
        again = spent(lambda: replay_history(history, replayer, cache))
    rows = [("", "wall s", "CPU s", "commits/s")]
    for name, took in (("git log -p", log), ("replay", replay), ("replay, known", again)):
        rows.append((name, f"{took.wall:.2f}", f"{took.cpu:.2f}", f"{commits / took.wall:.0f}"))
    table(rows)
    result = {
        "repository": history.repository.name,
        "commits": commits,
        "cores": len(os.sched_getaffinity(0)),
        "git_log_s": round(log.wall, 2),
        "replay_s": round(replay.wall, 2),
        "commits_per_s": round(commits / replay.wall, 1),
        # a clone that lacks files makes git give up: there is nothing to compare with then
        "ratio_wall": round(replay.wall / log.wall, 2) if all(whole) else None,
        "ratio_cpu": round(replay.cpu / log.cpu, 2) if all(whole) else None,
        "known_s": round(again.wall, 2),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()

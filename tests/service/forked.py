"""Workers that begin with all modules loaded: a test that kills hundreds has no time for less."""

import multiprocessing
import os
import sys
from collections.abc import Mapping
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import anthropic  # noqa: F401 - loaded once for all workers
import dbos  # noqa: F401
import github  # noqa: F401
import hurried
import pytest

from reviewbot.service import github_host


def worker_context() -> ForkServerContext:
    """Processes of which each is a copy of one that has loaded everything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["forked", "frozen"])
    with pytest.MonkeyPatch.context() as patch:
        here = Path(__file__).parent  # the server does not take over our own path
        patch.setenv("PYTHONPATH", f"{here}:{here.parent}")
        forkserver.ensure_running()
    return context


def start_worker(
    context: ForkServerContext, environment: Mapping[str, str], log: Path, kind: str = "worker"
) -> ForkServerProcess:
    """`reviewbot worker` with these settings, or another `kind` of it that `hurried` knows."""
    process = context.Process(target=_work, args=(dict(environment), str(log), kind), daemon=True)
    process.start()
    return process


def _work(environment: dict[str, str], log: str, kind: str) -> None:
    with open(log, "ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.clear()
    os.environ.update(environment)
    github_host.UNCLEAR_SECONDS = 0.1
    sys.exit(hurried.main(kind))

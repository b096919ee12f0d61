"""Fixtures that every test may use."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest_plugins = ["databases", "model_servers.fixtures"]

# of what is made while tests are collected nothing is garbage: to look for some takes seconds
gc.disable()

#: Folders whose tests start processes and wait for them, from the slowest on.
_SLOW = ("service", "project", "action", "store", "flow", "setup")
#: Of `service`, the files that take more than a few seconds.
_SLOWEST = (
    "test_end_to_end_sqlite", "test_end_to_end_postgresql", "test_recovering", "test_workflows",
    "test_service_takeover", "test_faults", "test_restoring", "test_any_life", "test_service_budget",
    "test_broken_machine", "test_service_llama", "test_worker_crash", "test_monthly",
    "test_service_passes", "test_hostile_pulls", "test_first_start",
)  # fmt: skip


@pytest.fixture
def one_core() -> Iterator[None]:
    """llama.cpp's threads wait by spinning: with as many as there are cores, of which others take
    their share, the tiny model takes ten times as long. On one core it has one."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    mine = os.sched_getaffinity(0)
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    os.sched_setaffinity(0, {sorted(mine)[number % len(mine)]})
    yield
    os.sched_setaffinity(0, mine)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: one that begins last would be waited for alone."""
    items.sort(key=_turn)  # files stay together, and each in its order


def _turn(item: pytest.Item) -> tuple[int, int]:
    folder, name = item.path.relative_to(Path(__file__).parent).parts[0], item.path.stem
    slow = _SLOW.index(folder) if folder in _SLOW else len(_SLOW)
    return _SLOWEST.index(name) if name in _SLOWEST else len(_SLOWEST), slow


def pytest_collection_finish() -> None:
    """From here on there is garbage."""
    gc.freeze()
    gc.enable()

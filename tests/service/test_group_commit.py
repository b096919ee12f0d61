"""What several threads write at once goes into one transaction, and each learns what became of it."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from reviewbot.service.group_commit import MAX_ITEMS, GroupCommit


@dataclass
class Disk:
    """Writes nothing before it may."""

    batches: list[list[int]] = field(default_factory=list)
    began: threading.Event = field(default_factory=threading.Event)
    may: threading.Event = field(default_factory=threading.Event)
    faults: list[Exception] = field(default_factory=list)

    def write(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        self.began.set()
        assert self.may.wait(10)
        if self.faults and len(self.batches) == 2:
            raise self.faults[0]
        return [item * 10 for item in items]


@pytest.fixture
def disk() -> Disk:
    return Disk()


Put = Callable[[int], list["Future[int]"]]


@pytest.fixture
def group(disk: Disk) -> GroupCommit[int, int]:
    return GroupCommit(disk.write)


@pytest.fixture
def put(disk: Disk, group: GroupCommit[int, int]) -> Put:
    """Item 0 is being written while so many others come; then the disk may go on."""

    def all_at_once(others: int) -> list["Future[int]"]:
        with ThreadPoolExecutor(others + 1) as threads:
            futures = [threads.submit(group.put, 0)]
            assert disk.began.wait(10)
            futures += [threads.submit(group.put, item) for item in range(1, others + 1)]
            while len(group._waiting) < others:
                time.sleep(0.001)
            disk.may.set()
        return futures

    return all_at_once


def test_what_comes_while_another_writes_is_written_together(disk: Disk, put: Put) -> None:
    futures = put(9)

    assert [len(batch) for batch in disk.batches] == [1, 9]
    assert [future.result() for future in futures] == [item * 10 for item in range(10)]


def test_nobody_waits_for_too_many_others(disk: Disk, put: Put) -> None:
    futures = put(MAX_ITEMS + 5)

    assert [len(batch) for batch in disk.batches] == [1, MAX_ITEMS, 5]
    assert [future.result() for future in futures] == [i * 10 for i in range(MAX_ITEMS + 6)]


def test_a_fault_is_told_to_all_whose_work_it_was_and_to_nobody_else(disk: Disk, put: Put) -> None:
    disk.faults.append(OSError("disk full"))

    first, *others = put(3)

    assert first.result() == 0
    assert [str(future.exception()) for future in others] == ["disk full"] * 3


def test_after_a_fault_the_next_one_is_written(
    disk: Disk, put: Put, group: GroupCommit[int, int]
) -> None:
    disk.faults.append(OSError("disk full"))
    put(1)

    assert [group.put(4), group.put(5)] == [40, 50]

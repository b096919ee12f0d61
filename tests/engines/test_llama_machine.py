"""Memory, cores and cards, as Linux, containers and the driver tell them."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from reviewbot.engines.llama import machine
from reviewbot.engines.llama.machine import read_machine, usable_machine

MIB = 2**20
MEMINFO = "MemTotal: 8388608 kB\nMemFree: 100 kB\nMemAvailable: 6291456 kB\nHugePages_Total: 0\n"

Write = Callable[[dict[str, str]], Path]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes files of `/proc` and `/sys` for a process on CPUs 0 to 3; two hardware threads a
    core, unless given otherwise."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2, 3})
    monkeypatch.setitem(sys.modules, "pynvml", None)

    def write(files: dict[str, str]) -> Path:
        siblings = {
            f"sys/devices/system/cpu/cpu{n}/topology/thread_siblings_list": f"{n % 2},{n % 2 + 2}"
            for n in range(4)
        }
        for name, text in {"proc/meminfo": MEMINFO, **siblings, **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + "\n")
        return tmp_path

    return write


def test_a_plain_machine(root: Write) -> None:
    found = read_machine(root({}))

    assert (found.ram_total, found.ram_available) == (8192 * MIB, 6144 * MIB)
    assert found.cores == 2  # four threads
    assert found.gpus == ()


def test_without_topology_every_cpu_counts(root: Write, tmp_path: Path) -> None:
    root({"sys/devices/system/cpu/cpu3/topology/thread_siblings_list": ""})

    assert read_machine(tmp_path).cores == 4


def test_a_container_sees_its_own_limit_as_the_root_of_cgroup_2(root: Write) -> None:
    found = read_machine(
        root(
            {
                "proc/self/cgroup": "0::/",
                "sys/fs/cgroup/memory.max": str(4096 * MIB),
                "sys/fs/cgroup/memory.current": str(3072 * MIB),
                "sys/fs/cgroup/memory.stat": f"anon 5\ninactive_file {1024 * MIB}\nslab 3",
                "sys/fs/cgroup/cpu.max": "150000 100000",
            }
        )
    )

    assert (found.ram_total, found.ram_available) == (4096 * MIB, 2048 * MIB)
    assert found.cores == 1


def test_the_tightest_of_all_groups_above_counts(root: Write) -> None:
    base = "sys/fs/cgroup/machine.slice"
    found = read_machine(
        root(
            {
                "proc/self/cgroup": "0::/machine.slice/bot.service",
                f"{base}/memory.max": str(3000 * MIB),
                f"{base}/memory.current": str(1000 * MIB),
                f"{base}/bot.service/memory.max": "max",
                f"{base}/bot.service/memory.current": str(10 * MIB),
                f"{base}/bot.service/cpu.max": "max 100000",
            }
        )
    )

    assert (found.ram_total, found.ram_available) == (3000 * MIB, 2000 * MIB)
    assert found.cores == 2


def test_cgroup_1_limits(root: Write) -> None:
    memory, cpu = "sys/fs/cgroup/memory/jobs/7", "sys/fs/cgroup/cpu,cpuacct/jobs/7"
    found = read_machine(
        root(
            {
                "proc/self/cgroup": "9:name=systemd:/\n4:memory:/jobs/7\n1:cpu,cpuacct:/jobs/7",
                f"{memory}/memory.limit_in_bytes": str(2000 * MIB),
                f"{memory}/memory.usage_in_bytes": str(900 * MIB),
                f"{memory}/memory.stat": f"cache 1\ntotal_inactive_file {400 * MIB}",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
                f"{cpu}/cpu.cfs_quota_us": "100000",
                f"{cpu}/cpu.cfs_period_us": "100000",
            }
        )
    )

    assert (found.ram_total, found.ram_available) == (2000 * MIB, 1500 * MIB)
    assert found.cores == 1


def test_no_limits_and_nonsense_change_nothing(root: Write) -> None:
    found = read_machine(
        root(
            {
                "proc/self/cgroup": "x\n0::/../../etc\n4:memory:/\n1:cpu:/",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
            }
        )
    )

    assert (found.ram_available, found.cores) == (6144 * MIB, 2)


def test_this_machine() -> None:
    found = read_machine()

    assert 0 < found.ram_available <= found.ram_total
    assert found.cores >= 1


class Driver(ModuleType):
    """The part of NVIDIA's library that is used, with two cards."""

    class NVMLError(Exception):
        pass

    broken = False

    def nvmlInit(self) -> None:
        if self.broken:
            raise self.NVMLError

    def nvmlDeviceGetCount(self) -> int:
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetUUID(self, card: int) -> str:
        return f"GPU-{card}abc-def"

    def nvmlDeviceGetName(self, card: int) -> str:
        return f"Card {card}"

    def nvmlDeviceGetMemoryInfo(self, card: int) -> SimpleNamespace:
        return SimpleNamespace(total=24_000 * MIB, free=(20_000 + card) * MIB, used=0)


@pytest.fixture
def driver(root: Write, monkeypatch: pytest.MonkeyPatch) -> Driver:
    library = Driver("pynvml")
    monkeypatch.setitem(sys.modules, "pynvml", library)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return library


@pytest.mark.parametrize(
    ("visible", "cards"),
    [
        (None, ["Card 0", "Card 1"]),
        ("1", ["Card 1"]),
        ("0, 1", ["Card 0", "Card 1"]),
        ("GPU-1abc", ["Card 1"]),
        ("", []),
        ("-1", []),
    ],
)
def test_cards_are_those_that_cuda_would_see(
    driver: Driver,
    root: Write,
    monkeypatch: pytest.MonkeyPatch,
    visible: str | None,
    cards: list[str],
) -> None:
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)

    found = read_machine(root({}))

    assert [gpu.name for gpu in found.gpus] == cards
    assert found.vram_free == sum(gpu.free for gpu in found.gpus)
    if visible is None:
        assert found.gpus[1].free == 20_001 * MIB


def test_a_driver_that_does_not_answer_is_no_card(driver: Driver, root: Write) -> None:
    driver.broken = True

    assert read_machine(root({})).gpus == ()


def test_cards_are_left_out_where_llama_cpp_was_built_without_them(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "llama_installed", lambda: True)
    monkeypatch.setattr(machine, "llama_uses_gpus", lambda: False)

    found = usable_machine()

    assert found.gpus == ()
    assert "built without CUDA" in found.note
    monkeypatch.setattr(machine, "llama_uses_gpus", lambda: True)
    assert len(usable_machine().gpus) == 2


def test_a_build_for_cards_is_known_by_its_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "llama_cpp/lib").mkdir(parents=True)
    (tmp_path / "llama_cpp/__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "llama_cpp", raising=False)  # other tests use the real one

    assert not machine.llama_uses_gpus()
    (tmp_path / "llama_cpp/lib/libggml-cuda.so").touch()
    assert machine.llama_uses_gpus()

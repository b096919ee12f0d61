"""What this machine has for a model: memory, cores and NVIDIA cards."""

import importlib.util
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

#: cgroup v1 writes about 2**63 where there is no limit.
_NO_LIMIT = 1 << 60


@dataclass(frozen=True)
class Gpu:
    """One NVIDIA card; bytes of its memory."""

    name: str
    total: int
    free: int


@dataclass(frozen=True)
class Machine:
    """What a process may use here; bytes."""

    ram_total: int
    ram_available: int
    """Without pushing anything else out; a container's limit counts."""
    cores: int
    """Physical ones; a container's quota counts."""
    gpus: tuple[Gpu, ...] = ()
    note: str = ""
    """What people should know of it."""

    @property
    def vram_free(self) -> int:
        return sum(gpu.free for gpu in self.gpus)


def read_machine(root: Path = Path("/")) -> Machine:
    """Look at this machine; `root` holds its `proc` and `sys`."""
    total, available = _ram(root / "proc/meminfo")
    for limit, used in _memory_limits(root):
        total, available = min(total, limit), min(available, max(limit - used, 0))
    cores = _physical_cores(root / "sys/devices/system/cpu")
    for quota in _cpu_quotas(root):
        cores = min(cores, max(int(quota), 1))
    return Machine(total, available, cores, _gpus())


def usable_machine() -> Machine:
    """This machine; without its GPUs, if llama-cpp-python is there but was built without them."""
    machine = read_machine()
    if machine.gpus and llama_installed() and not llama_uses_gpus():
        note = "its GPU is not used: llama-cpp-python is built without CUDA (`make llama` again)"
        return replace(machine, gpus=(), note=note)
    return machine


def llama_installed() -> bool:
    """Whether llama-cpp-python is there; it is not loaded for that."""
    return importlib.util.find_spec("llama_cpp") is not None


def llama_uses_gpus() -> bool:
    """Whether llama-cpp-python was built for NVIDIA cards."""
    spec = importlib.util.find_spec("llama_cpp")
    if spec is None or spec.origin is None:
        return False
    return any(Path(spec.origin).parent.glob("lib/*ggml-cuda*"))


def _ram(meminfo: Path) -> tuple[int, int]:
    """(total, available)."""
    try:
        lines = meminfo.read_text(encoding="ascii").splitlines()
        sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if "kB" in line}
        return sizes["MemTotal"], sizes["MemAvailable"]
    except (OSError, ValueError, KeyError):  # no Linux: nobody tells what is in use
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return total, total


def _memory_limits(root: Path) -> Iterator[tuple[int, int]]:
    """(limit, used) of each control group that this process is in. Cached files count as free."""
    for folder in _groups(root, "memory"):
        for limit_file, used_file, cached_key in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            limit, used = _number(folder / limit_file), _number(folder / used_file)
            if limit is not None and limit < _NO_LIMIT:
                yield limit, (used or 0) - _stat(folder / "memory.stat", cached_key)


def _cpu_quotas(root: Path) -> Iterator[float]:
    """Cores that each control group grants."""
    for folder in _groups(root, "cpu"):
        words = _words(folder / "cpu.max")
        if len(words) != 2:
            quota, period = folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us"
            words = [*_words(quota), *_words(period)]
        if len(words) == 2 and all(word.isdigit() for word in words) and int(words[1]):
            yield int(words[0]) / int(words[1])


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """Folders of this process's control groups that may set a limit, from the inmost to the root.

    A container sees its own group as the root of the mount, whatever path its process names.
    """
    mount = root / "sys/fs/cgroup"
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    for line in lines:
        number, controllers, path = (*line.split(":", 2), "", "")[:3]
        if number == "0" and not controllers:
            top = mount
        elif controller in controllers.split(","):
            top = mount / controller if (mount / controller).is_dir() else mount / controllers
        else:
            continue
        folder = top / path.strip("/")
        if folder.is_dir() and ".." not in folder.parts:
            yield from (p for p in (folder, *folder.parents) if p.is_relative_to(top) and p != top)
        yield top


def _physical_cores(cpus: Path) -> int:
    """Cores that this process may run on; hardware threads of one core count once."""
    mine = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    siblings = {" ".join(_words(cpus / f"cpu{n}/topology/thread_siblings_list")) for n in mine}
    if "" in siblings or not siblings:
        return len(mine) or os.cpu_count() or 1
    return len(siblings)


def _gpus() -> tuple[Gpu, ...]:
    """The cards that CUDA would see; none without a driver or `nvidia-ml-py`."""
    try:
        # optional, and only hosts with a card have it
        import pynvml
    except ImportError:
        return ()
    try:
        pynvml.nvmlInit()
        cards = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        found = []
        for index, card in enumerate(cards):
            if _visible(index, str(pynvml.nvmlDeviceGetUUID(card))):
                memory = pynvml.nvmlDeviceGetMemoryInfo(card)
                name = str(pynvml.nvmlDeviceGetName(card))
                found.append(Gpu(name, int(memory.total), int(memory.free)))
    except pynvml.NVMLError:
        return ()
    return tuple(found)


def _visible(index: int, uuid: str) -> bool:
    """Whether CUDA_VISIBLE_DEVICES leaves a card to this process."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        return True
    names = [name.strip() for name in chosen.split(",")]
    return any(
        name == str(index) or (name.startswith("GPU-") and uuid.startswith(name)) for name in names
    )


def _number(file: Path) -> int | None:
    words = _words(file)
    return int(words[0]) if len(words) == 1 and words[0].isdigit() else None


def _stat(file: Path, key: str) -> int:
    words = _words(file)
    return int(words[words.index(key) + 1]) if key in words[:-1] else 0


def _words(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError):
        return []

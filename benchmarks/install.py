"""What a user pays before the first review: CPU of `--help`, size and packages of the install."""

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

HELP_RUNS = 5


def cpu_of(command: list[str]) -> float:
    """User and system seconds of one run, its children included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def installed(root: Path) -> tuple[float, int]:
    """(megabytes, packages) of a clean environment with the locked base install, without pip."""
    project = Path(__file__).parent.parent
    subprocess.run([sys.executable, "-m", "venv", str(root)], check=True)
    python = root / "bin" / "python"
    lock = project / "requirements" / "base.txt"
    for arguments in (["--require-hashes", "-r", str(lock)], ["--no-deps", str(project)]):
        subprocess.run([python, "-m", "pip", "install", "-q", *arguments], check=True)
    subprocess.run([python, "-m", "pip", "uninstall", "-q", "-y", "setuptools", "pip"], check=True)
    [site] = root.glob("lib/python*/site-packages")
    size = sum(file.stat().st_size for file in site.rglob("*") if file.is_file())
    return size / 1e6, len(list(site.glob("*.dist-info")))


def main() -> None:
    reviewbot = str(Path(sys.executable).parent / "reviewbot")
    cpu_of([reviewbot, "--help"])  # compiles the bytecode
    times = sorted(cpu_of([reviewbot, "--help"]) for _ in range(HELP_RUNS))
    bare = sorted(cpu_of([sys.executable, "-c", "pass"]) for _ in range(HELP_RUNS))
    result: dict[str, object] = {
        "help_cpu_seconds": round(times[HELP_RUNS // 2], 3),
        "bare_python_cpu_seconds": round(bare[HELP_RUNS // 2], 3),
    }
    if os.environ.get("INSTALL", "1") == "1":
        with tempfile.TemporaryDirectory() as folder:
            megabytes, packages = installed(Path(folder) / "venv")
        result |= {"install_mb": round(megabytes), "packages": packages}
    print(json.dumps(result))


if __name__ == "__main__":
    main()

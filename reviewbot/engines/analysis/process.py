"""Runs a program on copied texts: no configuration, no secrets, no time or room without end."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from reviewbot.engines.analysis.tool import ToolFailed, ToolMissing

TIMEOUT = 60.0
"""Seconds until a tool is ended."""
MAX_OUTPUT = 32_000_000
"""Most bytes read of what a tool says: 100,000 remarks."""


def program_folders() -> tuple[Path, ...]:
    """Beside this Python first (the versions in the lock file), then PATH.

    Relative entries of PATH are left out: the current folder may be the repository under review.
    """
    entries = (Path(entry) for entry in os.environ.get("PATH", "").split(os.pathsep) if entry)
    return (Path(sys.executable).parent, *(entry for entry in entries if entry.is_absolute()))


def run_on_copies(
    program: str,
    arguments: Sequence[str],
    copies: Sequence[tuple[str, str]],
    programs: Sequence[Path],
    *,
    settings: tuple[str, str] | None = None,
    timeout: float = TIMEOUT,
) -> bytes:
    """What `program` prints for `copies`: (name, text) pairs, whose names the caller made up.

    `settings` is a configuration file of ours (name, text) that the arguments name. All lies in a
    new temporary folder, which is also the program's home and where it runs; its environment holds
    nothing of ours. A tool that finds something may exit 1; any other status but 0 is a failure.

    Raises ToolMissing and ToolFailed.
    """
    found = shutil.which(program, path=os.pathsep.join(map(str, programs))) if programs else None
    if found is None:
        raise ToolMissing(program)
    try:
        with tempfile.TemporaryDirectory(prefix="reviewbot-") as folder:
            for name, text in [*copies, settings] if settings else copies:
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(text.encode("utf-8", "replace"))
            command = [os.path.abspath(found), *arguments, *(name for name, _ in copies)]
            return _output(command, folder, programs, timeout)
    except OSError as error:  # no room for the copies, or a file that is no program
        raise ToolFailed(f"could not be started ({error.strerror})") from None


def _output(command: list[str], folder: str, programs: Sequence[Path], timeout: float) -> bytes:
    environment = {
        "PATH": os.pathsep.join(map(str, programs)),
        "HOME": folder,
        "TMPDIR": folder,
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
    }
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # its children end with it
    )
    late = threading.Event()

    def end() -> None:
        late.set()
        _kill(process)

    timer = threading.Timer(timeout, end)
    timer.start()
    try:
        with process:
            output = process.stdout.read(MAX_OUTPUT + 1) if process.stdout else b""
            if len(output) > MAX_OUTPUT:
                _kill(process)
                raise ToolFailed("said too much")
            status = process.wait()
    finally:
        timer.cancel()
    if late.is_set():
        raise ToolFailed(f"took longer than {timeout:g} s")
    if status not in (0, 1):
        raise ToolFailed(f"ended with status {status}")
    return output


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and all that it started: a child could hold its output open for ever."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return

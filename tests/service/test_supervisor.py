"""Two small programs under a real supervisor process, with real signals."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reviewbot.service.serve import children

#: Writes its process id as a line, then waits; on SIGTERM it says so and ends well.
STEADY = """
import os, signal, sys, time
def stop(*_):
    open({log!r}, "a").write("stopped\\n"); sys.exit(0)
signal.signal(signal.SIGTERM, stop)
open({log!r}, "a").write(f"{{os.getpid()}}\\n")
while True: time.sleep(60)
"""
SUPERVISE = """
import os, sys
from reviewbot.service.supervisor import ChildSpec, Pace, Supervisor
specs = [ChildSpec(f"child{i}", (sys.executable, "-S", "-c", code), os.environ)
         for i, code in enumerate(sys.argv[2:])]
sys.exit(Supervisor(specs, Pace(0.05, 0.2, 5.0, float(sys.argv[1]))).run())
"""


class Supervised:
    """A running supervisor."""

    def __init__(self, process: subprocess.Popen[bytes], logs: list[Path]) -> None:
        self.process, self.logs = process, logs

    def lines(self, child: int) -> list[str]:
        log = self.logs[child]
        return log.read_text().splitlines() if log.exists() else []

    def pids(self, child: int, count: int) -> list[int]:
        """The ids of a child's processes, as soon as there were `count`."""
        until(lambda: len(self.lines(child)) >= count)
        return [int(line) for line in self.lines(child) if line.isdigit()]


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[..., Supervised]]:
    """Start a supervisor of programs; `{log!r}` in one is the file that it writes to."""
    running: list[Supervised] = []

    def start(*programs: str, grace: float = 10) -> Supervised:
        logs = [tmp_path / f"log{i}" for i in range(len(programs))]
        codes = [program.format(log=str(log)) for program, log in zip(programs, logs, strict=True)]
        command = [sys.executable, "-c", SUPERVISE, str(grace), *codes]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        running.append(Supervised(process, logs))
        return running[-1]

    yield start
    for service in running:
        service.process.kill()
        service.process.wait()
        for child in range(len(service.logs)):  # they have sessions of their own
            for pid in filter(alive, service.pids(child, 0)):
                os.kill(pid, signal.SIGKILL)


def test_a_killed_child_comes_back_and_the_other_is_left_alone(
    supervise: Callable[..., Supervised],
) -> None:
    service = supervise(STEADY, STEADY)
    first, other = service.pids(0, 1)[0], service.pids(1, 1)[0]

    os.kill(first, signal.SIGKILL)
    again = service.pids(0, 2)[1]

    assert again != first
    assert alive(again)
    assert service.pids(1, 1) == [other]
    assert alive(other)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_both_in_good_order(
    supervise: Callable[..., Supervised], number: signal.Signals
) -> None:
    service = supervise(STEADY, STEADY)
    pids = [service.pids(child, 1)[0] for child in (0, 1)]

    service.process.send_signal(number)

    assert service.process.wait(timeout=20) == 0
    assert [service.lines(child)[-1] for child in (0, 1)] == ["stopped", "stopped"]
    assert not any(alive(pid) for pid in pids)


def test_a_child_that_does_not_stop_is_killed_with_all_it_started(
    supervise: Callable[..., Supervised],
) -> None:
    stubborn = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.fork()
open({log!r}, "a").write(f"{{os.getpid()}}\\n")
while True: time.sleep(60)
"""
    service = supervise(stubborn, grace=0.2)
    pids = service.pids(0, 2)

    service.process.terminate()

    assert service.process.wait(timeout=20) == 1
    until(lambda: not any(alive(pid) for pid in pids))


def test_what_a_dead_child_left_running_does_not_stay(
    supervise: Callable[..., Supervised],
) -> None:
    forking = """
import os, time
if os.fork() == 0:
    open({log!r}, "a").write(f"{{os.getpid()}}\\n")
while True: time.sleep(60)
"""
    service = supervise(forking)
    grandchild = service.pids(0, 1)[0]
    child = int(Path(f"/proc/{grandchild}/stat").read_text().rsplit(")", 1)[1].split()[1])

    os.kill(child, signal.SIGKILL)

    until(lambda: not alive(grandchild))
    assert alive(service.pids(0, 2)[1])


def test_a_child_that_ends_at_once_is_tried_again_and_again(
    supervise: Callable[..., Supervised],
) -> None:
    service = supervise('open({log!r}, "a").write("1\\n"); raise SystemExit(1)')

    until(lambda: len(service.lines(0)) >= 4)

    assert service.process.poll() is None


def test_a_child_that_can_not_work_as_configured_ends_the_service(
    supervise: Callable[..., Supervised],
) -> None:
    service = supervise(STEADY, 'open({log!r}, "a").write("1\\n"); raise SystemExit(2)')

    assert service.process.wait(timeout=20) == 2
    assert service.lines(1) == ["1"]
    assert not any(alive(int(pid)) for pid in service.lines(0) if pid.isdigit())


def test_children_stop_by_themselves_when_the_supervisor_is_killed(
    supervise: Callable[..., Supervised], tmp_path: Path
) -> None:
    watching = (
        "import sys; sys.path[:] = " + repr(sys.path).replace("{", "{{").replace("}", "}}") + "\n"
        "from reviewbot.service.supervisor import end_with_parent\nend_with_parent()\n" + STEADY
    )
    service = supervise(watching)
    pid = service.pids(0, 1)[0]

    service.process.kill()

    until(lambda: not alive(pid))
    assert service.lines(0)[-1] == "stopped"


def test_the_listener_gets_no_private_key() -> None:
    environment = {
        "PATH": "/bin",
        "REVIEWBOT_WEBHOOK_SECRET": "hook",
        "REVIEWBOT_GITHUB_PRIVATE_KEY": "pem",
        "REVIEWBOT_GITHUB_PRIVATE_KEY_FILE": "app.pem",
    }

    web, worker = children(environment, "127.0.0.1:0")

    assert set(web.environment) == {"PATH", "REVIEWBOT_WEBHOOK_SECRET"}
    assert worker.environment == environment
    assert list(web.command[1:]) == [
        "-m",
        "reviewbot",
        "web",
        "--supervised",
        "--bind",
        "127.0.0.1:0",
    ]

"""`python -I -m reviewbot …` by a process that has everything loaded: each command is a copy of it.

To load it all takes over a second of a core, the commands themselves a tenth of that. A command has
its own arguments, environment, working folder and standard files, and its exit code is its own.
"""

import array
import gc
import json
import os
import runpy
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

#: Stands in for the interpreter: hands all that it was given to the process behind the socket.
_CLIENT = """\
#!{python} -IS
import array, json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    files = array.array("i", [0, 1, 2])
    given = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
    server.sendmsg([len(given).to_bytes(8)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
    server.sendall(given)
    sys.exit(int(server.recv(8) or b"99"))
"""


@contextmanager
def preloaded() -> Iterator[Path]:
    """A folder that looks like a virtual environment: its `bin/python` runs `-I -m reviewbot`."""
    with TemporaryDirectory(prefix="rb") as name:  # a socket's path may have 107 characters
        folder, address = Path(name), f"{name}/socket"
        (folder / "bin").mkdir()
        client = folder / "bin" / "python"
        client.write_text(_CLIENT.format(python=sys.executable, address=address))
        client.chmod(0o755)
        command = [sys.executable, "-I", __file__, address]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as server:
            assert server.stdout
            assert server.stdout.readline() == b"ready\n"
            try:
                yield folder
            finally:
                server.terminate()


def _load() -> None:
    """All libraries, and all that is made once in the life of a process."""
    import anthropic  # noqa: F401 - loaded once for all copies
    import github  # noqa: F401

    import reviewbot.action.step  # noqa: F401
    from reviewbot.change.names import kind_by_name
    from reviewbot.costs.prices import PriceBook
    from reviewbot.privacy.secrets import find_secrets
    from reviewbot.routing.matcher import compiled
    from reviewbot.routing.rules import shipped_rules
    from reviewbot.store.ledger import open_store

    compiled(shipped_rules())
    PriceBook().price_of("anthropic", "claude-opus-5-5")
    kind_by_name("main.py")
    find_secrets("")
    with TemporaryDirectory() as folder:
        open_store(f"sqlite:///{folder}/reviewbot.db").close()


def _serve(address: str) -> None:
    _load()
    gc.collect()
    gc.freeze()  # or each copy would have it all looked at, and thereby copied
    assert threading.active_count() == 1, "a copy has no other threads"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        os.write(1, b"ready\n")
        while True:
            client, _ = listener.accept()
            with client:
                if os.fork() == 0:
                    listener.close()
                    _run(client)
                _, status = os.wait()
                client.sendall(b"%d" % (os.waitstatus_to_exitcode(status) & 255))


def _run(client: socket.socket) -> None:
    """Be the command; does not return."""
    files = array.array("i")
    head, [(_, _, handed)], _, _ = client.recvmsg(8, socket.CMSG_SPACE(3 * files.itemsize))
    files.frombytes(handed)
    with client.makefile("rb") as stream:
        arguments, environment, folder = json.loads(stream.read(int.from_bytes(head)))
    for number, file in enumerate(files):
        os.dup2(file, number)
    sys.stdin, sys.stdout, sys.stderr = map(open, (0, 1, 2), ("r", "w", "w"))
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    assert arguments[:3] == ["-I", "-m", "reviewbot"], arguments
    sys.argv = arguments[2:]
    runpy.run_module("reviewbot", run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    _serve(sys.argv[1])

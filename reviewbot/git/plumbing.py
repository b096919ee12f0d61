"""Git's plumbing, so that nothing a repository says makes git run anything else.

Every process gets a list of arguments, a small environment and settings that win over the
repository's own: no hooks, no file-system monitor, no external diff or text conversion, no
network. Attributes are read from no working tree: a change that marks its own files as binary
does not hide them.
"""

import os
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from reviewbot.errors import SourceError

#: Longest wait for one git process, seconds; the largest diffs of known repositories take 10.
TIMEOUT_SECONDS = 120
#: Longest answer of one git process, bytes: 50 times the largest diff that GitHub shows.
MAX_OUTPUT_BYTES = 50_000_000

#: What git needs of our environment; everything else, tokens included, is kept from it.
_INHERITED = ("PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "SYSTEMROOT")

_QUIET: Mapping[str, str] = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
}
_SEALED: Mapping[str, str] = {
    **_QUIET,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_INDEX_FILE": "/nonexistent/index",  # its .gitattributes would be the head's
}

#: The tree without files, by the length of the repository's hashes; git knows both unwritten.
EMPTY_TREE: Mapping[int, str] = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}

#: What is asked of a repository first; the last line is "HEAD" where no branch has a commit.
_QUERY = (
    "--absolute-git-dir",
    "--is-shallow-repository",
    "--git-common-dir",
    "--symbolic-full-name",
    "HEAD",
)

_SETTINGS: Mapping[str, str] = {
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.attributesFile": os.devnull,
    "core.quotePath": "true",
    "core.bigFileThreshold": "512m",
    "core.useReplaceRefs": "false",
    "core.warnAmbiguousRefs": "false",
    "diff.suppressBlankEmpty": "false",
    "protocol.allow": "never",
    "gc.auto": "0",
    "maintenance.auto": "false",
}


@dataclass(frozen=True)
class Repository:
    """A git repository that was found and may be read."""

    git_dir: Path
    name: str
    """The folder's name."""
    is_shallow: bool
    branch: str
    """The branch checked out; empty where there is none (a detached head)."""

    def command(self, *arguments: str) -> list[str]:
        """The list that runs git here, sealed off."""
        settings = [part for key, value in _SETTINGS.items() for part in ("-c", f"{key}={value}")]
        return ["git", "--no-pager", "--bare", f"--git-dir={self.git_dir}", *settings, *arguments]

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """A process with pipes for its input and output. Raises SourceError without git."""
        pipe, silence = subprocess.PIPE, subprocess.DEVNULL
        return _start(self.command(*arguments), self.git_dir, _SEALED, pipe, silence)

    def run(self, *arguments: str, accepted: Sequence[int] = (0,)) -> bytes:
        """What git prints. Raises SourceError for any exit status but those `accepted`."""
        status, output, problem = _run(self.command(*arguments), self.git_dir, _SEALED)
        if status not in accepted:
            raise SourceError(f"git {arguments[0]} failed: {problem or f'exit status {status}'}")
        return output


def find_repository(folder: Path) -> Repository:
    """The repository that `folder` is in; bare ones, too.

    Here git still reads the user's and the system's settings, for `safe.directory`.
    Raises SourceError with what to do about it.
    """
    if not folder.is_dir():
        raise SourceError(f"no such folder: {folder}")
    status, output, problem = _run(["git", "rev-parse", *_QUERY], folder, _QUIET)
    if status and "ambiguous argument 'HEAD'" not in problem:
        raise SourceError(_why_not(folder, problem))
    lines = os.fsdecode(output).split("\n")
    if len(lines) != 5 or lines[1] not in ("true", "false"):
        raise SourceError(f"can't read a repository whose path has a line break: {folder}")
    common = (folder / lines[2]).resolve()
    home = common.parent if common.name == ".git" else common
    return Repository(
        git_dir=Path(lines[0]),
        name=home.name.removesuffix(".git"),
        is_shallow=lines[1] == "true",
        branch=lines[3].removeprefix("refs/heads/") if lines[3].startswith("refs/heads/") else "",
    )


def _why_not(folder: Path, problem: str) -> str:
    if "dubious ownership" in problem:
        return (
            f"{folder} belongs to another user; if you trust it: "
            f"git config --global --add safe.directory {folder.resolve()}"
        )
    if "not a git repository" in problem:
        return f"not a git repository: {folder} (say where with --repo, or use --diff or --pr)"
    return f"git can't open {folder}: {problem}"


def _run(command: Sequence[str], folder: Path, extra: Mapping[str, str]) -> tuple[int, bytes, str]:
    """Exit status, output, and the first fatal (else the last) line of complaint."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = _start(command, folder, extra, output, errors)
        timer = threading.Timer(TIMEOUT_SECONDS, process.kill)  # wait(timeout) polls: 50 ms lost
        timer.start()
        try:
            status = process.wait()
        finally:
            timer.cancel()
            process.kill()
            process.wait()
        if status < 0:
            raise SourceError(f"git was stopped by signal {-status} (limit: {TIMEOUT_SECONDS} s)")
        if output.seek(0, os.SEEK_END) > MAX_OUTPUT_BYTES:
            size = MAX_OUTPUT_BYTES // 1_000_000
            raise SourceError(f"the diff is longer than {size} MB; review a smaller range")
        output.seek(0)
        errors.seek(0)
        complaints = errors.read(10_000).decode("utf-8", "replace").strip().splitlines()
        problem = next((line for line in complaints if line.startswith("fatal: ")), "")
        return status, output.read(), (problem or "".join(complaints[-1:])).removeprefix("fatal: ")


def _start(
    command: Sequence[str],
    folder: Path,
    extra: Mapping[str, str],
    output: IO[bytes] | int,
    errors: IO[bytes] | int,
) -> "subprocess.Popen[bytes]":
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    try:
        return subprocess.Popen(
            command,
            cwd=folder,
            env={**inherited, **extra},
            stdin=subprocess.PIPE if output == subprocess.PIPE else subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
        )
    except FileNotFoundError:
        raise SourceError("git is not on PATH; install it (--diff and --pr need no git)") from None
    except OSError as error:
        raise SourceError(f"can't run git: {error.strerror}") from None

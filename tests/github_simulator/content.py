"""Commits, diffs and files: one bare git repository holds a repository and all its forks."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_STATUS = {"A": "added", "M": "modified", "D": "removed", "R": "renamed", "T": "changed"}
_SECTION = re.compile(rb"^(?=diff --git )", re.MULTILINE)


@dataclass(frozen=True)
class ListedFile:
    """One file of a diff."""

    path: str
    old_path: str | None
    status: str
    sha: str
    additions: int
    deletions: int
    patch: str | None
    """None for a binary or empty file, a pure rename, a change of mode."""

    @property
    def changes(self) -> int:
        return self.additions + self.deletions


class Content:
    """Writes and reads git objects."""

    def __init__(self, folder: Path) -> None:
        """Those of `folder`, made if it is not there."""
        self.folder = folder
        self._diffs: dict[tuple[str, str], bytes] = {}
        if not (folder / "HEAD").exists():
            self._git(
                "init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(folder)
            )

    def commit(
        self,
        branch: str,
        files: Mapping[str, str | bytes | None],
        *,
        message: str = "Change",
        start: str | None = None,
        force: bool = False,
    ) -> str:
        """A commit on `branch` with files set, or deleted with None; from `start` if it is new.

        `force` puts the branch there even if what it had is lost.
        """
        lines = [
            f"commit refs/heads/{branch}\n".encode(),
            b"committer Ada <ada@example.com> 1893456000 +0000\n",
            _data(message.encode()),
        ]
        parent = start or (branch if self.exists(f"refs/heads/{branch}") else None)
        if parent:
            lines.append(f"from {self.resolve(parent)}\n".encode())
        for path, content in files.items():
            quoted = '"' + path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
            if content is None:
                lines.append(f"D {quoted}\n".encode())
            else:
                data = content.encode() if isinstance(content, str) else content
                lines += [f"M 100644 inline {quoted}\n".encode(), _data(data)]
        options = ["--force"] if force else []
        self._git("fast-import", "--quiet", *options, data=b"".join(lines))
        return self.resolve(f"refs/heads/{branch}")

    def put(self, branch: str, commit: str) -> None:
        """`branch` is at that commit from now on, whatever it had: a force-push back."""
        self._git("update-ref", f"refs/heads/{branch}", commit)

    def resolve(self, revision: str) -> str:
        branch = self.folder / "refs" / "heads" / revision
        if branch.is_file():  # the usual case, without the price of a process
            return branch.read_text().strip()
        return self._git("rev-parse", f"{revision}^{{commit}}").decode().strip()

    def exists(self, revision: str) -> bool:
        return self._status("rev-parse", "--verify", "--quiet", revision) == 0

    def blob(self, expression: str) -> bytes | None:
        """The file at `COMMIT:path`, if there is one."""
        if self._status("cat-file", "-e", "--", expression):
            return None
        kind = self._git("cat-file", "-t", expression).strip()
        return self._git("cat-file", "blob", expression) if kind == b"blob" else None

    def merge_base(self, base: str, head: str) -> str:
        return self._git("merge-base", base, head).decode().strip()

    def between(self, base: str, head: str) -> list[str]:
        """Commits of `head` that `base` does not have, oldest first."""
        return self._git("rev-list", "--reverse", f"{base}..{head}").decode().split()

    def contains(self, head: str, commit: str) -> bool:
        """Whether `commit` is `head` or one before it."""
        return self.exists(f"{commit}^{{commit}}") and not self._status(
            "merge-base", "--is-ancestor", commit, head
        )

    def changed_hunks(self, old: str, new: str, path: str) -> str:
        """Hunks without context between two commits, of one file."""
        found = self._git("diff-tree", "-r", "-p", "-U0", old, new, "--", f":(literal){path}")
        return "\n".join(re.findall(r"^@@ .*$", found.decode("utf-8", "replace"), re.MULTILINE))

    def diff(self, base: str, head: str) -> bytes:
        """What `head` changes since it left `base`; both are commits, not branches."""
        ends = (base, head)
        if ends not in self._diffs:
            start = self.merge_base(*ends)
            self._diffs[ends] = self._git("diff-tree", "-r", "-p", "-M", start, ends[1])
        return self._diffs[ends]

    def files(self, base: str, head: str) -> list[ListedFile]:
        """The same, file by file."""
        start = self.merge_base(base, head)
        sections = _SECTION.split(self._git("diff-tree", "-r", "-p", "-M", start, head))
        sections = [section for section in sections if section.startswith(b"diff --git ")]
        fields = self._git("diff-tree", "-r", "-M", "--raw", "-z", start, head).split(b"\0")
        listed = []
        for section in sections:
            _, _, _, sha, status = fields.pop(0).decode().split()
            old = fields.pop(0).decode() if status[0] == "R" else None
            listed.append(_listed(section, fields.pop(0).decode(), old, sha, status[0]))
        return listed

    def _git(self, *arguments: str, data: bytes | None = None) -> bytes:
        return self._run(*arguments, data=data, check=True).stdout

    def _status(self, *arguments: str) -> int:
        return self._run(*arguments, data=None, check=False).returncode

    def _run(
        self, *arguments: str, data: bytes | None, check: bool
    ) -> "subprocess.CompletedProcess[bytes]":
        environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}
        place = [] if arguments[0] == "init" else [f"--git-dir={self.folder}"]
        return subprocess.run(
            ["git", *place, *arguments],
            input=data,
            capture_output=True,
            check=check,
            env={**environment, "GIT_CONFIG_GLOBAL": os.devnull},
        )


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def _listed(section: bytes, path: str, old: str | None, sha: str, status: str) -> ListedFile:
    start = section.find(b"\n@@ ")
    patch = (
        section[start + 1 :].decode("utf-8", "replace").removesuffix("\n") if start > 0 else None
    )
    lines = patch.split("\n") if patch else []
    return ListedFile(
        path=path,
        old_path=old,
        status=_STATUS[status],
        sha=sha,
        additions=sum(line.startswith("+") for line in lines),
        deletions=sum(line.startswith("-") for line in lines),
        patch=patch,
    )

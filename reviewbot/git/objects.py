"""Git's objects, all through one `git cat-file --batch` process."""

import contextlib
import re
import subprocess
from collections import deque
from collections.abc import Iterable
from types import TracebackType
from typing import IO, NamedTuple, Self

from reviewbot.errors import SourceError
from reviewbot.git.plumbing import Repository

_DRAIN = 1 << 20
#: Bytes of questions asked ahead, at most: git stops reading them while nobody reads its answers,
#: so they must fit the smallest pipe there is.
MOST_AHEAD = 4_096
_SURROGATE = re.compile("[\ud800-\udfff]")


class GitObject(NamedTuple):
    """One object of the repository."""

    sha: str
    type: str
    """`commit`, `tree`, `blob` or `tag`."""
    size: int
    """Bytes."""
    data: bytes | None
    """None where it is longer than was asked for."""


class Objects:
    """Looks objects up by any of git's expressions: `main^{commit}`, `SHA:path`.

    Expressions go through the process's input, so none can be taken for an option.
    """

    def __init__(self, repository: Repository) -> None:
        self._process: subprocess.Popen[bytes] = repository.start("cat-file", "--batch")
        if self._process.stdin is None or self._process.stdout is None:
            raise _stopped()
        self._questions: IO[bytes] = self._process.stdin
        self._answers: IO[bytes] = self._process.stdout
        self._asked: deque[str] = deque()
        """Expressions that git was asked for and whose answers nobody has read yet."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()  # it holds nothing, and may be in the middle of an answer
        with contextlib.suppress(BrokenPipeError):
            self._questions.close()
        self._answers.close()
        self._process.wait()

    def get(self, expression: str, *, limit: int) -> GitObject | None:
        """The object, or None if there is none; its data only up to `limit` bytes.

        Raises SourceError if git stops answering (a damaged repository).
        """
        question = _question(expression)
        if question is None:
            return None
        while self._asked and self._asked[0] != expression:
            self._asked.popleft()
            self._answer(limit=0)
        if self._asked:
            self._asked.popleft()
        else:
            self._send(question)
        return self._answer(limit=limit)

    def ask(self, expressions: Iterable[str]) -> None:
        """Ask for objects that `get` is going to be called for, in this order: git looks them up
        meanwhile. What is then passed over is dropped; what is too much at once is asked later.
        """
        asked = sum(len(each.encode("utf-8", "surrogateescape")) + 1 for each in self._asked)
        questions, room = [], MOST_AHEAD - asked
        for expression in expressions:
            question = _question(expression)
            if question is None:
                continue
            room -= len(question)
            if room < 0:
                break
            questions.append(question)
            self._asked.append(expression)
        if questions:
            self._send(b"".join(questions))

    def _send(self, questions: bytes) -> None:
        try:
            self._questions.write(questions)
            self._questions.flush()
        except BrokenPipeError:
            raise _stopped() from None

    def _answer(self, *, limit: int) -> GitObject | None:
        header = self._answers.readline()
        if not header.endswith(b"\n"):
            raise _stopped()
        fields = header.split()
        if len(fields) != 3 or not fields[2].isdigit() or len(fields[0]) not in (40, 64):
            return None  # "… missing" or "… ambiguous"
        size = int(fields[2])
        data = self._read(size, keep=size <= limit)
        return GitObject(fields[0].decode(), fields[1].decode(), size, data)

    def text(self, expression: str, *, limit: int) -> str | None:
        """A blob's text with U+FFFD for each byte that is no UTF-8.

        None if there is no such blob, or it is binary (has a NUL) or longer than `limit` bytes.
        """
        found = self.get(expression, limit=limit)
        if found is None or found.type != "blob" or found.data is None or b"\0" in found.data:
            return None
        return as_text(found.data)

    def _read(self, size: int, *, keep: bool) -> bytes | None:
        if keep:
            data = self._answers.read(size + 1)  # and the line feed after it
            if len(data) != size + 1:
                raise _stopped()
            return data[:-1]
        left = size + 1
        while left:
            chunk = self._answers.read(min(left, _DRAIN))
            if not chunk:
                raise _stopped()
            left -= len(chunk)
        return None


def _question(expression: str) -> bytes | None:
    """The line that asks for an object; None for an expression that can be none of git's."""
    if not expression or any(character in expression for character in "\n\r\0"):
        return None
    try:
        question = expression.encode("utf-8", "surrogateescape") + b"\n"
    except UnicodeEncodeError:
        return None
    return question


def as_text(data: bytes) -> str:
    """UTF-8 text, with U+FFFD for each byte that is none, as the diff's lines have it."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return _SURROGATE.sub("\ufffd", data.decode("utf-8", "surrogateescape"))


def _stopped() -> SourceError:
    return SourceError("git stopped while reading objects; is the repository damaged? (git fsck)")

"""The runner that the step talks to: its log, its job summary, its outputs.

Lines of the log that begin with `::` are orders to the runner, so no text of others gets to the
beginning of one, and what a command carries is escaped.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, TextIO

from reviewbot.errors import UsageError
from reviewbot.privacy.invisible import escape_invisible
from reviewbot.publishing.check_run import Annotation, Level

#: GitHub shows so many annotations of one level of a step.
MAX_ANNOTATIONS = 10
_COMMANDS: Mapping[Level, str] = {"failure": "error", "warning": "warning", "notice": "notice"}
_HIDDEN = "***"


class Runner:
    """Writes for one step; the secrets that it is told of get into nothing but their masks."""

    def __init__(
        self, environment: Mapping[str, str], log: TextIO, secrets: Sequence[str] = ()
    ) -> None:
        self._environment, self._log, self._secrets = environment, log, secrets

    def mask(self) -> None:
        """Have the runner itself hide the secrets in every log of the job. Before all else."""
        for secret in self._secrets:
            self._write(f"::add-mask::{_data(secret)}")

    def say(self, text: str) -> None:
        """One line for the log."""
        self._write(f"reviewbot: {self._clean(text)}")

    def tell(self, level: Literal["error", "warning", "notice"], text: str) -> None:
        """One line that stands at the top of the run, too."""
        self._write(f"::{level} title=reviewbot::{_data(self._clean(text))}")

    def annotate(self, annotations: Iterable[Annotation]) -> int:
        """Put findings on lines of the files; how many did not get a place."""
        counts: dict[Level, int] = {}
        left = 0
        for each in annotations:
            counts[each.level] = counts.get(each.level, 0) + 1
            if counts[each.level] > MAX_ANNOTATIONS:
                left += 1
                continue
            where = {
                "file": each.path,
                "line": str(each.start_line),
                "endLine": str(each.end_line),
                "title": each.title,
            }
            properties = ",".join(f"{name}={_property(value)}" for name, value in where.items())
            message = _data(self._hidden(each.message))
            self._write(f"::{_COMMANDS[each.level]} {properties}::{message}")
        return left

    def summarize(self, markdown: str) -> None:
        """Add to the job summary. Raises UsageError where that can't be written."""
        self._append("GITHUB_STEP_SUMMARY", self._hidden(markdown.rstrip("\n")) + "\n")

    def output(self, values: Mapping[str, str]) -> None:
        """Set outputs of the step, one line each. Raises UsageError likewise."""
        lines = (f"{name}={self._clean(value)}\n" for name, value in values.items())
        self._append("GITHUB_OUTPUT", "".join(lines))

    def _append(self, name: str, text: str) -> None:
        path = self._environment.get(name)
        if not path:  # outside of a runner
            return
        try:
            with Path(path).open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
        except OSError as error:
            raise UsageError(f"cannot write the file of {name}: {error.strerror}") from None

    def _clean(self, text: str) -> str:
        """One line without control characters."""
        return " ".join(escape_invisible(self._hidden(text)).split())

    def _hidden(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        return text

    def _write(self, line: str) -> None:
        self._log.write(line + "\n")
        self._log.flush()


class LogProgress:
    """A review's steps as lines of the log. Its methods may be called from several threads."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def say(self, text: str) -> None:
        self._runner.say(text)

    def start(self, total: int, label: str) -> None:
        self._runner.say(f"{label}: {total} to go")

    def done(self, label: str) -> None:
        self._runner.say(label)


def _data(text: str) -> str:
    """As the runner's own toolkit escapes it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

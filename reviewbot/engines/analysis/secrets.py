"""Secrets on added lines, by the detector that also guards what leaves this machine."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from reviewbot.change.model import FileChange, Kind
from reviewbot.engines.analysis.tool import Target, ToolFailed
from reviewbot.errors import PrivacyError
from reviewbot.privacy.secrets import find_secrets
from reviewbot.review.answer import Category, Severity
from reviewbot.review.evidence import Evidence

_UNREAD = frozenset({Kind.BINARY, Kind.LOCKFILE, Kind.VENDORED})
#: Where made-up secrets are usual: reported a step lower.
_MADE_UP = frozenset({Kind.TEST, Kind.DOCS, Kind.TRANSLATION, Kind.GENERATED})


class Secrets:
    name = "secrets"
    needs_text = False

    def wants(self, file: FileChange) -> bool:
        return file.kind not in _UNREAD

    def run(self, targets: Sequence[Target], programs: Sequence[Path]) -> Iterator[Evidence]:
        for target in targets:
            for numbers, text in _blocks(target):
                try:
                    found = find_secrets(text)
                except PrivacyError:
                    raise ToolFailed("could not read the change") from None
                for secret in found:
                    if secret.sure:
                        yield _evidence(target.file, numbers[secret.line], secret.kind)


def _blocks(target: Target) -> Iterator[tuple[list[int], str]]:
    """Runs of added lines: a private key of many lines must be read as one."""
    added = list(target.added.items())
    for _, group in groupby(enumerate(added), key=lambda item: item[1][0] - item[0]):
        run = [line for _, line in group]
        yield [number for number, _ in run], "\n".join(text for _, text in run)


def _evidence(file: FileChange, line: int, kind: str) -> Evidence:
    return Evidence(
        path=file.path,
        line=line,
        end_line=line,
        side="RIGHT",
        tool=Secrets.name,
        rule=kind,
        severity=Severity.MEDIUM if file.kind in _MADE_UP else Severity.HIGH,
        category=Category.SECURITY,
        title=f"A secret in the change ({kind})",
        body="Whoever reads the repository can use it, also after it is removed from the file. "
        "Revoke it, then read the new one from the environment or a secret store.",
    )

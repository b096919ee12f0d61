"""Characters that hide what the code says: our own check of added lines."""

import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from reviewbot.change.model import FileChange, Kind
from reviewbot.engines.analysis.tool import Target, body_of
from reviewbot.privacy.invisible import find_homoglyphs, find_invisible
from reviewbot.review.answer import Category, Severity
from reviewbot.review.evidence import Evidence

_UNREAD = frozenset({Kind.BINARY, Kind.LOCKFILE, Kind.VENDORED})
#: Only code has identifiers; other scripts are usual in the rest.
_CODE = frozenset({Kind.SOURCE, Kind.TEST, Kind.CONFIG, Kind.MIGRATION, Kind.MANIFEST})


class Invisible:
    name = "invisible"
    needs_text = False

    def wants(self, file: FileChange) -> bool:
        return file.kind not in _UNREAD

    def run(self, targets: Sequence[Target], programs: Sequence[Path]) -> Iterator[Evidence]:
        for target in targets:
            for number, line in target.added.items():
                if line.isascii():
                    continue
                if points := find_invisible(line.removesuffix("\r")):
                    yield _hidden(target.file, number, points)
                if target.file.kind in _CODE and (words := find_homoglyphs(line)):
                    yield _alike(target.file, number, words)


def _hidden(file: FileChange, line: int, points: Sequence[int]) -> Evidence:
    reorders = any(unicodedata.bidirectional(chr(point)) != "BN" for point in points)
    tags = any(0xE0000 <= point <= 0xE0FFF for point in points)
    names = ", ".join(sorted({f"U+{point:04X}" for point in points})[:5])
    return Evidence(
        path=file.path,
        line=line,
        end_line=line,
        side="RIGHT",
        tool=Invisible.name,
        rule="reordered-text" if reorders else "hidden-text" if tags else "invisible-character",
        severity=Severity.HIGH if reorders or tags else Severity.MEDIUM,
        category=Category.SECURITY,
        title=f"Invisible characters in this line ({names})",
        body=body_of(
            "The line is shown in another order than it is read: code may pass for a comment."
            if reorders
            else "The line holds what people do not see and programs and models do."
        ),
    )


def _alike(file: FileChange, line: int, words: Sequence[str]) -> Evidence:
    letters = sorted({char for word in words for char in word if not char.isascii()})
    names = ", ".join(f"U+{ord(char):04X} {unicodedata.name(char, '')}" for char in letters[:5])
    return Evidence(
        path=file.path,
        line=line,
        end_line=line,
        side="RIGHT",
        tool=Invisible.name,
        rule="mixed-script",
        severity=Severity.MEDIUM,
        category=Category.SECURITY,
        title="A name mixes Latin letters with look-alikes of another script",
        body=body_of(f"It looks like another name and is none: {names}."),
    )

"""What may leave this machine, and the receipt of what left."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from reviewbot.change.model import FileChange
from reviewbot.errors import PrivacyError


class EgressEntry(NamedTuple):
    """How much of one file went to external engines."""

    path: str
    bytes: int
    """UTF-8 bytes sent, over all calls."""
    redactions: int
    """Secrets cut out before."""


def receipt(entries: Iterable[EgressEntry]) -> tuple[EgressEntry, ...]:
    """The entries of all calls, one for each path, sorted by path."""
    totals: dict[str, EgressEntry] = {}
    for entry in entries:
        before = totals.get(entry.path, EgressEntry(entry.path, 0, 0))
        totals[entry.path] = EgressEntry(
            entry.path, before.bytes + entry.bytes, before.redactions + entry.redactions
        )
    return tuple(totals[path] for path in sorted(totals))


class NeverSend:
    """Files that must not leave, by gitignore-style patterns; case is ignored, as in routing.

    Raises PrivacyError for a pattern that is none, and for one that begins with `!`: the list only
    ever grows, so that no later pattern can take an earlier one back.
    """

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        if taken_back := next((line for line in patterns if line.lstrip().startswith("!")), None):
            raise PrivacyError(f"never_send: {taken_back!r} would take a pattern back; remove it")
        from reviewbot.routing.paths import PathList  # brings pathspec: 0.14 s

        try:
            self._list = PathList(patterns)
        except ValueError as error:
            raise PrivacyError(f"never_send: {error}") from None

    def matches(self, path: str) -> bool:
        """Whether the file at `path` must stay."""
        return path in self._list

    def covers(self, file: FileChange) -> bool:
        """Whether a changed file must stay: by its path, or by the one it had before a rename."""
        return self.matches(file.path) or (
            file.old_path is not None and self.matches(file.old_path)
        )

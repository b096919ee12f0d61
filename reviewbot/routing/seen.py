"""What is known of one file before the whole is decided."""

from dataclasses import dataclass, field

from reviewbot.change.model import FileChange, Kind
from reviewbot.config.rule_document import DEFAULT_KINDS
from reviewbot.routing.model import Match
from reviewbot.routing.text import ChangedText

RULED = frozenset(Kind(kind) for kind in DEFAULT_KINDS)


@dataclass(slots=True, eq=False)  # not frozen: there are many, and that takes thrice as long
class Seen:
    """One file, and what the rules and the policy say of it."""

    file: FileChange
    matches: tuple[Match, ...]
    places: frozenset[str]
    """Areas that its name or folder is of, whether or not anything else speaks for them."""
    unread: str
    """Why nobody needs to read it; empty: it is read."""
    always: bool
    never: bool
    text: ChangedText | None = None
    """Its changed lines, where some rule looks at them."""
    _changed: int = field(default=-1, init=False)

    @property
    def unknown(self) -> bool:
        """Rules would read it, but the host sent no text."""
        return self.file.patch_missing and not self.unread and self.file.kind in RULED

    @property
    def is_code(self) -> bool:
        """Rules read it, and it is no list of dependencies."""
        return self.file.kind in RULED and self.file.kind is not Kind.MANIFEST

    @property
    def changed(self) -> int:
        """Changed lines that are not blank, of code; 0 of other files."""
        if self._changed < 0:
            self._changed = changed_lines(self.file) if self.is_code else 0
        return self._changed


def changed_lines(file: FileChange) -> int:
    """Changed lines of a file that are not blank."""
    count = 0
    for hunk in file.hunks:
        changed = [raw for raw in hunk.body if raw >= "+"]  # " " is below both markers
        lengths = list(map(len, map(str.strip, changed)))
        count += len(lengths) - lengths.count(1)  # nothing but the marker
    return count

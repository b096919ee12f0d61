"""What is known of one file before the whole is decided."""

from dataclasses import dataclass

from reviewbot.change.model import FileChange, Kind
from reviewbot.config.rule_document import DEFAULT_KINDS
from reviewbot.routing.model import Match

RULED = frozenset(Kind(kind) for kind in DEFAULT_KINDS)


@dataclass(frozen=True)
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

    @property
    def unknown(self) -> bool:
        """Rules would read it, but the host sent no text."""
        return self.file.patch_missing and not self.unread and self.file.kind in RULED

    @property
    def changed(self) -> int:
        """Changed lines that are not blank, of a file that rules read; 0 of others."""
        if self.file.kind not in RULED or self.file.kind is Kind.MANIFEST:
            return 0
        lines = (line for hunk in self.file.hunks for line in (*hunk.added, *hunk.removed))
        return sum(1 for line in lines if line and not line.isspace())

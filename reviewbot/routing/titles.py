"""Rules that read a change's title: what its author calls it.

A title is a hint beside code, never instead of it: something in a file that the rule looks at must
have come or gone that is code. It can send a change to Claude, and nothing in it keeps one away.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from reviewbot.change.model import FileChange
from reviewbot.routing.matcher import EXCERPT, changes_code
from reviewbot.routing.model import Match
from reviewbot.routing.paths import PathList
from reviewbot.routing.patterns import NOT_FOUND, Finder, any_of
from reviewbot.routing.rules import Rule, RuleSet
from reviewbot.routing.seen import Seen
from reviewbot.routing.text import ChangedText

#: Longest part of a title that is read, characters: GitHub takes 256.
MAX_TITLE = 300
ANYWHERE = ("**",)


def titled(title: str, seen: Sequence[Seen], sets: Iterable[RuleSet]) -> tuple[Match, ...]:
    """One reason for each rule of the sets that finds its words in the title.

    It names the file with the most changed lines that the rule looks at, the earliest of equals.
    """
    line = " ".join(title[:MAX_TITLE].split())
    if not line:
        return ()
    data = line.encode("utf-8", "replace")
    readers = [reader for rules in sets for reader in _readers(rules)]
    return tuple(
        [
            Match(
                reader.rule.id,
                reader.rule.area,
                largest.path,
                None,
                "RIGHT",
                reader.rule.why,
                reader.rule.weight,
                line[:EXCERPT],
            )
            for reader in readers
            if reader.names(data) and (largest := reader.largest(seen))
        ]
    )


class _Reader:
    """A rule for titles, compiled."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._words = any_of(rule.title)
        self._exclude = any_of(rule.exclude) if rule.exclude else None
        self._inside, self._outside = PathList(rule.paths or ANYWHERE), PathList(rule.ignore_paths)

    def names(self, title: bytes) -> bool:
        """Whether a title has the rule's words and none that rule it out."""
        return _occurs(self._words, title) and not (self._exclude and _occurs(self._exclude, title))

    def largest(self, seen: Sequence[Seen]) -> FileChange | None:
        """The file with the most changed lines where the rule looks, if code changed in any."""
        files = [each for each in seen if each.changed and self._looks_at(each.file)]
        if not any(changes_code(each.text or ChangedText(each.file)) for each in files):
            return None
        return max(files, key=lambda each: each.changed).file

    def _looks_at(self, file: FileChange) -> bool:
        path = file.path
        return file.kind in self.rule.kinds and path in self._inside and path not in self._outside


def _occurs(words: Finder, title: bytes) -> bool:
    return words(title, 0, len(title))[0] != NOT_FOUND


@lru_cache(maxsize=64)
def _readers(rules: RuleSet) -> tuple[_Reader, ...]:
    return tuple(_Reader(rule) for rule in rules.titled)

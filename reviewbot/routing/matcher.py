"""Finds the rules that fire on a file. Linear in the text, whatever the rules are.

One pass over all changed lines says which patterns may occur; only those are looked up. Context
lines are no evidence: they only tell whether a changed line is part of a comment.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import NamedTuple

from reviewbot.change.model import FileChange, Kind, Side
from reviewbot.routing.learned import STRONG
from reviewbot.routing.model import Match
from reviewbot.routing.noise import is_noise
from reviewbot.routing.paths import PathSets
from reviewbot.routing.patterns import NOT_FOUND, Search, TextPatterns, any_of
from reviewbot.routing.places import words_of
from reviewbot.routing.rules import Rule, RuleSet
from reviewbot.routing.text import ChangedLine, ChangedText

EXCERPT = 160
#: A hit of fewer characters is no word: such a pattern asks for any change.
SHORTEST = 2
#: Lines that are counted for one rule in one file: more make no difference to what was learned of
#: how evidence lies, and judging them is what routing costs.
MOST_LINES = 5
#: The same for a rule whose lines are its measure.
MOST_MEASURED = 40
#: Paths for which the rules that look at them are remembered.
KNOWN_PATHS = 16_384
#: A list of paths that holds none.
NOWHERE = ("!**",)


class Found(NamedTuple):
    """What the rules find in one file: at most one match for each rule."""

    matches: tuple[Match, ...]
    cut: bool
    """Some line is longer than `MAX_LINE`; only its beginning was looked at."""
    text: ChangedText | None = None
    """Its changed lines, where some rule looks at them."""


@lru_cache(maxsize=8)
def compiled(rules: RuleSet) -> "Matcher":
    """The matcher of a rule set, compiled once."""
    return Matcher([rule for rule in rules.rules if not rule.is_of_whole])


def is_nothing(line: ChangedLine, text: ChangedText) -> bool:
    """Whether a line is no evidence for any rule: noise, or nothing came or went with it."""
    if is_noise(line.raw):
        return not text.is_factor(line)
    return text.has_both and (line.stays or text.is_reformatted(line))


def changes_code(text: ChangedText) -> bool:
    """Whether any changed line can be evidence: it is no comment, import or new layout."""
    return any(
        not is_nothing(line, text) and not text.is_talk(line, first) for line, first in text.lines()
    )


class _Spot(NamedTuple):
    line: int | None
    side: Side
    excerpt: str
    lines: int = 0
    gone: bool = False


class Matcher:
    """Rules, compiled."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        self._of_kind = {
            kind: frozenset(i for i, rule in enumerate(rules) if kind in rule.kinds)
            for kind in Kind
        }
        self._path_only = frozenset(i for i, rule in enumerate(rules) if rule.path_only)
        self._local = self._path_only.union(i for i, rule in enumerate(rules) if rule.is_local)
        """Those that a path alone lets fire, where there is no text."""
        self._named = [(i, rule.names) for i, rule in enumerate(rules) if rule.names]
        self._paths = PathSets(
            [*(rule.paths for rule in rules), *(rule.ignore_paths or NOWHERE for rule in rules)]
        )
        self._looking = lru_cache(maxsize=KNOWN_PATHS)(self._looks_at)
        # light rules find most lines: where they are many, others needn't be counted
        lightest = sorted(enumerate(rules), key=lambda numbered: numbered[1].weight)
        self._looks = [look for i, rule in lightest for look in _looks(i, rule)]
        self._looks_of = [
            tuple(at for at, look in enumerate(self._looks) if look.rule == i)
            for i in range(len(rules))
        ]
        self._patterns = TextPatterns([look.patterns for look in self._looks])
        self._exclude = [any_of(rule.exclude) if rule.exclude else None for rule in rules]
        self._exclude_of_file = [
            any_of(rule.exclude_of_file) if rule.exclude_of_file else None for rule in rules
        ]

    def find(self, file: FileChange, *, kind: Kind | None = None) -> Found:
        """All rules that fire on `file`, in the order of the rules.

        A file whose text the host did not send is known by its path only: every rule fires
        whose `paths` hold it. `kind` stands in for the file's own kind.
        """
        kind = kind or file.kind
        if not self._of_kind[kind]:
            return Found((), False)
        looking = self._looking(kind, file.path)
        if file.old_path:
            looking = looking.union(self._looking(kind, file.old_path))
        spots: dict[int, _Spot] = {}
        for index in looking.rules & (self._local if file.patch_missing else self._path_only):
            spots[index] = _Spot(None, "RIGHT", "")
        text = ChangedText(file) if looking.looks and file.hunks else None
        if text:
            self._read(text, looking.looks, spots)
        matches = tuple([self._match(index, spots[index], file) for index in sorted(spots)])
        return Found(matches, bool(text and text.cut), text)

    def _looks_at(self, kind: Kind, path: str) -> "_Looking":
        """The rules that look at a file of this kind at a path."""
        held, count, words = self._paths.holding(path), len(self._rules), words_of(path)
        out = [i - count for i in held if i >= count]
        out += [i for i, names in self._named if names.isdisjoint(words)]
        rules = self._of_kind[kind] & held.difference(out)
        return _Looking(rules, frozenset(chain.from_iterable(self._looks_of[i] for i in rules)))

    def _read(self, text: ChangedText, looks: frozenset[int], spots: dict[int, _Spot]) -> None:
        """Note the first line that counts, for each rule that has one, and how many do.

        Where one rule of an area has lines enough, of the others it is only asked whether they
        have one or several.
        """
        enough: set[str] = set()
        for hit, search in self._patterns.candidates(text.data, looks).items():
            look = self._looks[hit]
            if look.rule in spots:
                continue
            area = self._rules[look.rule].area
            most = 2 if area in enough and look.most == MOST_LINES else look.most
            if spot := self._spot(look, search, text, most):
                spots[look.rule] = spot
                if spot.lines >= MOST_LINES:
                    enough.add(area)

    def _spot(self, look: "_Look", search: Search, text: ChangedText, most: int) -> _Spot | None:
        """The first line that is evidence, and how many are, at most `most`."""
        counted = list(islice(self._evidence(look, search, text, 0), most))
        if not counted:
            return None
        gone = counted[-1].begin >= text.removed_at
        if not gone and look.removed and self._rules[look.rule].weight >= STRONG:
            gone = any(self._evidence(look, search, text, text.removed_at))
        side, number = text.place(counted[0])
        excerpt = counted[0].text.strip()[:EXCERPT]
        return _Spot(number, side, excerpt, len(counted), gone)

    def _evidence(
        self, look: "_Look", search: Search, text: ChangedText, at: int
    ) -> Iterator[ChangedLine]:
        """The lines from an offset on that are evidence."""
        at = max(at, 0 if look.added else text.removed_at)
        last = len(text.data) if look.removed else text.removed_at - 1
        excluded, of_file = self._exclude[look.rule], self._exclude_of_file[look.rule]
        comparing = look.two_sided and text.has_both
        while at < last:
            first, end = search.find(at, last)
            if first < 0:
                break
            line = text.line(first)
            if line.is_nothing is None:
                line.is_nothing = is_nothing(line, text)
            if (
                line.is_nothing
                or (excluded and excluded(line.raw, 0, len(line.raw))[0] != NOT_FOUND)
                or (of_file and line.is_found_by(of_file))
                or (not look.added and line.is_indented)
            ):
                at = line.end + 1
            elif (
                line.is_address(first)
                or (comparing and end - first >= SHORTEST and line.was_there(first, end))
                or text.is_talk(line, first)
            ):
                at = max(end, first + 1)  # more may follow on the line
            else:
                yield line
                at = line.end + 1

    def _match(self, index: int, spot: "_Spot", file: FileChange) -> Match:
        rule = self._rules[index]
        return Match(
            rule.id,
            rule.area,
            file.path,
            spot.line,
            spot.side,
            rule.why,
            rule.weight,
            spot.excerpt,
            rule.is_place,
            spot.lines,
            spot.gone,
        )


class _Looking(NamedTuple):
    """What looks at a file: rules, and which of their patterns."""

    rules: frozenset[int]
    looks: frozenset[int]

    def union(self, other: "_Looking") -> "_Looking":
        return _Looking(self.rules | other.rules, self.looks | other.looks)


class _Look(NamedTuple):
    """One pattern: whose it is, and in which lines it counts."""

    rule: int
    patterns: tuple[str, ...]
    added: bool
    removed: bool
    most: int
    """Lines that are counted."""

    @property
    def two_sided(self) -> bool:
        """What stands on the other side as well is no evidence: only what is beside it changed,
        and that decides nothing.
        """
        return self.added and self.removed


def _looks(index: int, rule: Rule) -> list[_Look]:
    looks = ((rule.changed, True, True), (rule.added, True, False), (rule.removed, False, True))
    most = MOST_MEASURED if rule.measure else MOST_LINES
    return [
        _Look(index, patterns, added, removed, most)
        for patterns, added, removed in looks
        if patterns
    ]

"""Finds the rules that fire on a file. Linear in the text, whatever the rules are.

One pass over all changed lines says which patterns may occur; only those are looked up. Context
lines are never looked at.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import re2

from reviewbot.change.model import FileChange, Kind, Side
from reviewbot.config.patterns import compile_pattern
from reviewbot.routing.model import Match
from reviewbot.routing.paths import PathSets
from reviewbot.routing.patterns import PatternSet
from reviewbot.routing.rules import Rule, RuleSet
from reviewbot.routing.text import ChangedText

EXCERPT = 160

_CODE = r"=(){};<>\[\]\"$\n"
_SMALL = "(?:the|an?|to|of|is|are|this|that|they|their|will|be|should|must|may|it|has|have)"
_END = r"[^;\n]*;?\s*$"
#: Lines that are no evidence in any language: comments, imports, packages, prose. Code that
#: follows a comment or an import on the same line keeps it evidence.
NOISE = (
    r"^\s*(?://|#(?:[\s!#-]|$)|\*(?:\s|$)|--(?:[\s\-]|$)|<%#)",
    r"^\s*(?:/?\*(?:[^*\n]|\*+[^*/\n])*\*+/|\*/|/\*(?:[^*\n]|\*+[^*/\n])*\**)\s*$",
    r"^\s*(?:<!--[^>\n]*(?:-->)?|\"\"\"[^\"\n]*(?:\"\"\")?|'''[^'\n]*(?:''')?)\s*$",
    rf"^\s*(?:import\b|from\s+\S+\s+import\b|package\s+[\w.]+|namespace\s+[\w.\\]+){_END}",
    rf"^\s*(?:using\s+(?:static\s+)?[\w.]+;|use\s+[\w\\:]+(?:[;,]|::)|alias\s+[A-Z]){_END}",
    rf"^\s*(?:require(?:_relative|_once)?\b|#\s*include\b|extern\s+crate\b|@import\b){_END}",
    rf"^\s*(?:(?:const|let|var)\s[^=\n]*=\s*require\(|export\s[^=\n]*\sfrom\s+['\"]){_END}",
    # prose of a docstring or block comment: no sign of code and two small words
    rf"^[^{_CODE}]*\b{_SMALL}\s[^{_CODE}]*\b{_SMALL}(?:\s[^{_CODE}]*)?$",
)
#: What stands before a trailing comment: a comment sign between blanks, or one still open.
TRAILING_COMMENT = r"\s(?://|#|--)\s|/\*(?:[^*\n]|\*+[^*/\n])*$"


class Found(NamedTuple):
    """What the rules find in one file: at most one match for each rule."""

    matches: tuple[Match, ...]
    cut: bool
    """Some line is longer than `MAX_LINE`; only its beginning was looked at."""


@lru_cache(maxsize=8)
def compiled(rules: RuleSet) -> "Matcher":
    """The matcher of a rule set, compiled once."""
    return Matcher(rules.rules)


class _Spot(NamedTuple):
    line: int | None
    side: Side
    excerpt: str


class Matcher:
    """Rules, compiled."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        self._of_kind = {
            kind: frozenset(i for i, rule in enumerate(rules) if kind in rule.kinds)
            for kind in Kind
        }
        self._by_path = [i for i, rule in enumerate(rules) if rule.paths]
        self._paths = PathSets([_paths(rule) for rule in rules])
        self._looks = [look for i, rule in enumerate(rules) for look in _looks(i, rule)]
        self._patterns = PatternSet([look.pattern for look in self._looks])
        self._exclude = [[compile_pattern(text) for text in rule.exclude] for rule in rules]
        self._noise = compile_pattern("|".join(f"(?:{part})" for part in NOISE))
        self._trailing = compile_pattern(TRAILING_COMMENT)

    def find(self, file: FileChange, *, kind: Kind | None = None) -> Found:
        """All rules that fire on `file`, in the order of the rules.

        A file whose text the host did not send is known by its path only: every rule fires
        whose `paths` hold it. `kind` stands in for the file's own kind.
        """
        may_fire = self._of_kind[kind or file.kind]
        if not may_fire:
            return Found((), False)
        inside = self._paths.holding(file.path)
        if file.old_path:
            inside |= self._paths.holding(file.old_path)
        may_fire = may_fire & inside
        spots: dict[int, _Spot] = {}
        for index in self._by_path:
            if index in may_fire and (self._rules[index].path_only or file.patch_missing):
                spots[index] = _Spot(None, "RIGHT", "")
        text = ChangedText(file)
        if text.lines and may_fire:
            self._read(text, may_fire, spots)
        matches = tuple(self._match(index, spots[index], file) for index in sorted(spots))
        return Found(matches, text.cut)

    def _read(self, text: ChangedText, may_fire: frozenset[int], spots: dict[int, _Spot]) -> None:
        """Note the first line that counts, for each rule that may fire and has one."""
        for hit in self._patterns.candidates(text.data):
            look = self._looks[hit]
            if look.rule in may_fire and look.rule not in spots:
                row = self._first(look, self._patterns.compiled[hit], text)
                if row is not None:
                    side, line = text.place(row)
                    spots[look.rule] = _Spot(line, side, text.lines[row].strip()[:EXCERPT])

    def _first(self, look: "_Look", pattern: Any, text: ChangedText) -> int | None:
        """The first row that is evidence."""
        first, last = 0, len(text.lines)
        if not look.removed:
            last = text.added
        if not look.added:
            first = text.added
        while first < last:
            hit = pattern.search(text.data, text.starts[first] if first else 0)
            if not hit:
                return None
            row = text.row(hit.start())
            if row >= last:
                return None
            column = hit.start() - text.starts[row]
            code = self._is_code(look.rule, text.lines[row], column)
            if code and not text.stays(row, gone_only=not look.added):
                return row
            first = row + 1
        return None

    def _is_code(self, index: int, line: str, column: int) -> bool:
        """Whether a line on which a pattern occurs can be evidence: code, and not excluded."""
        raw = line.encode("utf-8", "replace")
        if self._noise.search(raw) or self._trailing.search(raw[:column]):
            return False
        return not any(excluded.search(raw) for excluded in self._exclude[index])

    def _match(self, index: int, spot: "_Spot", file: FileChange) -> Match:
        rule = self._rules[index]
        return Match(
            rule.id, rule.area, file.path, spot.line, spot.side, rule.why, rule.weight, spot.excerpt
        )


class _Look(NamedTuple):
    """One pattern: whose it is, and in which lines it counts."""

    rule: int
    pattern: str
    added: bool
    removed: bool


def _looks(index: int, rule: Rule) -> list[_Look]:
    return [
        *(_Look(index, pattern, True, True) for pattern in _joined(rule.changed)),
        *(_Look(index, pattern, True, False) for pattern in _joined(rule.added)),
        *(_Look(index, pattern, False, True) for pattern in _joined(rule.removed)),
    ]


def _joined(patterns: Sequence[str]) -> Sequence[str]:
    """One pattern for all of them, which is faster to look up; themselves if that is too large."""
    if len(patterns) < 2:
        return patterns
    joined = "|".join(f"(?:{pattern})" for pattern in patterns)
    try:
        compile_pattern(joined)
    except re2.error:
        return patterns
    return [joined]


def _paths(rule: Rule) -> tuple[str, ...]:
    if not rule.ignore_paths:
        return rule.paths
    return (*(rule.paths or ("**",)), *(f"!{path}" for path in rule.ignore_paths))

"""Rules that count over the whole change: files, languages, folders, prompts, density of lines."""

from collections.abc import Iterable, Mapping, Sequence
from math import ceil

from reviewbot.change.model import FileChange
from reviewbot.config.rule_document import Measure
from reviewbot.routing.model import Match
from reviewbot.routing.rules import Rule
from reviewbot.routing.seen import Seen, changed_lines

#: Share of the local context that is left for the diff beside instructions, outline and answer.
DIFF_SHARE = 0.5
#: Changed lines of which a density is told; fewer count as this many, so that a small change with
#: one condition is not dense.
LEAST_LINES = 50

Matches = Mapping[str, tuple[Match, ...]]
"""Matches of files by path."""


def prompts_needed(files: Iterable[FileChange], context: int | None) -> int:
    """Local prompts that reading files takes; 0 where there is no local model."""
    if not context:
        return 0
    return ceil(tokens_of(files) / max(1, int(context * DIFF_SHARE)))


def tokens_of(files: Iterable[FileChange]) -> int:
    """Estimated tokens of the files' hunks."""
    return sum(hunk.tokens for file in files for hunk in file.hunks)


def measured(seen: Sequence[Seen], rules: Iterable[Rule], context: int | None) -> tuple[Match, ...]:
    """One reason for each rule whose count over the files that are read is reached.

    It names the file with the most changed lines, the earliest of equals.
    """
    reasons = []
    for rule in rules:
        if rule.measure is None or not rule.counts_files:
            continue
        files = [s.file for s in seen if not s.unread and s.file.kind in rule.kinds]
        if not files:
            continue
        value = _count(rule.measure, files, context)
        if value >= rule.at_least:
            largest = max(files, key=lambda file: file.added_count + file.removed_count)
            why = f"{rule.why}: {value}"
            reasons.append(Match(rule.id, rule.area, largest.path, None, "RIGHT", why, rule.weight))
    return tuple(reasons)


def without_sparse(
    found: Sequence[tuple[FileChange, tuple[Match, ...]]], rules: Iterable[Rule]
) -> list[tuple[Match, ...]]:
    """The matches of each file without those of density rules that the change does not reach."""
    told: dict[tuple[str, str], str] = {}
    for rule in rules:
        if rule.measure == "density":
            value = _density(found, rule)
            told[rule.area, rule.id] = (
                f"{rule.why}: {value:.0f} of 100 changed lines" if value >= rule.at_least else ""
            )
    if not told:
        return [matches for _, matches in found]
    return [
        tuple(
            match._replace(why=told.get((match.area, match.rule), match.why))
            for match in matches
            if told.get((match.area, match.rule), match.why)
        )
        for _, matches in found
    ]


def _count(measure: Measure, files: Sequence[FileChange], context: int | None) -> int:
    if measure == "files":
        return len(files)
    if measure == "languages":
        return len({file.language for file in files if file.language})
    if measure == "folders":
        return len({file.path.partition("/")[0] if "/" in file.path else "" for file in files})
    return prompts_needed(files, context)


def _density(found: Sequence[tuple[FileChange, tuple[Match, ...]]], rule: Rule) -> float:
    """Lines that match, of 100 changed ones."""
    lines = sum(
        match.lines
        for _, matches in found
        for match in matches
        if (match.area, match.rule) == (rule.area, rule.id)
    )
    changed = sum(changed_lines(file) for file, _ in found if file.kind in rule.kinds)
    return 100 * lines / max(changed, LEAST_LINES)

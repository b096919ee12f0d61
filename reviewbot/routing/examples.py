"""Runs the examples that rules carry: every rule proves what it finds and what it leaves alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reviewbot.change.kinds import classify, language_of
from reviewbot.change.model import FileChange, Hunk, Kind, Status
from reviewbot.config.rule_document import Example
from reviewbot.routing.matcher import Matcher
from reviewbot.routing.measures import measured, without_sparse
from reviewbot.routing.rules import Rule, RuleSet
from reviewbot.routing.seen import Seen
from reviewbot.routing.titles import titled


@dataclass(frozen=True)
class ExampleFailure:
    """An example on which its rule does not do what it says."""

    rule: str
    source: str
    section: Literal["match", "ignore", "missing"]
    """`missing`: the rule has no example of one of the two."""
    example: Example | None
    problem: str

    def __str__(self) -> str:
        return f"{self.source}: {self.rule}: {self.problem}"


def run_examples(rules: RuleSet) -> list[ExampleFailure]:
    """Every example that fails, in the order of the rules; each rule alone on each example."""
    failures = []
    for rule in rules.rules:
        failures += [
            ExampleFailure(
                rule.id, rule.source, "match", example, f"does not match {_shown(example)}"
            )
            for example in rule.match
            if not _fires(rule, example)
        ]
        failures += [
            ExampleFailure(
                rule.id, rule.source, "ignore", example, f"must not match {_shown(example)}"
            )
            for example in rule.ignore
            if _fires(rule, example)
        ]
    return failures


def missing_examples(rules: RuleSet) -> list[ExampleFailure]:
    """Rules without a `match` or without an `ignore` example."""
    failures = []
    for rule in rules.rules:
        sections: Sequence[tuple[str, tuple[Example, ...]]]
        sections = (("match", rule.match), ("ignore", rule.ignore))
        failures += [
            ExampleFailure(rule.id, rule.source, "missing", None, f"has no `{name}` example")
            for name, examples in sections
            if not examples
        ]
    return failures


def example_file(example: Example, path: str = "") -> FileChange:
    """The file change that an example stands for, at its own path or another."""
    path = path or example.path
    removed = [f"-{line}" for line in example.removed.splitlines()]
    added = [f"+{line}" for line in example.added.splitlines()]
    kind = Kind(example.kind) if example.kind else classify(path)
    hunk = Hunk(1, len(removed), 1, len(added), "", (*removed, *added))
    hunks = (hunk,) if hunk.body else ()
    language = language_of(path)
    return FileChange(path, Status.MODIFIED, kind=kind, language=language, hunks=hunks)


def _fires(rule: Rule, example: Example) -> bool:
    files = [example_file(example, path) for path in (example.path, *example.others)]
    if rule.counts_files:
        seen = [Seen(file, (), frozenset(), "", False, False) for file in files]
        return bool(measured(seen, [rule], example.context))
    if rule.title:
        seen = [Seen(file, (), frozenset(), "", False, False) for file in files]
        return bool(titled(example.title, seen, [RuleSet({}, (rule,))]))
    matcher = Matcher([rule])
    found = [(file, matcher.find(file).matches) for file in files]
    return any(without_sparse(found, [rule]))


def _shown(example: Example) -> str:
    text = (example.title or example.added or example.removed).strip().splitlines()
    return f"{example.path}: {text[0][:80]}" if text else example.path

"""Rules: what the files say, checked and ready to be compiled."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from reviewbot.change.model import Kind
from reviewbot.config.documents import load_document, validate
from reviewbot.config.rule_document import (
    DEFAULT_KINDS,
    DEFAULT_THRESHOLD,
    DEFAULT_UNCERTAIN,
    Example,
    Measure,
    PolicyRule,
    RuleEntry,
    RuleFile,
)
from reviewbot.errors import DocumentError
from reviewbot.routing.learned import STRONG, Learned, load_learned

#: Rule files are the operator's: larger than a repository's policy may be.
MAX_RULE_FILE_BYTES = 512 * 1024


@dataclass(frozen=True)
class Area:
    """What rules protect."""

    name: str
    title: str
    threshold: float = DEFAULT_THRESHOLD
    """A change whose matches weigh this much goes to Claude."""
    uncertain: float = DEFAULT_UNCERTAIN
    """From this weight on the policy's `route.uncertain` decides."""
    optional: bool = False
    """Looked at only where the policy's `route.also` names it."""


@dataclass(frozen=True)
class Rule:
    """One rule: evidence for an area."""

    id: str
    area: str
    why: str
    weight: float
    kinds: frozenset[Kind]
    paths: tuple[str, ...] = ()
    """gitignore-style patterns, case ignored; empty: every path."""
    ignore_paths: tuple[str, ...] = ()
    """Where the rule never looks."""
    names: frozenset[str] = frozenset()
    """Words of which the file's own name or folder has one; empty: whatever it is called."""
    added: tuple[str, ...] = ()
    """RE2 patterns for added lines."""
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    """RE2 patterns for added or removed lines."""
    title: tuple[str, ...] = ()
    """RE2 patterns for the change's title, instead of lines."""
    exclude: tuple[str, ...] = ()
    """A line (or title) that one of these RE2 patterns matches is no evidence."""
    exclude_of_file: tuple[str, ...] = ()
    """The same for lines, as its file says; empty for a rule that is enough on its own: what else
    stands on a line talks none of that away."""
    measure: Measure | None = None
    """What it counts over the whole change; None: it speaks for each file on its own."""
    at_least: float = 0.0
    """From this count on it fires."""
    match: tuple[Example, ...] = ()
    ignore: tuple[Example, ...] = ()
    source: str = ""
    """The file that holds it."""

    @property
    def path_only(self) -> bool:
        """It looks at paths, at no text."""
        return not (self.added or self.removed or self.changed or self.title)

    @property
    def counts_files(self) -> bool:
        """It counts over the whole change what no line says: nothing is looked for in files."""
        return self.measure is not None and self.measure != "density"

    @property
    def is_of_whole(self) -> bool:
        """It speaks of the change, not of a file."""
        return self.counts_files or bool(self.title)

    @property
    def is_local(self) -> bool:
        """What it says of a path alone means something: it does not look everywhere."""
        everywhere = "**" in self.paths and Kind.SOURCE in self.kinds
        return bool(self.names) or (bool(self.paths) and not everywhere)

    @property
    def is_place(self) -> bool:
        """It says where a file lies, which is no evidence alone."""
        return self.path_only and bool(self.names)


@dataclass(frozen=True, eq=False)
class RuleSet:
    """All rules that hold together. Compared by identity: compiling one is kept."""

    areas: Mapping[str, Area]
    rules: tuple[Rule, ...]
    learned: Learned | None = None
    """How the evidence of some of them was learned to be weighed."""

    @cached_property
    def measuring(self) -> tuple[Rule, ...]:
        """The rules that count over the whole change."""
        return tuple(rule for rule in self.rules if rule.measure is not None)

    @cached_property
    def titled(self) -> tuple[Rule, ...]:
        """The rules that read the change's title."""
        return tuple(rule for rule in self.rules if rule.title)

    def rule(self, rule_id: str) -> Rule:
        """The rule with this id. Raises KeyError."""
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        raise KeyError(rule_id)


def load_rules(texts: Mapping[str, str], learned: Learned | None = None) -> RuleSet:
    """Make a set of rules of file texts by name, in the order of their names.

    Raises DocumentError naming file and line: for text that is no rule file, for a rule id that
    two rules share and for an area that two files describe differently.
    """
    areas: dict[str, Area] = {}
    rules: dict[str, Rule] = {}
    for source in sorted(texts):
        document = load_document(texts[source], source, max_bytes=MAX_RULE_FILE_BYTES)
        file = validate(RuleFile, document)
        area = Area(file.area, file.title, file.threshold, file.uncertain, file.optional)
        if areas.setdefault(area.name, area) != area:
            line = document.line(("area",))
            raise DocumentError(
                source,
                line,
                f"another file describes area {area.name} otherwise: title, thresholds or `optional`",
            )
        for index, entry in enumerate(file.rules):
            if entry.id in rules:
                line = document.line(("rules", index, "id"))
                other = rules[entry.id].source
                raise DocumentError(source, line, f"rule id {entry.id} is taken", f"see {other}")
            ignored = file.ignore_paths if entry.in_views else file.ignore_paths + file.view_paths
            rule = _rule(entry, area.name, source, file.kinds, ignored)
            if rule.weight < STRONG:
                rule = replace(rule, exclude_of_file=file.exclude)
            rules[entry.id] = rule
    return RuleSet(areas, tuple(rules.values()), learned)


@lru_cache(maxsize=64)
def switched_on(rules: RuleSet, also: frozenset[str]) -> RuleSet:
    """The rule set without the optional areas that `also` does not name."""
    areas = {name: area for name, area in rules.areas.items() if not area.optional or name in also}
    if len(areas) == len(rules.areas):
        return rules
    return RuleSet(areas, tuple(rule for rule in rules.rules if rule.area in areas), rules.learned)


@lru_cache(maxsize=8)
def optional_alone(rules: RuleSet) -> RuleSet:
    """The optional areas of a rule set, and nothing else."""
    areas = {name: area for name, area in rules.areas.items() if area.optional}
    return RuleSet(areas, tuple(rule for rule in rules.rules if rule.area in areas))


def policy_rules(entries: Iterable[PolicyRule]) -> RuleSet:
    """The rules that a policy adds, as a set of their own.

    They are compiled and matched apart: nothing in a repository's rules can change what the
    operator's find.
    """
    rules = tuple(_rule(entry, entry.area, "route.rules", DEFAULT_KINDS) for entry in entries)
    return RuleSet({rule.area: Area(rule.area, rule.area) for rule in rules}, rules)


def _rule(
    entry: RuleEntry,
    area: str,
    source: str,
    kinds: Iterable[str],
    ignore_paths: tuple[str, ...] = (),
) -> Rule:
    return Rule(
        id=entry.id,
        area=area,
        why=entry.why,
        weight=entry.weight,
        kinds=frozenset(Kind(kind) for kind in entry.kinds or kinds),
        paths=entry.paths,
        names=frozenset(entry.names),
        ignore_paths=ignore_paths,
        added=entry.added,
        removed=entry.removed,
        changed=entry.changed,
        title=entry.title,
        exclude=entry.exclude,
        measure=entry.measure,
        at_least=entry.at_least or 0.0,
        match=entry.examples.match,
        ignore=entry.examples.ignore,
        source=source,
    )


@cache
def shipped_rules() -> RuleSet:
    """The rules that come with reviewbot."""
    bare = load_rules(shipped_texts())
    return replace(bare, learned=_shipped_learned(frozenset(rule.id for rule in bare.rules)))


def with_own_rules(texts: Mapping[str, str]) -> RuleSet:
    """The shipped rules and the operator's own, of file texts by name.

    Raises DocumentError as `load_rules` does.
    """
    return load_rules({**shipped_texts(), **texts}, shipped_rules().learned)


def shipped_texts() -> dict[str, str]:
    """The shipped rule files by name. Raises DocumentError if there are none."""
    texts = {
        f"rules/{item.name}": item.read_text(encoding="utf-8")
        for item in _shipped_folder().iterdir()
        if item.name.endswith(".yml")
    }
    if not texts:
        raise DocumentError("rules", None, "no shipped rules found", "install reviewbot again")
    return texts


def _shipped_learned(rules: frozenset[str]) -> Learned:
    text = _shipped_folder().joinpath("learned.toml").read_text(encoding="utf-8")
    return load_learned(text, "rules/learned.toml", rules)


def _shipped_folder() -> Traversable:
    """Package data when installed, `rules/` in a checkout."""
    folder = resources.files("reviewbot").joinpath("shipped_rules")
    return folder if folder.is_dir() else Path(__file__).resolve().parents[2] / "rules"


def explain(rule: Rule) -> str:
    """What one rule looks for, for a terminal."""
    lines = [
        f"{rule.id}  ({rule.area}, weight {rule.weight:g})",
        f"  {rule.why}.",
        f"  looks at   {', '.join(sorted(rule.kinds))} files",
    ]
    shown = (
        ("in", rule.paths),
        ("named", tuple(sorted(rule.names))),
        ("added", rule.added),
        ("removed", rule.removed),
        ("changed", rule.changed),
        ("title", rule.title),
        ("but not", rule.exclude),
        ("nor", rule.exclude_of_file),
        ("counts", (f"{rule.measure}, from {rule.at_least:g} on",) if rule.measure else ()),
    )
    for label, patterns in shown:
        lines += [f"  {label if not i else '':<9}  {text}" for i, text in enumerate(patterns)]
    for label, examples in (("matches", rule.match), ("ignores", rule.ignore)):
        lines += [f"  {label:<9}  {_example(example)}" for example in examples]
    lines.append(f"  from       {rule.source}")
    return "\n".join(lines)


def _example(example: Example) -> str:
    parts = [f"+ {line}" for line in example.added.splitlines()]
    parts += [f"- {line}" for line in example.removed.splitlines()]
    parts += [example.title] if example.title else []
    named = ", ".join((example.path, *example.others))
    return f"{named}: {json.dumps(parts, ensure_ascii=False)}" if parts else named

"""Decides where a change goes: rules first, then the policy, never a model."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache

from reviewbot.change.model import Change, FileChange, Kind
from reviewbot.config.policy import Policy
from reviewbot.config.rule_document import PolicyRule
from reviewbot.routing.learned import Spread
from reviewbot.routing.matcher import Found, Matcher, compiled
from reviewbot.routing.measures import measured, prompts_needed, tokens_of, without_sparse
from reviewbot.routing.model import Certainty, FileRoute, Match, Route, Tier
from reviewbot.routing.paths import PathList
from reviewbot.routing.places import with_evidence
from reviewbot.routing.rules import Area, RuleSet, policy_rules, switched_on
from reviewbot.routing.seen import Seen
from reviewbot.routing.spread import spread_of, weighed, words_in
from reviewbot.routing.titles import titled
from reviewbot.routing.vocabulary import Vocabulary, Words
from reviewbot.routing.wording import decision, plural

#: Reasons shown for a change; the heaviest come first.
MAX_REASONS = 50

UNREAD = frozenset({Kind.LOCKFILE, Kind.GENERATED, Kind.VENDORED, Kind.BINARY})
#: Kinds that are not read, yet looked at as if they were source: a rule may find more in them.
DISGUISES = frozenset({Kind.GENERATED, Kind.VENDORED})
_NO_PLACES: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Verdict:
    """What the weights say."""

    flagged: tuple[str, ...]
    """Areas that send the change to Claude."""
    unsure: bool
    asked: bool
    """Claude is asked: for the flagged areas, or since the policy sends doubtful changes there."""
    whole: bool
    """The whole change goes, not only the files that hold evidence."""


def decide(
    change: Change, rules: RuleSet, policy: Policy, *, local_context_tokens: int | None
) -> Route:
    """The route of a change under the operator's `rules` and a (narrowed) policy.

    `local_context_tokens` is the local engine's context; None where there is no local model,
    and then no change is too long for it. The order of files never matters. Context lines are
    no evidence; they count for the change's length, and where they show that a changed line is
    part of a comment or only laid out anew. No change makes it raise.
    """
    rules, own = switched_on(rules, frozenset(policy.route.also)), _own_rules(policy.route.rules)
    areas = areas_of((rules, own), policy)
    seen, notes = _look(change, (rules, own), areas, policy)
    titles = titled(change.title, seen, (rules, own))
    learned: tuple[Match, ...] = ()
    if policy.route.learned and rules.learned:
        learned = weighed(seen, titles, change.title, rules.learned, areas)
    counted = measured(seen, (*rules.measuring, *own.measuring), local_context_tokens)
    found = (*[match for s in seen for match in s.matches], *titles, *learned, *counted)
    scores = _scores(found)
    told = {match.area for match in counted}, {match.area for match in titles}
    verdict = _verdict(seen, scores, areas, change, policy, *told)
    large = _large(seen, policy, local_context_tokens)
    by_size = large if policy.route.large.to == "claude" and not verdict.asked else ""
    files = tuple([_file_route(s, verdict, bool(by_size)) for s in seen])
    tier = _highest(files)
    certainty: Certainty = "uncertain" if verdict.unsure else "sure"
    flagged = verdict.flagged
    reasons = sorted(
        found,
        key=lambda m: (m.area not in flagged, -m.weight, m.path, m.line or 0, m.rule),
    )
    why = decision(tier, flagged, scores, areas, files, large=by_size, unsure=verdict.unsure)
    if change.missing_files:
        notes.append(f"{plural(change.missing_files, 'file')} not listed by the host, not routed")
    if large and not by_size:
        notes.append(large)
    notes += _unsent(seen, flagged)
    return Route(
        tier, flagged, certainty, scores, tuple(reasons[:MAX_REASONS]), files, why, tuple(notes)
    )


def evidence(change: Change, rules: RuleSet) -> tuple[dict[str, Spread], Words]:
    """What is learned from: how the evidence for each area lies that these rules find in a change,
    and its words."""
    rules = switched_on(rules, frozenset())
    seen, _ = _look(change, (rules,), rules.areas, Policy())
    ids = frozenset(rule.id for rule in rules.rules)
    titles = titled(change.title, seen, (rules,))
    spreads = {area: spread_of(seen, titles, area, ids) for area in rules.areas}
    return spreads, words_in(seen, change.title, Vocabulary())


def _verdict(
    seen: Sequence[Seen],
    scores: Mapping[str, float],
    areas: Mapping[str, Area],
    change: Change,
    policy: Policy,
    counted: Set[str],
    named: Set[str],
) -> _Verdict:
    """`counted`, `named`: areas of measures that are reached, and of the title."""
    sure = tuple([name for name, score in scores.items() if score >= areas[name].threshold])
    doubtful = tuple([name for name, score in scores.items() if score >= areas[name].uncertain])
    unknown = bool(change.missing_files) or any(s.unknown for s in seen)
    unsure = not sure and (bool(doubtful) or unknown)
    flagged = sure if policy.route.uncertain == "local" else doubtful
    asked = bool(sure) or (unsure and policy.route.uncertain != "local")
    # what was counted over the whole change, or needs its title's word, is nowhere in it
    held = _scores(match for s in seen for match in s.matches) if named else {}
    nowhere = counted | {name for name in named if held.get(name, 0) < areas[name].uncertain}
    whole = policy.route.granularity == "pull_request" or not nowhere.isdisjoint(flagged)
    return _Verdict(flagged, unsure, asked, whole)


def _unsent(seen: Sequence[Seen], flagged: tuple[str, ...]) -> list[str]:
    return [
        f"risky, not sent: {s.file.path} is on the never_send list"
        for s in seen
        if s.never and any(match.area in flagged for match in s.matches)
    ]


@lru_cache(maxsize=64)
def _own_rules(entries: tuple[PolicyRule, ...]) -> RuleSet:
    return policy_rules(entries)


def areas_of(sets: Iterable[RuleSet], policy: Policy) -> dict[str, Area]:
    """All areas by name; a policy can lower their thresholds, not raise them."""
    areas: dict[str, Area] = {}
    for rules in sets:
        for name, area in rules.areas.items():
            areas.setdefault(name, area)
    for name, given in policy.route.areas.items():
        if name in areas:
            area = areas[name]
            threshold = min(area.threshold, given.threshold or area.threshold)
            uncertain = min(area.uncertain, given.uncertain or area.uncertain, threshold)
            areas[name] = replace(area, threshold=threshold, uncertain=uncertain)
    return areas


def _look(
    change: Change, sets: Sequence[RuleSet], areas: Mapping[str, Area], policy: Policy
) -> tuple[list[Seen], list[str]]:
    """Every file with its matches, by path, and what people should know about them."""
    ignored, always = PathList(policy.ignore.paths), PathList(policy.route.always_claude)
    never = PathList(policy.route.never_send)
    matchers = [compiled(rules) for rules in sets if rules.rules]
    files = sorted(change.files, key=lambda file: (file.path, file.old_path or ""))
    found = [_found(matchers, file) for file in files]
    matched, texts = [each.matches for each in found], [each.text for each in found]
    cut = [file.path for file, each in zip(files, found, strict=True) if each.cut]
    measuring = [rule for rules in sets for rule in rules.measuring]
    seen = []
    dense = without_sparse(list(zip(files, matched, strict=True)), measuring)
    for file, matches, text in zip(files, dense, texts, strict=True):
        places = _NO_PLACES
        if matches:
            places = frozenset([match.area for match in matches if match.is_place])
            if file.patch_missing:
                matches = tuple([_in_full(match, areas) for match in matches])
            elif places:
                matches = with_evidence(matches)
        is_always, unread = file.path in always, _unread(file, file.path in ignored)
        if matches or is_always or (unread and _disguised(file, matchers, areas)):
            unread = ""
        kept = file.path in never or (file.old_path or "") in never
        seen.append(Seen(file, matches, places, unread, is_always, kept, text))
    return seen, _notes(seen, cut)


def _found(matchers: Sequence[Matcher], file: FileChange) -> Found:
    """What all rule sets find in a file."""
    found = [matcher.find(file) for matcher in matchers]
    if len(found) == 1:
        return found[0]
    matches = tuple([match for each in found for match in each.matches])
    return Found(matches, any(each.cut for each in found), found[0].text if found else None)


def _in_full(match: Match, areas: Mapping[str, Area]) -> Match:
    """A match by the path of a file without text: nothing else is known, so it decides alone."""
    return match._replace(weight=max(match.weight, areas[match.area].threshold))


def _disguised(file: FileChange, matchers: Sequence[Matcher], areas: Mapping[str, Area]) -> bool:
    """Whether a generated or vendored file would be doubtful on its own, were it source."""
    if file.kind not in DISGUISES:
        return False
    matches = [m for matcher in matchers for m in matcher.find(file, kind=Kind.SOURCE).matches]
    scores = _sums((match.area, match.weight) for match in with_evidence(matches))
    return any(score >= areas[name].uncertain for name, score in scores.items())


def _unread(file: FileChange, ignored: bool) -> str:
    if ignored:
        return "ignored by policy"
    if file.kind in UNREAD:
        return str(file.kind)
    if file.is_binary:
        return "binary"
    if not file.hunks and not file.patch_missing and not file.is_submodule:
        return f"{file.status} without a changed line"
    return ""


def _notes(seen: Sequence[Seen], cut: Sequence[str]) -> list[str]:
    lockfile = Kind.LOCKFILE  # a member of an enumeration takes long to look up
    odd = [s for s in seen if s.unread or s.file.kind is lockfile or s.file.patch_missing]
    notes = [f"lockfile changed: {s.file.path}" for s in odd if s.file.kind is lockfile]
    for kind in (Kind.GENERATED, Kind.VENDORED):
        count = len([s for s in odd if s.file.kind is kind and s.unread])
        if count:
            notes.append(f"{plural(count, f'{kind} file')} not read")
    notes += [f"no text of {s.file.path}: routed by its path only" for s in odd if s.unknown]
    if cut:
        shown = ", ".join(cut[:5]) + (" …" if len(cut) > 5 else "")
        notes.append(f"long lines cut for matching in {shown}")
    return notes


def _scores(matches: Iterable[Match]) -> dict[str, float]:
    """Sum of weights by area. A rule counts once, in however many files it fires: many weak
    hits of one kind are one weak reason. Where two rules share an id, the heavier one counts.
    """
    heaviest: dict[tuple[str, str], float] = {}
    for match in matches:
        key = (match.area, match.rule)
        heaviest[key] = max(match.weight, heaviest.get(key, match.weight))
    return _sums((area, weight) for (area, _), weight in heaviest.items())


def _sums(weights: Iterable[tuple[str, float]]) -> dict[str, float]:
    sums: defaultdict[str, float] = defaultdict(float)
    for area, weight in weights:
        sums[area] += weight
    return {area: round(sums[area], 6) for area in sorted(sums)}


def _large(seen: Sequence[Seen], policy: Policy, context: int | None) -> str:
    """A sentence where the files to read need more local prompts than the policy allows."""
    files = [s.file for s in seen if not s.unread]
    units = prompts_needed(files, context)
    if units <= policy.route.large.over_units:
        return ""
    return f"about {tokens_of(files):,} tokens to read need {units} local prompts, more than {policy.route.large.over_units}"


def _file_route(seen: Seen, verdict: _Verdict, by_size: bool) -> FileRoute:
    file = seen.file
    areas: tuple[str, ...] = ()
    if seen.matches and verdict.flagged:
        own = {match.area for match in seen.matches}
        areas = tuple([area for area in verdict.flagged if area in own])
    tier, why = Tier.LOCAL, ""
    if seen.unread:
        tier, why = Tier.SKIP, seen.unread
    elif seen.never:
        why = "never_send"
    elif seen.always:
        tier, why = Tier.CLAUDE, "always_claude"
    elif by_size:
        tier, why = Tier.CLAUDE, "large change"
    elif verdict.asked and (verdict.whole or areas or seen.unknown):
        tier, why = Tier.CLAUDE, "" if areas else "part of a flagged change"
    elif file.kind in DISGUISES and not seen.matches:
        why = f"{file.kind}, but holds what rules look for"
    return FileRoute(file.path, file.kind, tier, areas, seen.matches, why)


def _highest(files: Sequence[FileRoute]) -> Tier:
    tiers = {file.tier for file in files}
    return next((tier for tier in (Tier.CLAUDE, Tier.LOCAL) if tier in tiers), Tier.SKIP)

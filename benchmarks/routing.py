"""Route real diffs: speed beside parsing, beside plain unidiff, and beside a loop of `re`."""

import json
import re
import time
from collections.abc import Callable, Sequence

import unidiff
from diffs import from_arguments

from reviewbot.change.model import Change
from reviewbot.change.parse import parse_diff
from reviewbot.config.policy import Policy
from reviewbot.routing import matcher
from reviewbot.routing.router import decide
from reviewbot.routing.rules import shipped_rules, switched_on

RULES, POLICY = shipped_rules(), Policy()


def route(change: Change) -> object:
    return decide(change, RULES, POLICY, local_context_tokens=None)


def best(
    texts: Sequence[str], work: Callable[[object], object], fresh: bool, runs: int = 5
) -> float:
    """CPU seconds over all texts, for each the fastest of some runs; `fresh`: parsed anew each."""
    seconds = [float("inf")] * len(texts)
    for _ in range(runs):
        for index, text in enumerate(texts):
            given: object = parse_diff(text, allow_cut=True) if fresh else text
            started = time.process_time()
            work(given)
            seconds[index] = min(seconds[index], time.process_time() - started)
    return sum(seconds)


def naive(change: Change) -> list[str]:
    """What somebody would write first: every pattern on every changed line."""
    return [
        pattern.pattern
        for file in change.files
        for hunk in file.hunks
        for line in (*hunk.added, *hunk.removed)
        for pattern in PATTERNS
        if pattern.search(line)
    ]


def in_python(pattern: str) -> re.Pattern[str]:
    """The same pattern for `re`, which takes inline flags at the beginning only."""
    ignored = "(?i" in pattern
    bare = re.sub(r"\(\?-?i\)", "", re.sub(r"\(\?-?i:", "(?:", pattern))
    return re.compile(bare, re.IGNORECASE if ignored else 0)


PATTERNS = [
    in_python(pattern)
    for rule in RULES.rules
    for pattern in (*rule.changed, *rule.added, *rule.removed)
]


def texts_with_looks(changes: Sequence[Change]) -> list[tuple[bytes, frozenset[int]]]:
    """What the matcher reads: each file's changed text, and which patterns look at it."""
    compiled = matcher.compiled(switched_on(RULES, frozenset()))
    read = []
    for file in (file for change in changes for file in change.files):
        looks = compiled._looking(file.kind, file.path).looks
        if looks and (data := matcher.ChangedText(file).data):
            read.append((data, looks))
    return read


def only_patterns(read: Sequence[tuple[bytes, frozenset[int]]]) -> tuple[float, float]:
    """Seconds of the sieve alone, and of it and one look for each rule that it lets through."""
    patterns = matcher.compiled(switched_on(RULES, frozenset()))._patterns
    started = time.process_time()
    found = [(data, patterns.candidates(data, looks)) for data, looks in read]
    sieved = time.process_time()
    for data, searches in found:
        for search in searches.values():
            search.find(0, len(data))
    return sieved - started, time.process_time() - started


def main() -> None:
    texts = [record["diff"] for record in from_arguments()]
    changes = [parse_diff(text, allow_cut=True) for text in texts]
    for change in changes:
        route(change)  # compile rules once, as a service does
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    routing = best(texts, route, fresh=True)
    parsing = best(texts, parse_diff_of, fresh=False)
    by_unidiff = best(texts, plain, fresh=False)
    by_re = best(texts, naive, fresh=True, runs=1)
    read = texts_with_looks(changes)
    sieve, patterns = map(min, zip(*(only_patterns(read) for _ in range(5)), strict=True))
    result = {
        "changes": len(texts),
        "megabytes": round(megabytes, 2),
        "changes_per_s": round(len(texts) / routing),
        "route_mb_s": round(megabytes / routing, 1),
        "route_vs_parse": round(routing / parsing, 2),
        "route_vs_unidiff": round(routing / by_unidiff, 2),
        "route_vs_naive_re": round(routing / by_re, 3),
        "share_in_sieve": round(sieve / routing, 2),
        "share_in_patterns": round(patterns / routing, 2),
    }
    for name, value in result.items():
        print(f"{name:<28}{value:>12}")
    print(json.dumps(result))


def parse_diff_of(text: object) -> object:
    return parse_diff(str(text), allow_cut=True)


def plain(text: object) -> object:
    try:
        return unidiff.PatchSet(str(text))
    except unidiff.UnidiffParseError:  # a diff that a corpus cut off
        return None


if __name__ == "__main__":
    main()

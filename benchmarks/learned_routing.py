"""Learn how evidence lies in changes of an area, and which words speak for it, and measure what
that is worth.

    python benchmarks/learned_routing.py [--write] LABELLED.jsonl[.gz] …

Each repository is judged by a model that was trained without it (and without a twentieth of the
others), beside the rules alone. With `--write`, `rules/learned.toml` is made of all of them, for the
areas where the model wins. Ambiguous changes take no part. Needs numpy (the extra `llama`).
"""

import json
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from diffs import read
from logistic import Array, fitted, likelihoods

from reviewbot.change.parse import parse_diff
from reviewbot.routing.learned import FEATURES, FEWEST, AreaModel, Learned, Spread, features
from reviewbot.routing.router import evidence
from reviewbot.routing.rules import load_rules, shipped_texts
from reviewbot.routing.vocabulary import Words

TARGET = Path(__file__).resolve().parents[1] / "rules" / "learned.toml"
#: The likelihood that is worth the threshold, and the one from which on a change is uncertain.
SURE, UNCERTAIN = 0.5, 0.2
#: Sums of points below which nothing is raised: those that are tried.
LEAST = (2.0, 1.0)
#: How strongly weights are held small: those of evidence, and those of words. The bias is free.
RIDGE, RIDGE_OF_WORDS = 1.0, 3.3
#: What a word weighs before anything is learned, by where it stands.
SCALE = {"changed": 3.0, "title": 3.0, "path": 2.0}
#: Words that are learned of each area, and the repositories that must use one of them.
MOST_WORDS, LEAST_REPOSITORIES = 200, 12
FOLDS = 20

RULES = load_rules(shipped_texts())
AREAS = {name: area for name, area in RULES.areas.items() if not area.optional}


Word = tuple[str, str]
"""Where a word stands (a field of `Words`), and the word."""


class Sample(NamedTuple):
    """One labelled change."""

    repo: str
    labels: frozenset[str]
    spreads: Mapping[str, Spread]
    words: Words


def samples(files: Iterable[str]) -> list[Sample]:
    records = {record["id"]: record for file in files for record in read(file)}
    return [
        Sample(
            record["repo"],
            frozenset(record["labels"]),
            *evidence(
                parse_diff(record["diff"], title=record.get("title", ""), allow_cut=True), RULES
            ),
        )
        for record in records.values()
        if not record.get("ambiguous")
    ]


def train(rows: Sequence[Sample], area: str) -> AreaModel:
    """The model of an area: first of evidence alone, then with the words that say most beside it.

    Neither evidence nor a title ever counts against its area.
    """
    rows = [row for row in rows if row.spreads[area].points]
    y = np.array([float(area in row.labels) for row in rows])
    x = np.array([(1.0, *features(row.spreads[area])) for row in rows])
    ridge = np.array([0.0, *[RIDGE] * len(FEATURES)])
    upward = np.array([False, *(name != "size" for name in FEATURES)])
    doubt = likelihoods(x, fitted(x, y, ridge, upward))
    chosen = telling(rows, y - doubt, doubt * (1 - doubt))
    weights = fitted(
        np.hstack([x, columns(rows, chosen)]),
        y,
        np.concatenate([ridge, np.full(len(chosen), RIDGE_OF_WORDS)]),
        np.array([*upward, *(kind == "title" for kind, _ in chosen)]),
    )
    words: dict[str, dict[str, float]] = {kind: {} for kind in FEWEST}
    for (kind, word), weight in zip(chosen, weights[len(ridge) :], strict=True):
        if weight:
            words[kind][word] = float(weight) * SCALE[kind]
    evidence_weights = tuple(map(float, weights[1 : len(ridge)]))
    return AreaModel(LEAST[0], float(weights[0]), evidence_weights, words)


def telling(rows: Sequence[Sample], missing: Array, spread: Array) -> list[Word]:
    """The words that would mend most of what the evidence alone gets wrong (a score test).

    `missing`: what each change lacks of its label; `spread`: how much it may lack by chance.
    """
    repositories: defaultdict[Word, set[str]] = defaultdict(set)
    for row in rows:
        for word in said(row):
            repositories[word].add(row.repo)
    common = {word for word, used in repositories.items() if len(used) >= LEAST_REPOSITORIES}
    gain: defaultdict[Word, float] = defaultdict(float)
    chance: defaultdict[Word, float] = defaultdict(lambda: RIDGE_OF_WORDS)
    for row, lacks, by_chance in zip(rows, missing.tolist(), spread.tolist(), strict=True):
        for word, value in shares(row, common).items():
            gain[word] += lacks * value
            chance[word] += by_chance * value * value
    order = sorted(gain, key=lambda word: (-abs(gain[word]) / chance[word] ** 0.5, word))
    return sorted(order[:MOST_WORDS])


def columns(rows: Sequence[Sample], chosen: Sequence[Word]) -> Array:
    """A column for each word."""
    place = {word: number for number, word in enumerate(chosen)}
    out = np.zeros((len(rows), len(chosen)))
    for number, row in enumerate(rows):
        for word, value in shares(row, place.keys()).items():
            out[number, place[word]] = value
    return out


def said(row: Sample) -> list[Word]:
    return [(kind, word) for kind in FEWEST for word in getattr(row.words, kind)]


def shares(row: Sample, known: Collection[Word]) -> dict[Word, float]:
    """What each known word of a change counts, as `AreaModel` divides it."""
    mine = [word for word in said(row) if word in known]
    counts = {kind: sum(word[0] == kind for word in mine) for kind in FEWEST}
    return {word: SCALE[word[0]] * max(counts[word[0]], FEWEST[word[0]]) ** -0.5 for word in mine}


def score(learned: Learned, area: str, row: Sample) -> float:
    """The area's sum of points, as the router makes it."""
    spread = row.spreads[area]
    if not spread.points or area not in learned.areas:
        return spread.points
    limits = RULES.areas[area]
    return spread.points + learned.points(
        area, spread, row.words, threshold=limits.threshold, uncertain=limits.uncertain
    )


def found(learned: Learned, row: Sample) -> frozenset[str]:
    """The areas that a change is flagged for, doubtful ones with them."""
    return frozenset(
        area for area, limits in AREAS.items() if score(learned, area, row) >= limits.uncertain
    )


def trained_without_each(rows: Sequence[Sample], area: str) -> dict[str, AreaModel]:
    """By repository, an area's model that never saw it."""
    repos = sorted({row.repo for row in rows})
    out = {}
    for fold in range(FOLDS):
        left = set(repos[fold::FOLDS])
        if left:
            model = train([row for row in rows if row.repo not in left], area)
            out |= dict.fromkeys(left, model)
    return out


def left_out(
    rows: Sequence[Sample], models: Mapping[str, Mapping[str, AreaModel]]
) -> list[frozenset[str]]:
    """What is found in each change by models (by area, by repository) that never saw its own."""
    out = []
    for row in rows:
        mine = {area: by_repo[row.repo] for area, by_repo in models.items()}
        out.append(found(Learned(SURE, UNCERTAIN, mine), row))
    return out


def figures(said: Iterable[bool], true: Iterable[bool]) -> dict[str, float]:
    pairs = list(zip(said, true, strict=True))
    right = sum(a and b for a, b in pairs)
    precision = right / max(1, sum(a for a, _ in pairs))
    recall = right / max(1, sum(b for _, b in pairs))
    f1 = 2 * precision * recall / max(1e-9, precision + recall)
    return {"precision": round(precision, 3), "recall": round(recall, 3), "f1": round(f1, 3)}


def table(rows: Sequence[Sample], answers: Sequence[frozenset[str]]) -> dict[str, dict[str, float]]:
    out = {
        area: figures((area in a for a in answers), (area in r.labels for r in rows))
        for area in AREAS
    }
    return {"flagged": figures(map(bool, answers), (bool(r.labels) for r in rows)), **out}


def written(models: Mapping[str, AreaModel], rows: Sequence[Sample]) -> str:
    repos = len({row.repo for row in rows})
    lines = [
        "# How evidence lies in a change of an area, and what its words speak for: logistic models,",
        "# written by benchmarks/learned_routing.py. What each weight is for:",
        "# reviewbot/routing/learned.py.",
        f"# Trained on {len(rows)} labelled changes of {repos} repositories.",
        f"sure = {SURE}",
        f"uncertain = {UNCERTAIN}",
    ]
    for area, model in models.items():
        lines += [
            "",
            f"[areas.{area}]",
            f"least = {model.least}",
            f"bias = {model.bias:.4f}",
            f"[areas.{area}.weights]",
        ]
        pairs = zip(FEATURES, model.weights, strict=True)
        lines += [f"{name} = {weight:.4f}" for name, weight in pairs]
        for kind, words in model.words.items():
            lines.append(f"[areas.{area}.words.{kind}]")
            ordered = sorted(words.items(), key=lambda pair: (-pair[1], pair[0]))
            lines += [f"{word} = {weight:.2f}" for word, weight in ordered]
    return "\n".join(lines) + "\n"


def main() -> None:
    files = [argument for argument in sys.argv[1:] if argument != "--write"]
    if not files:
        sys.exit(__doc__)
    rows = samples(files)
    without = table(rows, [found(Learned(SURE, UNCERTAIN, {}), row) for row in rows])
    winners: dict[str, dict[str, AreaModel]] = {}
    for area in AREAS:
        best = without[area]["f1"]
        models = trained_without_each(rows, area)
        for least in LEAST:
            tried = {repo: replace(model, least=least) for repo, model in models.items()}
            won = table(rows, left_out(rows, {area: tried}))[area]["f1"]
            if won > best:
                winners[area], best = tried, won
    learned = table(rows, left_out(rows, winners))
    for name in without:
        print(f"{name:<12} rules alone {without[name]}   with what was learned {learned[name]}")
    if "--write" in sys.argv:
        TARGET.write_text(
            written(
                {
                    area: replace(train(rows, area), least=next(iter(tried.values())).least)
                    for area, tried in winners.items()
                },
                rows,
            )
        )
        print(f"written: {TARGET}")
    print(json.dumps({"changes": len(rows), "without": without, "with": learned}))


if __name__ == "__main__":
    main()

"""Learn how evidence lies in changes of an area, and measure what that is worth.

    python benchmarks/learned_routing.py [--write] LABELLED.jsonl[.gz] …

Each repository is judged by a model that was trained without it, beside the rules alone. With
`--write`, `rules/learned.toml` is made of all of them, for the areas where the model wins.
Ambiguous changes take no part.
"""

import json
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from math import exp
from pathlib import Path
from typing import NamedTuple

from diffs import read

from reviewbot.change.parse import parse_diff
from reviewbot.routing.learned import FEATURES, AreaModel, Learned, Spread, features
from reviewbot.routing.router import spreads
from reviewbot.routing.rules import load_rules, shipped_texts

TARGET = Path(__file__).resolve().parents[1] / "rules" / "learned.toml"
#: The likelihood that is worth the threshold, and the one from which on a change is uncertain.
SURE, UNCERTAIN = 0.5, 0.3
#: Sums of points below which nothing is raised: those that are tried.
LEAST = (2.0, 1.0)
#: How strongly weights are held small; the bias is free.
RIDGE = 1.0
STEPS, CLOSE = 25, 1e-4

RULES = load_rules(shipped_texts())
AREAS = {name: area for name, area in RULES.areas.items() if not area.optional}


class Sample(NamedTuple):
    """One labelled change."""

    repo: str
    labels: frozenset[str]
    spreads: Mapping[str, Spread]


def samples(files: Iterable[str]) -> list[Sample]:
    records = {record["id"]: record for file in files for record in read(file)}
    return [
        Sample(
            record["repo"],
            frozenset(record["labels"]),
            spreads(
                parse_diff(record["diff"], title=record.get("title", ""), allow_cut=True), RULES
            ),
        )
        for record in records.values()
        if not record.get("ambiguous")
    ]


def train(rows: Sequence[Sample], area: str) -> AreaModel:
    """Logistic regression with a ridge, by Newton's method. Evidence never counts against its
    area: a weight that would is held at 0, and the others are trained again."""
    held: set[int] = set()
    while True:
        weights = regression(rows, area, held)
        against = {
            i for i, w in enumerate(weights) if i and w < 0 and FEATURES[i - 1] != "size"
        } - held
        if not against:
            return AreaModel(LEAST[0], weights[0], tuple(weights[1:]))
        held |= against


def regression(rows: Sequence[Sample], area: str, held: Collection[int]) -> list[float]:
    """The bias and a weight for each feature; those of `held` are 0."""
    told = [row for row in rows if row.spreads[area].points]
    xs = [(1.0, *features(row.spreads[area])) for row in told]
    ys = [float(area in row.labels) for row in told]
    size = len(FEATURES) + 1
    weights = [0.0] * size
    for _ in range(STEPS):
        slope = [-RIDGE * weight for weight in weights]
        curve = [[RIDGE * (i == j) for j in range(size)] for i in range(size)]
        slope[0] = curve[0][0] = 0.0
        for x, y in zip(xs, ys, strict=True):
            p = 1 / (1 + exp(-sum(w * v for w, v in zip(weights, x, strict=True))))
            for i in range(size):
                slope[i] += (y - p) * x[i]
                for j in range(size):
                    curve[i][j] += p * (1 - p) * x[i] * x[j]
        for i in held:
            slope[i] = 0.0
            for j in range(size):
                curve[i][j] = curve[j][i] = float(i == j)
        step = solved(curve, slope)
        weights = [weight + part for weight, part in zip(weights, step, strict=True)]
        if max(map(abs, step)) < CLOSE:
            break
    return weights


def solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """The solution of a small system of linear equations."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    size = len(rows)
    for i in range(size):
        pivot = max(range(i, size), key=lambda row: abs(rows[row][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for j in range(size):
            if j != i:
                factor = rows[j][i] / rows[i][i]
                rows[j] = [a - factor * b for a, b in zip(rows[j], rows[i], strict=True)]
    return [rows[i][size] / rows[i][i] for i in range(size)]


def score(learned: Learned, area: str, spread: Spread) -> float:
    """The area's sum of points, as the router makes it."""
    if not spread.points or area not in learned.areas:
        return spread.points
    limits = RULES.areas[area]
    return spread.points + learned.points(
        area, spread, threshold=limits.threshold, uncertain=limits.uncertain
    )


def found(learned: Learned, row: Sample) -> frozenset[str]:
    """The areas that a change is flagged for, doubtful ones with them."""
    return frozenset(
        area
        for area, limits in AREAS.items()
        if score(learned, area, row.spreads[area]) >= limits.uncertain
    )


def trained_without_each(rows: Sequence[Sample], area: str) -> dict[str, AreaModel]:
    """By repository, the area's model that never saw it."""
    repos = {row.repo for row in rows}
    return {repo: train([row for row in rows if row.repo != repo], area) for repo in repos}


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
        "# How evidence lies in a change of an area: logistic models, written by",
        "# benchmarks/learned_routing.py. What each weight is for: reviewbot/routing/learned.py.",
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

"""How well routes agree with labels that people gave."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from reviewbot.routing.model import Certainty, Match, Route, Tier
from reviewbot.routing.rules import Area

Problem = Literal["missed", "false alarm"]


@dataclass(frozen=True)
class Prediction:
    """What the router said of one change."""

    labels: frozenset[str]
    tier: Tier
    certainty: Certainty = "sure"
    scores: Mapping[str, float] = field(default_factory=dict)
    """Sum of weights per area."""
    reasons: tuple[Match, ...] = ()

    @classmethod
    def of(cls, route: Route) -> "Prediction":
        """The prediction that a route is."""
        areas = frozenset(route.areas)
        return cls(areas, route.tier, route.certainty, route.scores, route.reasons)

    @property
    def flagged(self) -> bool:
        """It goes to Claude."""
        return self.tier is Tier.CLAUDE


@dataclass(frozen=True)
class Labelled:
    """What people said of one change."""

    id: str
    labels: frozenset[str]
    """Areas; empty for an ordinary change."""
    ambiguous: bool = False
    """Careful reviewers could differ: figures leave it out."""
    title: str = ""
    group: str = ""
    """What the figures are broken down by, such as its repository."""


@dataclass(frozen=True)
class Figures:
    """Counts of one yes-or-no question over a corpus."""

    true_positives: int = 0
    false_positives: int = 0
    false_negatives: int = 0
    true_negatives: int = 0

    @property
    def precision(self) -> float | None:
        """Share of what was flagged that should be; None if nothing was flagged."""
        return _share(self.true_positives, self.false_positives)

    @property
    def recall(self) -> float | None:
        """Share of what should be flagged that was; None if nothing should be."""
        return _share(self.true_positives, self.false_negatives)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; None where neither means anything."""
        wrong = (self.false_positives + self.false_negatives) / 2
        return _share(self.true_positives, wrong)


@dataclass(frozen=True)
class Score:
    """Figures for `flagged` (tier Claude against any label) and for each area."""

    flagged: Figures
    areas: Mapping[str, Figures]
    unscored: int
    """Labelled changes without a prediction: not counted in the figures."""

    @property
    def changes(self) -> int:
        """Changes counted."""
        cells = self.flagged
        wrong = cells.false_positives + cells.false_negatives
        return cells.true_positives + cells.true_negatives + wrong

    @property
    def flagged_share(self) -> float | None:
        """Share of the changes that goes to Claude; None without changes."""
        said = self.flagged.true_positives + self.flagged.false_positives
        return said / self.changes if self.changes else None


@dataclass(frozen=True)
class Band:
    """Changes of one certainty: how many of them should be flagged."""

    changes: int = 0
    labelled: int = 0


@dataclass(frozen=True)
class Miss:
    """One area of one change in which route and label differ."""

    id: str
    title: str
    group: str
    area: str
    problem: Problem
    points: float
    """What the area's rules weigh."""
    needed: float
    """What it takes to be flagged for sure."""
    doubtful: float
    """What it takes to be uncertain."""
    reasons: tuple[Match, ...]
    """Rules of the area that fired, each once, the heaviest first."""
    flagged: bool
    """The change goes to Claude, for this area or for another."""


@dataclass(frozen=True)
class Report:
    """A scored corpus."""

    clear: Score
    """Without the ambiguous changes."""
    ambiguous: Score
    """The ambiguous ones alone."""
    bands: Mapping[str, Band]
    """By what the route says of itself: `sure`, `uncertain`, `local` (below every threshold)."""
    groups: Mapping[str, Score]
    """`clear`, by group."""
    misses: tuple[Miss, ...]
    """Of the clear changes, by id."""


def report(
    predictions: Mapping[str, Prediction], labelled: Sequence[Labelled], areas: Mapping[str, Area]
) -> Report:
    """Score a corpus; `areas` say what it takes to be flagged."""
    clear = [each for each in labelled if not each.ambiguous]
    groups: defaultdict[str, list[Labelled]] = defaultdict(list)
    for each in clear:
        groups[each.group].append(each)
    return Report(
        score(predictions, _labels(clear)),
        score(predictions, _labels(each for each in labelled if each.ambiguous)),
        _bands(predictions, clear, areas),
        {name: score(predictions, _labels(groups[name])) for name in sorted(groups)},
        tuple(_misses(predictions, clear, areas)),
    )


def score(predictions: Mapping[str, Prediction], labels: Mapping[str, Collection[str]]) -> Score:
    """Compare predictions with labels, both by the change's id.

    Leave ambiguous changes out of `labels`. Predictions without a label are not looked at.
    """
    common = [key for key in labels if key in predictions]
    areas = {area for key in common for area in (*labels[key], *predictions[key].labels)}
    return Score(
        _count((predictions[key].flagged, bool(labels[key])) for key in common),
        {
            area: _count((area in predictions[key].labels, area in labels[key]) for key in common)
            for area in sorted(areas)
        },
        len(labels) - len(common),
    )


def _labels(labelled: Iterable[Labelled]) -> dict[str, frozenset[str]]:
    return {each.id: each.labels for each in labelled}


def _bands(
    predictions: Mapping[str, Prediction], labelled: Sequence[Labelled], areas: Mapping[str, Area]
) -> dict[str, Band]:
    counts = {name: [0, 0] for name in ("sure", "uncertain", "local")}
    for each in labelled:
        prediction = predictions[each.id]
        sure = any(points >= areas[area].threshold for area, points in prediction.scores.items())
        name = "sure" if sure else "uncertain" if prediction.certainty == "uncertain" else "local"
        counts[name][0] += 1
        counts[name][1] += bool(each.labels)
    return {name: Band(*pair) for name, pair in counts.items()}


def _misses(
    predictions: Mapping[str, Prediction], labelled: Sequence[Labelled], areas: Mapping[str, Area]
) -> Iterator[Miss]:
    for each in sorted(labelled, key=lambda each: each.id):
        prediction = predictions[each.id]
        for name in sorted(each.labels ^ prediction.labels):
            area = areas.get(name, Area(name, name))
            yield Miss(
                each.id,
                each.title,
                each.group,
                name,
                "missed" if name in each.labels else "false alarm",
                prediction.scores.get(name, 0),
                area.threshold,
                area.uncertain,
                tuple(_heaviest(prediction.reasons, name)),
                prediction.flagged,
            )


def _heaviest(reasons: Sequence[Match], area: str) -> list[Match]:
    """One match for each rule of the area, in the order of the reasons."""
    first: dict[str, Match] = {}
    for match in reasons:
        if match.area == area:
            first.setdefault(match.rule, match)
    return list(first.values())


def _count(pairs: Iterator[tuple[bool, bool]]) -> Figures:
    cells = {(said, true): 0 for said in (True, False) for true in (True, False)}
    for pair in pairs:
        cells[pair] += 1
    return Figures(cells[True, True], cells[True, False], cells[False, True], cells[False, False])


def _share(part: int, rest: float) -> float | None:
    return part / (part + rest) if part + rest else None

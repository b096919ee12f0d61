"""How well routes agree with labels that people gave."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from reviewbot.routing.model import Route, Tier


@dataclass(frozen=True)
class Prediction:
    """What the router said of one change."""

    labels: frozenset[str]
    tier: Tier

    @classmethod
    def of(cls, route: Route) -> "Prediction":
        """The prediction that a route is."""
        return cls(frozenset(route.areas), route.tier)

    @property
    def flagged(self) -> bool:
        """It goes to Claude."""
        return self.tier is Tier.CLAUDE


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


def _count(pairs: Iterator[tuple[bool, bool]]) -> Figures:
    cells = {(said, true): 0 for said in (True, False) for true in (True, False)}
    for pair in pairs:
        cells[pair] += 1
    return Figures(cells[True, True], cells[True, False], cells[False, True], cells[False, False])


def _share(part: int, rest: float) -> float | None:
    return part / (part + rest) if part + rest else None

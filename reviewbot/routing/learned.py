"""What was learned of how evidence lies in a change: a small linear model beside the rules.

A rule says what a line is about, not what the change is about: one guarded route among four
hundred lines of a new page weighs as much as a change of nothing but guards. How the points, the
lines that are evidence and the place of a file go together was learned from labelled changes
(`benchmarks/learned_routing.py`); words, paths and repositories were not. The weights are in
`rules/learned.toml`. What it says is one more reason, with points like a rule's.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log, log1p
from typing import NamedTuple

from reviewbot.errors import DocumentError

#: It never moves an area's sum further: several strong rules that agree can't be talked away.
MAX_POINTS = 3.0
#: Points that are enough on their own.
STRONG = 3
#: More than these make no difference.
MOST_SUM, MOST_LINES, MOST_CHANGED, MOST_IN_PLACE = 9, 40, 300, 60
#: The share of lines that are evidence which counts as neither much nor little, and the least.
USUAL_SHARE, LEAST_SHARE = 0.1, 0.002
#: A name for each feature, in the order of the weights.
FEATURES = ("points", "strong", "lines", "share", "size", "placed", "in_place", "titled")


class Spread(NamedTuple):
    """How an area's evidence lies in a change."""

    points: float
    """Sum of the rules' weights."""
    lines: int
    """Changed lines that are evidence."""
    changed: int
    """Changed lines that are not blank, of files that rules read."""
    in_place: int
    """Those of them in files whose name or folder is of the area."""
    taken_away: bool = False
    """Something that is enough on its own was there before, and is no more."""
    titled: bool = False
    """The change's title speaks for it."""
    more: bool = False
    """Not all lines that are evidence were counted."""


@dataclass(frozen=True)
class AreaModel:
    """A logistic model: how likely a change with this spread is of the area."""

    least: float
    """A sum of points below it is not raised: hints as weak as that flag nothing together."""
    bias: float
    weights: tuple[float, ...]

    def likelihood(self, spread: Spread) -> float:
        """From 0 to 1."""
        parts = zip(self.weights, features(spread), strict=True)
        return 1 / (1 + exp(-(self.bias + sum(weight * value for weight, value in parts))))


@dataclass(frozen=True)
class Learned:
    """Models by area, and how their likelihoods are read as points."""

    sure: float
    """The likelihood that is worth an area's threshold."""
    uncertain: float
    """The likelihood from which on a change is uncertain."""
    areas: Mapping[str, AreaModel]
    rules: frozenset[str] = frozenset()
    """The rules that they were trained with; what others say is not weighed."""

    def points(self, area: str, spread: Spread, *, threshold: float, uncertain: float) -> float:
        """What is added to the sum of an area's rules, below 0 where little speaks for it.

        One weak hint on one line gains nothing, nor does a title without any line.
        """
        model = self.areas[area]
        likelihood = model.likelihood(spread)
        at_sure, at_uncertain = _logit(self.sure), _logit(self.uncertain)
        scale = (threshold - uncertain) / (at_sure - at_uncertain)
        worth = threshold + (_logit(likelihood) - at_sure) * scale
        may_rise = spread.points >= model.least and (
            spread.lines > 1 or (spread.lines and spread.points >= uncertain)
        )
        most = MAX_POINTS if may_rise else 0.0
        least = -MAX_POINTS
        if spread.taken_away:  # a check that is gone stays in doubt, whatever stands around it
            least = max(least, min(0.0, uncertain - spread.points))
        return round(max(least, min(most, worth - spread.points)), 1)


def features(spread: Spread) -> tuple[float, ...]:
    """What the model sees of a spread, in the order of `FEATURES`."""
    share = spread.lines / max(spread.changed, spread.lines, 1)
    return (
        min(spread.points, MOST_SUM) / 3,
        float(spread.points >= STRONG),
        log1p(min(spread.lines, MOST_LINES)) / 2,
        log(max(share, LEAST_SHARE) / USUAL_SHARE) if spread.lines else 0.0,
        log1p(min(spread.changed, MOST_CHANGED)) / 4,
        float(spread.in_place > 0),
        log1p(min(spread.in_place, MOST_IN_PLACE)) / 3,
        float(spread.titled),
    )


def in_words(spread: Spread, title: str, points: float) -> str:
    """The reason for these points, as people read it."""
    only = "only " if points < 0 and not spread.more else ""
    place = "some in code named for it" if spread.in_place else "none in code named for it"
    more = " or more" if spread.more else ""
    named = ", as its title does" if spread.titled else ""
    return (
        f"How evidence of {title.lower()} lies:"
        f" {only}{spread.lines}{more} of {spread.changed} changed lines speak for it, {place}{named}"
    )


def load_learned(text: str, source: str, rules: frozenset[str]) -> Learned:
    """The model of a file. Raises DocumentError for one that `benchmarks/learned_routing.py`
    did not write."""
    try:
        document = tomllib.loads(text)
        areas = {
            name: AreaModel(
                float(table["least"]),
                float(table["bias"]),
                tuple(float(table["weights"][feature]) for feature in FEATURES),
            )
            for name, table in document["areas"].items()
        }
        learned = Learned(float(document["sure"]), float(document["uncertain"]), areas, rules)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise DocumentError(
            source, None, f"not a file of learned weights: {error!r}", "install reviewbot again"
        ) from None
    return learned


def _logit(likelihood: float) -> float:
    kept = min(max(likelihood, 1e-9), 1 - 1e-9)
    return log(kept / (1 - kept))

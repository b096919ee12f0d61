"""What was learned of labelled changes: a small linear model beside the rules.

A rule says what a line is about, not what the change is about: one guarded route among four
hundred lines of a new page weighs as much as a change of nothing but guards. How the points, the
lines that are evidence and the place of a file go together was learned
(`benchmarks/learned_routing.py`), and what the commonest words of changes speak for; repositories
were not. The weights are in `rules/learned.toml`. What it says is one more reason, with points like
a rule's.
"""

import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import fsum, log, log1p
from typing import NamedTuple

from reviewbot.errors import DocumentError
from reviewbot.routing.vocabulary import Vocabulary, Words

#: It never moves an area's sum further: several strong rules that agree can't be talked away.
MAX_POINTS = 3.0
#: Points that are enough on their own.
STRONG = 3
#: More than these make no difference.
MOST_SUM, MOST_LINES, MOST_CHANGED, MOST_IN_PLACE = 9, 40, 300, 60
#: The share of lines that are evidence which counts as neither much nor little, and the least.
USUAL_SHARE, LEAST_SHARE = 0.1, 0.002
#: Points between doubtful and sure, where a policy sets them closer.
LEAST_GAP = 1.0
#: A name for each feature, in the order of the weights.
FEATURES = ("points", "strong", "lines", "share", "size", "placed", "in_place", "titled")
#: How many known words of a kind a change is taken to have at least: the weights of all are
#: divided by the root of their number, so that long changes say no more than short ones.
FEWEST = {"changed": 9, "title": 3, "path": 3}
#: Fewer known words that speak for an area make nothing of it doubtful.
LEAST_WORDS = 4
#: The most that all words together say, as the logarithm of odds.
MOST_SAID = 2.0
#: Words that a reason names.
MOST_NAMED = 3


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


class Said(NamedTuple):
    """What one word says: for the area above 0."""

    word: str
    weight: float


@dataclass(frozen=True)
class AreaModel:
    """A logistic model: how likely a change with this spread is of the area."""

    least: float
    """A sum of points below it makes nothing sure: hints as weak as that are in doubt together."""
    bias: float
    weights: tuple[float, ...]
    words: Mapping[str, Mapping[str, float]]
    """Weights of words by where they stand: a field of `Words`."""

    def logit(self, spread: Spread) -> float:
        """The logarithm of the odds that a change with this spread is of the area."""
        pairs = zip(self.weights, features(spread), strict=True)
        return self.bias + sum([weight * value for weight, value in pairs])

    def said(self, words: Words) -> list[Said]:
        """What each known word of a change says, for the area or against it."""
        out = []
        for kind, fewest in FEWEST.items():
            weights = self.words[kind]
            known = weights.keys() & getattr(words, kind)
            share = max(len(known), fewest) ** -0.5
            out += [Said(word, weights[word] * share) for word in known]
        return out

    def loudest(self, words: Words, points: float) -> tuple[str, ...]:
        """The words that speak most for these points, or against: the loudest first."""
        total: defaultdict[str, float] = defaultdict(float)
        for word, weight in sorted(self.said(words)):
            total[word] += weight
        told = [(word, weight) for word, weight in total.items() if weight * points > 0]
        told.sort(key=lambda pair: (-abs(pair[1]), pair[0]))
        return tuple(word for word, _ in told[:MOST_NAMED])


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

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The words that any of the models knows."""
        kinds = [words for model in self.areas.values() for words in model.words.values()]
        return Vocabulary(frozenset(word for words in kinds for word in words))

    def needs_words(self, area: str, spread: Spread) -> bool:
        """Whether words can decide what evidence alone does not."""
        logit = self.areas[area].logit(spread)
        return _logit(self.uncertain) - MOST_SAID <= logit < _logit(self.sure) + MOST_SAID

    def points(
        self, area: str, spread: Spread, words: Words, *, threshold: float, uncertain: float
    ) -> float:
        """What is added to the sum of an area's rules, below 0 where little speaks for it.

        With words beside it, one weak hint on one line, or a title, can make a change doubtful,
        never sure; a few words add nothing to it.
        """
        model = self.areas[area]
        said = model.said(words) if self.needs_words(area, spread) else []
        in_all = fsum([each.weight for each in said])
        logit = model.logit(spread) + max(-MOST_SAID, min(MOST_SAID, in_all))
        at_sure, at_uncertain = _logit(self.sure), _logit(self.uncertain)
        scale = max(threshold - uncertain, LEAST_GAP) / (at_sure - at_uncertain)
        worth = threshold + (logit - at_sure) * scale
        may_be_sure = spread.points >= model.least and (
            spread.lines > 1 or (spread.lines and spread.points >= uncertain)
        )
        most = MAX_POINTS
        if not may_be_sure:  # as far as the doubt, or not at all
            speaking = sum(each.weight > 0 for each in said)
            doubtful = worth >= uncertain and speaking >= LEAST_WORDS
            most = max(0.0, uncertain - spread.points) if doubtful else 0.0
        least = -MAX_POINTS
        if spread.taken_away:  # a check that is gone stays in doubt, whatever stands around it
            least = max(least, min(0.0, uncertain - spread.points))
        return round(max(least, min(most, MAX_POINTS, worth - spread.points)), 1)


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


def in_words(spread: Spread, title: str, points: float, words: Sequence[str]) -> str:
    """The reason for these points, as people read it."""
    side = "for" if points > 0 else "against"
    only = "only " if points < 0 and not spread.more else ""
    place = "some in code named for it" if spread.in_place else "none in code named for it"
    more = " or more" if spread.more else ""
    named = ", as its title does" if spread.titled else ""
    said = f"; words {side} it: {', '.join(words)}" if words else ""
    return (
        f"How evidence of {title.lower()} lies:"
        f" {only}{spread.lines}{more} of {spread.changed} changed lines speak for it,"
        f" {place}{named}{said}"
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
                {
                    kind: {word: float(weight) for word, weight in table["words"][kind].items()}
                    for kind in FEWEST
                },
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
    return log(likelihood / (1 - likelihood))

"""How far a month may lie from the mean: resampling what was replayed."""

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

#: Months that are drawn. Ends of a 90 % interval of so many differ by some percent by chance.
MONTHS = 400
#: Part of the drawn months that lie within the interval.
SHARE = 0.9
#: Most changes drawn for one repository and month; the sum of a busier month is scaled up, which
#: makes its interval a little too wide.
MOST_DRAWN = 2_000
SEED = 20_250_101


class Interval(NamedTuple):
    """Nine of ten months lie within it."""

    low: float
    high: float


class Sample(NamedTuple):
    """What the changes of one repository cost, and how many a month brings."""

    costs: Sequence[Sequence[float]]
    """One row a change; a column for each strategy."""
    per_month: float


def monthly_intervals(samples: Sequence[Sample], *, seed: int = SEED) -> list[Interval]:
    """For each column: within which sums nine of ten months lie.

    Two things are by chance: which changes there were to learn from, and which ones a month
    brings. So each month is drawn from its own resample of the history: a short history gives
    a wide interval. The same seed gives the same figures.
    """
    chance = Random(seed)  # noqa: S311 - no secret is made of it
    columns = max((len(row) for sample in samples for row in sample.costs), default=0)
    months = [
        [
            sum(sums)
            for sums in zip(*(_month(each, columns, chance) for each in samples), strict=True)
        ]
        for _ in range(MONTHS)
    ]
    cut = (1 - SHARE) / 2
    return [_between(sorted(sums), cut) for sums in zip(*months, strict=True)]


def _month(sample: Sample, columns: int, chance: Random) -> list[float]:
    if not sample.costs or sample.per_month <= 0:
        return [0.0] * columns
    drawn = min(max(round(sample.per_month), 1), MOST_DRAWN)
    size = len(sample.costs)
    history: dict[int, int] = {}
    rows = []
    for place in chance.choices(range(size), k=drawn):
        # the resampled history, made only where it is looked at
        if place not in history:
            history[place] = chance.randrange(size)
        rows.append(sample.costs[history[place]])
    scale = sample.per_month / drawn
    return [sum(column) * scale for column in zip(*rows, strict=True)]


def _between(ordered: Sequence[float], cut: float) -> Interval:
    last = len(ordered) - 1
    return Interval(ordered[round(last * cut)], ordered[round(last * (1 - cut))])

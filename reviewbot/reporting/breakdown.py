"""A window's money, reviews and failures by what they belong to."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from reviewbot.reporting.ratio import Ratio
from reviewbot.reporting.spending import total
from reviewbot.reporting.sums import ZERO, CallSum, Latency, PullSum, Sums, percentile
from reviewbot.review.engine import Outcome

#: Outcomes where a model has said something, whatever it was.
_SPOKEN = frozenset({Outcome.ANSWERED, Outcome.TRUNCATED, Outcome.MALFORMED, Outcome.REFUSED})
#: A change without a flagged area.
NO_AREA = "no area"
#: Pull requests that are named as the dearest.
DEAREST = 5


class ModelLine(NamedTuple):
    """One engine and model."""

    engine: str
    model: str
    calls: int
    prompt: int
    """Tokens in, cached or not."""
    output: int
    cache: Ratio
    """Prompt tokens that came from a cache."""
    cached_calls: Ratio
    usd: Decimal
    energy_usd: Decimal
    amortisation_usd: Decimal
    malformed: Ratio
    """Of what it said, that was not of the asked form."""
    refused: Ratio
    retries: Ratio
    latency: Latency | None
    estimated: int
    """Calls whose tokens are estimates."""

    @property
    def spent_usd(self) -> Decimal:
        return self.usd + self.energy_usd + self.amortisation_usd


class ShareLine(NamedTuple):
    """A tier's or an area's part."""

    name: str
    reviews: Ratio
    calls: int
    usd: Decimal


class RepositoryLine(NamedTuple):
    """One repository's part."""

    name: str
    pulls: int
    calls: int
    usd: Decimal


class DayLine(NamedTuple):
    """USD of one day's calls."""

    day: str
    claude_usd: Decimal
    other_usd: Decimal
    local_usd: Decimal
    """Power and busy hardware."""

    @property
    def usd(self) -> Decimal:
        return self.claude_usd + self.other_usd + self.local_usd


@dataclass(frozen=True)
class PullCosts:
    """What pull requests cost, without idle hardware."""

    pulls: int
    mean_usd: Decimal | None
    """None where there is no pull request."""
    p50_usd: Decimal | None
    p95_usd: Decimal | None
    dearest: tuple[PullSum, ...]
    titles: Mapping[tuple[str, int], str]


@dataclass(frozen=True)
class Failures:
    """What went wrong with calls."""

    malformed: Ratio
    refused: Ratio
    taken_over: Ratio
    """Refused questions that another model was asked."""
    retries: Ratio
    truncated: Ratio
    unknown: Ratio
    """Calls that may have been billed and nothing says how much."""
    outcomes: tuple[tuple[str, Ratio], ...]


def models_of(sums: Sums) -> tuple[ModelLine, ...]:
    """By engine and model, the dearest first."""
    found: dict[tuple[str, str], list[CallSum]] = {}
    for call in sums.calls:
        found.setdefault((call.engine, call.model), []).append(call)
    took = {(each.engine, each.model): each for each in sums.latencies}
    lines = [_model(*whose, calls, took.get(whose)) for whose, calls in found.items()]
    return tuple(sorted(lines, key=lambda line: (-line.spent_usd, line.engine, line.model)))


def _model(engine: str, model: str, calls: Sequence[CallSum], latency: Latency | None) -> ModelLine:
    count = sum(call.calls for call in calls)
    prompt = sum(call.prompt for call in calls)
    return ModelLine(
        engine=engine,
        model=model,
        calls=count,
        prompt=prompt,
        output=sum(call.output for call in calls),
        cache=Ratio(sum(call.cache_read for call in calls), prompt),
        cached_calls=Ratio(sum(call.cached for call in calls), sum(call.counted for call in calls)),
        usd=total(calls, lambda call: call.usd),
        energy_usd=total(calls, lambda call: call.energy_usd),
        amortisation_usd=total(calls, lambda call: call.amortisation_usd),
        malformed=_of_spoken(calls, Outcome.MALFORMED),
        refused=_of_spoken(calls, Outcome.REFUSED),
        retries=Ratio(sum(call.retries for call in calls), count),
        latency=latency,
        estimated=sum(call.estimated for call in calls),
    )


def _of_spoken(calls: Iterable[CallSum], outcome: Outcome) -> Ratio:
    spoken = [call for call in calls if call.outcome in _SPOKEN]
    return Ratio(
        sum(call.calls for call in spoken if call.outcome == outcome),
        sum(call.calls for call in spoken),
    )


def shares_of(
    sums: Sums, reviews: int, names: Callable[[str, tuple[str, ...]], tuple[str, ...]]
) -> tuple[ShareLine, ...]:
    """Reviews and money by what a review's route says; one review can have several areas."""
    counted: dict[str, int] = {}
    for review in sums.reviews:
        for name in names(review.tier, review.areas):
            counted[name] = counted.get(name, 0) + review.reviews
    spent: dict[str, list[CallSum]] = {name: [] for name in counted}
    for call in sums.calls:
        for name in names(call.tier, call.areas) if call.tier is not None else ():
            spent.setdefault(name, []).append(call)
    lines = [
        ShareLine(
            name,
            Ratio(counted.get(name, 0), reviews),
            sum(call.calls for call in calls),
            total(calls, lambda call: call.spent_usd),
        )
        for name, calls in spent.items()
    ]
    return tuple(sorted(lines, key=lambda line: (-line.reviews.part, line.name)))


def days_of(sums: Sums) -> tuple[DayLine, ...]:
    """Money by day; days without calls are left out."""
    found: dict[str, list[CallSum]] = {}
    for call in sums.calls:
        found.setdefault(call.day, []).append(call)
    return tuple(
        DayLine(
            day,
            total(calls, lambda call: call.usd if call.is_claude else ZERO),
            total(calls, lambda call: ZERO if call.is_claude else call.usd),
            total(calls, lambda call: call.energy_usd + call.amortisation_usd),
        )
        for day, calls in sorted(found.items())
    )


def repositories_of(sums: Sums) -> tuple[RepositoryLine, ...]:
    """By repository, the dearest first; what was reviewed at a terminal may have no name."""
    pulls: dict[str, set[int]] = {}
    for repository, number in _pulls_with_costs(sums):
        pulls.setdefault(repository, set()).add(number)
    spent: dict[str, list[PullSum]] = {name: [] for name in pulls}
    for pull in sums.pulls:
        spent.setdefault(pull.repository, []).append(pull)
    lines = [
        RepositoryLine(
            name,
            len(pulls.get(name, ())),
            sum(pull.calls for pull in found),
            sum((pull.usd for pull in found), ZERO),
        )
        for name, found in spent.items()
    ]
    return tuple(sorted(lines, key=lambda line: (-line.usd, line.name)))


def _pulls_with_costs(sums: Sums) -> dict[tuple[str, int], Decimal]:
    """Every pull request that was read or asked about → USD; nothing for one without a call."""
    found = dict.fromkeys(sums.read_pulls, ZERO)
    for pull in sums.pulls:
        if pull.number is not None:
            found[pull.repository, pull.number] = pull.usd
    return found


def pull_costs_of(sums: Sums) -> PullCosts:
    costs = sorted(_pulls_with_costs(sums).values())
    dearest = [pull for pull in sums.pulls if pull.number is not None and pull.usd]
    return PullCosts(
        pulls=len(costs),
        mean_usd=sum(costs, ZERO) / len(costs) if costs else None,
        p50_usd=percentile(costs, 50) if costs else None,
        p95_usd=percentile(costs, 95) if costs else None,
        dearest=tuple(dearest[:DEAREST]),
        titles=sums.titles,
    )


def failures_of(sums: Sums) -> Failures:
    calls = sum(each.calls for each in sums.calls)
    outcomes: dict[str, int] = {}
    for each in sums.calls:
        outcomes[each.outcome] = outcomes.get(each.outcome, 0) + each.calls
    ranked = sorted(outcomes.items(), key=lambda item: (-item[1], item[0]))
    return Failures(
        malformed=_of_spoken(sums.calls, Outcome.MALFORMED),
        refused=_of_spoken(sums.calls, Outcome.REFUSED),
        taken_over=Ratio(sums.refusals.taken_over, sums.refusals.questions),
        retries=Ratio(sum(each.retries for each in sums.calls), calls),
        truncated=_of_spoken(sums.calls, Outcome.TRUNCATED),
        unknown=Ratio(sum(each.unknown for each in sums.calls), calls),
        outcomes=tuple((name, Ratio(count, calls)) for name, count in ranked),
    )

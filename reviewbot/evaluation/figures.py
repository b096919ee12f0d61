"""From results and a judge to figures: how much is found, how much of it is wanted, and what it cost.

What matches no remark is called unmatched, not false: what people remarked on is never all there is.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from random import Random
from typing import NamedTuple

from reviewbot.evaluation.corpus import Case
from reviewbot.evaluation.judges import Judge, Pairs
from reviewbot.evaluation.said import Result
from reviewbot.review.answer import Severity

#: Resamples of the pull requests for an interval, and the part of them within it.
RESAMPLES, SHARE = 1_000, 0.95
SEED = 20_250_101
#: A remark's severity where people gave none.
UNRATED = "not rated"


@dataclass(frozen=True)
class Tally:
    """Counts of one review, or of many added up."""

    findings: int = 0
    matched: int = 0
    """Findings that are a remark of people: each remark counts once."""
    golden: int = 0
    """Remarks of people."""
    rejected: int = 0
    """Findings that are a remark which people rejected."""
    repeated: int = 0
    """Findings that say a remark which another finding has said already."""
    anchored: int = 0
    mended: int = 0
    """Findings with a change to take over, which applies."""

    def __add__(self, other: object) -> "Tally":
        if not isinstance(other, Tally):
            return NotImplemented
        return Tally(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def precision(self) -> float | None:
        """Share of the findings that are remarks of people; None without findings."""
        return self.matched / self.findings if self.findings else None

    @property
    def recall(self) -> float | None:
        """Share of the remarks that were found; None without remarks."""
        return self.matched / self.golden if self.golden else None

    def f(self, beta: float) -> float | None:
        """F-score: below 1 precision counts for more. None where neither means anything."""
        whole = self.findings + beta * beta * self.golden
        return (1 + beta * beta) * self.matched / whole if whole else None


class Interval(NamedTuple):
    """Where the figure lies in 95 of 100 resamples of the pull requests."""

    low: float
    high: float


class Measured(NamedTuple):
    """A figure and how far it may be by chance; None where it means nothing."""

    value: float | None
    interval: Interval | None


class Group(NamedTuple):
    """The figures of a part of the findings, of the remarks, or of the reviews."""

    tally: Tally
    measured: Mapping[str, Measured]
    """Those that mean something of such a part."""


@dataclass(frozen=True)
class Figures:
    """One strategy under one judge."""

    strategy: str
    judge: str
    cases: int
    repeats: int
    tally: Tally
    measured: Mapping[str, Measured]
    """`precision`, `recall`, `f1`, `f0.5`."""
    by_severity: Mapping[str, Group]
    """By the finding's severity: its precision; `golden` is 0."""
    by_remark: Mapping[str, Group]
    """By the severity that people gave their remark (`UNRATED`: none): its recall; `findings` is 0."""
    by_area: Mapping[str, Group]
    by_tier: Mapping[str, Group]
    clean_cases: int
    """Reviews of pull requests on which nobody remarked."""
    findings_on_clean: int
    failed: int
    incomplete: int
    """Reviews of which a part was not read, failed ones included."""
    answers: int
    unreadable: int
    tokens_input: int
    tokens_output: int
    usd: Decimal
    external_usd: Decimal
    seconds: Sequence[float]
    """Of each review, in order."""

    @property
    def reviews(self) -> int:
        return len(self.seconds)

    @property
    def usd_per_pull(self) -> Decimal:
        return self.usd / self.reviews if self.reviews else Decimal(0)

    @property
    def usd_per_match(self) -> Decimal | None:
        """USD for each matched finding; None where nothing matched."""
        return self.usd / self.tally.matched if self.tally.matched else None

    def percentile(self, share: float) -> float:
        """Seconds that this share of the reviews took at most (nearest rank)."""
        ordered = sorted(self.seconds)
        return ordered[max(round(share * len(ordered) + 0.5) - 1, 0)] if ordered else 0.0


def matched(pairs: Pairs) -> dict[int, int]:
    """Finding → remark, one to one: the surest pairs first, then in their order."""
    found: dict[int, int] = {}
    taken: set[int] = set()
    for (i, j), _ in sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0])):
        if i not in found and j not in taken:
            found[i] = j
            taken.add(j)
    return found


class _Scored(NamedTuple):
    """One review, judged."""

    result: Result
    whole: Tally
    by_severity: Mapping[str, Tally]
    by_remark: Mapping[str, Tally]
    has_golden: bool


def _score(case: Case, result: Result, judge: Judge) -> _Scored:
    right = judge.pairs(case, result, case.golden)
    wrong = judge.pairs(case, result, case.rejected) if case.rejected else {}
    hit = matched(right)
    like_right = {i for i, _ in right}
    like_wrong = {i for i, _ in wrong} - like_right
    severities: dict[str, Tally] = {}
    for index, said in enumerate(result.findings):
        one = Tally(
            findings=1,
            matched=int(index in hit),
            rejected=int(index in like_wrong),
            repeated=int(index in like_right and index not in hit),
            anchored=int(said.anchored),
            mended=int(said.mended),
        )
        severities[said.severity] = severities.get(said.severity, Tally()) + one
    whole = sum(severities.values(), Tally(golden=len(case.golden)))
    remarks: dict[str, Tally] = {}
    for index, remark in enumerate(case.golden):
        rated = (remark.severity or UNRATED).strip().lower()
        one = Tally(golden=1, matched=int(index in hit.values()))
        remarks[rated] = remarks.get(rated, Tally()) + one
    return _Scored(result, whole, severities, remarks, bool(case.golden))


def figures_of(
    strategy: str, cases: Mapping[str, Case], results: Sequence[Result], judge: Judge
) -> Figures:
    """What a strategy came to. `results` may hold other strategies' too."""
    ours = [each for each in results if each.strategy == strategy and each.case in cases]
    scored = [_score(cases[result.case], result, judge) for result in ours]
    whole = sum((each.whole for each in scored), Tally())
    clean = [each for each in scored if not each.has_golden]
    return Figures(
        strategy=strategy,
        judge=judge.name,
        cases=len({each.case for each in ours}),
        repeats=len({each.repeat for each in ours}),
        tally=whole,
        measured=_measured(_by_case(scored, lambda each: {"": each.whole})[""], _MEASURES),
        by_severity=_groups(scored, lambda each: each.by_severity, ("precision",)),
        by_remark=_groups(scored, lambda each: each.by_remark, ("recall",)),
        by_area=_groups(
            scored, lambda each: dict.fromkeys(each.result.areas or ("none",), each.whole)
        ),
        by_tier=_groups(scored, lambda each: {each.result.tier or "failed": each.whole}),
        clean_cases=len(clean),
        findings_on_clean=sum(each.whole.findings for each in clean),
        failed=sum(each.failed for each in ours),
        incomplete=sum(not each.complete for each in ours),
        answers=sum(each.answers for each in ours),
        unreadable=sum(each.unreadable for each in ours),
        tokens_input=sum(each.tokens_input for each in ours),
        tokens_output=sum(each.tokens_output for each in ours),
        usd=sum((each.usd for each in ours), Decimal(0)),
        external_usd=sum((each.external_usd for each in ours), Decimal(0)),
        seconds=[each.seconds for each in ours],
    )


_MEASURES: Mapping[str, Callable[[Tally], float | None]] = {
    "precision": lambda tally: tally.precision,
    "recall": lambda tally: tally.recall,
    "f1": lambda tally: tally.f(1.0),
    "f0.5": lambda tally: tally.f(0.5),
}


#: A review → its tally in each group that it belongs to.
_Grouping = Callable[[_Scored], Mapping[str, Tally]]


def _by_case(scored: Sequence[_Scored], grouping: _Grouping) -> dict[str, list[Tally]]:
    """Group → a tally for each pull request, with all its repeats."""
    places = {case: at for at, case in enumerate(dict.fromkeys(e.result.case for e in scored))}
    found: dict[str, list[Tally]] = {}
    for each in scored:
        for name, tally in grouping(each).items():
            rows = found.setdefault(name, [Tally()] * len(places))
            rows[places[each.result.case]] += tally
    return found or {"": []}


def _groups(
    scored: Sequence[_Scored], grouping: _Grouping, measures: Iterable[str] = _MEASURES
) -> dict[str, Group]:
    found = {name: rows for name, rows in _by_case(scored, grouping).items() if name}
    return {
        name: Group(sum(found[name], Tally()), _measured(found[name], measures))
        for name in sorted(found, key=group_rank)
    }


def group_rank(name: str) -> tuple[int, str]:
    """Orders groups: severities from the worst on, other names by the alphabet."""
    ranks = {severity.value: severity.rank for severity in Severity}
    return ranks.get(name, len(ranks)), name


def _measured(by_case: Sequence[Tally], measures: Iterable[str]) -> dict[str, Measured]:
    """Each figure with its interval: pull requests are drawn, with all their repeats."""
    whole = sum(by_case, Tally())
    rows = [(each.findings, each.matched, each.golden) for each in by_case]
    chance, drawn = Random(SEED), []  # noqa: S311 - no secret is made of it
    for _ in range(RESAMPLES if len(rows) > 1 else 0):
        columns = zip(*chance.choices(rows, k=len(rows)), strict=True)
        findings, hits, golden = (sum(column) for column in columns)
        drawn.append(Tally(findings=findings, matched=hits, golden=golden))
    return {
        name: Measured(measure(whole), _interval([measure(each) for each in drawn]))
        for name in measures
        for measure in [_MEASURES[name]]
    }


def _interval(values: Iterable[float | None]) -> Interval | None:
    ordered = sorted(value for value in values if value is not None)
    if not ordered:
        return None
    last, cut = len(ordered) - 1, (1 - SHARE) / 2
    return Interval(ordered[round(last * cut)], ordered[round(last * (1 - cut))])

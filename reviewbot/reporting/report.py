"""The monthly report as figures; pages and data are made of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple

from reviewbot.costs.budget import NOTED_SHARE
from reviewbot.publishing.feedback import PostedFinding
from reviewbot.reporting.acceptance import Acceptance, Judged, acceptance_by, acceptance_of, judged
from reviewbot.reporting.against_forecast import Expected
from reviewbot.reporting.breakdown import (
    NO_AREA,
    DayLine,
    Failures,
    ModelLine,
    PullCosts,
    RepositoryLine,
    ShareLine,
    days_of,
    failures_of,
    models_of,
    pull_costs_of,
    repositories_of,
    shares_of,
)
from reviewbot.reporting.counterfactuals import Basis, Counterfactuals, counterfactuals
from reviewbot.reporting.ratio import Ratio
from reviewbot.reporting.regret import RegretFigures, Sampled, regret_figures
from reviewbot.reporting.spending import Spending, spending_of
from reviewbot.reporting.strategies import StrategyLine, strategies_of
from reviewbot.reporting.sums import ZERO, ReviewSum, Sums
from reviewbot.reporting.window import Window

BudgetWord = Literal["open", "nearly used up", "exhausted"]


@dataclass(frozen=True)
class BudgetState:
    """How much of a budget is used."""

    name: str
    """Whose: `all repositories`, `acme/shop` …"""
    cap_usd: Decimal
    used_usd: Decimal
    """Settled and reserved in the budget's own month."""
    refused: int = 0
    """Calls that did not fit under the cap."""
    repository: str = ""
    """Empty for all together."""

    @property
    def used(self) -> Ratio:
        return Ratio(self.used_usd, self.cap_usd)

    @property
    def state(self) -> BudgetWord:
        """A budget is exhausted once it is used up, or a call did not fit under it."""
        if self.refused or self.used_usd >= self.cap_usd:
            return "exhausted"
        return "nearly used up" if self.used_usd >= NOTED_SHARE * self.cap_usd else "open"


class Totals(NamedTuple):
    """A window in a few figures, to stand beside another's."""

    window: Window
    pulls: int
    reviews: int
    calls: int
    claude: Ratio
    """Reviews that went to Claude."""
    spending: Spending
    all_claude_usd: Decimal
    """Of complete reviews."""


@dataclass(frozen=True)
class Report:
    """Everything that is told of a window."""

    window: Window
    repository: str | None
    now: Totals
    before: Totals
    held: int
    """Pull requests that wait as a whole, since a budget was used up."""
    routed_only: int
    """Pull requests that were only routed."""
    incomplete: Ratio
    findings: int
    """Of all reviews; one that a later review shows again counts again."""
    overrides: Ratio
    """Reviews for which a person's command changed the tier."""
    scripted: Ratio
    """Calls answered by hand-written text."""
    models: tuple[ModelLine, ...]
    tiers: tuple[ShareLine, ...]
    areas: tuple[ShareLine, ...]
    repositories: tuple[RepositoryLine, ...]
    days: tuple[DayLine, ...]
    pull_costs: PullCosts
    failures: Failures
    counterfactuals: Counterfactuals
    basis: Basis
    sums: Sums
    acceptance: Acceptance
    acceptance_by: Mapping[str, Mapping[str, Acceptance]]
    """`engine`, `model`, `route`, `area` → name → what became of its findings."""
    strategies: tuple[StrategyLine, ...] = ()
    """What Claude's reviews by itself and with drafts cost and brought; empty without drafts."""
    budgets: tuple[BudgetState, ...] = ()
    sampled: RegretFigures | None = None
    """Local reviews that Claude read as well; None where it read none."""
    expected: Expected | None = None
    """What a saved forecast said."""
    missing: tuple[str, ...] = ()
    """What it is made of and lacks, where that is not a ledger."""

    @property
    def is_empty(self) -> bool:
        """Nothing was reviewed and nothing was asked."""
        return not self.sums.calls and not self.sums.reviews

    @property
    def spending(self) -> Spending:
        return self.now.spending

    @property
    def per_finding_usd(self) -> Decimal | None:
        """Without idle hardware; None where nothing was found."""
        return self.spending.calls_usd / self.findings if self.findings else None

    @property
    def per_accepted_usd(self) -> Decimal | None:
        """Likewise."""
        accepted = self.acceptance.accepted
        return self.spending.calls_usd / accepted if accepted else None


def build_report(
    sums: Sums,
    before: Sums,
    basis: Basis,
    window: Window,
    earlier: Window,
    *,
    repository: str | None = None,
    posted: Sequence[PostedFinding] = (),
    budgets: Iterable[BudgetState] = (),
    sampled: Sequence[Sampled] = (),
    expected: Expected | None = None,
    missing: tuple[str, ...] = (),
) -> Report:
    """The report of `window`; `before` are the sums of the `earlier` one, `posted` what was
    published in it with people's feedback, `sampled` its local reviews that Claude read as well."""
    reviews = sum(each.reviews for each in sums.reviews)
    read = [each for each in sums.reviews if each.read]
    calls = sum(each.calls for each in sums.calls)
    found = judged(posted)
    return Report(
        window=window,
        repository=repository,
        now=totals_of(sums, basis, window),
        before=totals_of(before, basis, earlier),
        held=sums.held_pulls,
        routed_only=sums.routed_pulls,
        incomplete=_of_reviews(read, [r for r in read if not r.complete]),
        findings=sum(each.findings for each in sums.reviews),
        overrides=_of_reviews(sums.reviews, [r for r in sums.reviews if r.overridden]),
        scripted=Ratio(sum(each.scripted for each in sums.calls), calls),
        models=models_of(sums),
        tiers=shares_of(sums, reviews, lambda tier, _: (tier,)),
        areas=shares_of(sums, reviews, lambda _, areas: areas or (NO_AREA,)),
        repositories=repositories_of(sums),
        days=days_of(sums),
        pull_costs=pull_costs_of(sums),
        failures=failures_of(sums),
        counterfactuals=counterfactuals(sums, basis, window),
        basis=basis,
        sums=sums,
        acceptance=acceptance_of(found),
        acceptance_by=_acceptances(found),
        strategies=strategies_of(sums, found),
        budgets=tuple(budgets),
        sampled=regret_figures(sampled) if sampled else None,
        expected=expected,
        missing=missing,
    )


def _of_reviews(reviews: Iterable[ReviewSum], some: Iterable[ReviewSum]) -> Ratio:
    return Ratio(sum(each.reviews for each in some), sum(each.reviews for each in reviews))


def _acceptances(found: Sequence[Judged]) -> dict[str, dict[str, Acceptance]]:
    return {
        "engine": acceptance_by(found, lambda each: (each.engine,)),
        "model": acceptance_by(found, lambda each: (each.model,) if each.model else ()),
        "route": acceptance_by(found, lambda each: (each.tier,)),
        "area": acceptance_by(found, lambda each: each.areas or (NO_AREA,)),
    }


def totals_of(sums: Sums, basis: Basis, window: Window) -> Totals:
    """A window's few figures."""
    reviews = sum(each.reviews for each in sums.reviews)
    return Totals(
        window=window,
        pulls=len(sums.read_pulls),
        reviews=reviews,
        calls=sum(each.calls for each in sums.calls),
        claude=Ratio(sum(r.reviews for r in sums.reviews if r.tier == "claude"), reviews),
        spending=spending_of(sums, basis.rates, window),
        all_claude_usd=sum((r.all_claude_usd for r in sums.reviews if r.complete), ZERO),
    )

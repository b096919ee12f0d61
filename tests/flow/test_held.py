"""A review that has begun when the money runs out: what was paid for is shown, the rest waits."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from flow.test_left_alone import FETCHED, SETUP, Steps

from reviewbot.config.policy import Policy, load_policy
from reviewbot.costs.budget import Payer, Spending
from reviewbot.pipeline import review_change
from reviewbot.publishing.figures import verdict
from reviewbot.publishing.result import Review
from reviewbot.reading import Asked
from reviewbot.review.engine import Ask, Outcome, Reply

ALL_TO_CLAUDE = "route: {always_claude: ['**']}\n"
LIMIT = "acme/shop may spend $20.00 a month"


@dataclass
class Overtaken(Steps):
    """Others spend the money between the look at the budget and the question."""

    looked: int = 0

    def too_dear(self, asks: Sequence[Ask]) -> str:
        self.looked += len(asks)
        return ""

    def ask(self, asks: Sequence[Ask]) -> list[Asked]:
        self.asked += [ask.role for ask in asks]
        reply = Reply(Outcome.OVER_BUDGET, "opus", 0.0, detail=LIMIT, sends=0)
        return [Asked(reply, (), 0) for _ in asks]

    def spending(self, payer: Payer, budget: object) -> Spending:
        return Spending(())


def reviewed(policy: Policy, steps: Steps) -> Review:
    setup = replace(SETUP, policy=policy)
    return review_change(steps, setup, review_id="r", now=datetime(2026, 11, 21, tzinfo=UTC))


def test_with_hold_nobody_else_reads_what_was_not_paid_for() -> None:
    steps = Overtaken(FETCHED, "")

    review = reviewed(load_policy(ALL_TO_CLAUDE + "budget: {when_exhausted: hold}\n"), steps)

    assert (steps.looked, steps.asked) == (1, ["claude"])
    assert review.held == LIMIT
    assert review.attention[0].startswith(f"HELD: budget used up ({LIMIT})")
    assert verdict(review) == "HELD: budget used up"
    assert not review.complete


def test_with_local_the_budget_is_not_looked_at_before() -> None:
    steps = Overtaken(FETCHED, "")

    review = reviewed(load_policy(ALL_TO_CLAUDE), steps)

    assert (steps.looked, steps.asked) == (0, ["claude", "local"])
    assert review.held == ""
    assert review.attention[0].startswith("NOT REVIEWED (1 risky): shop/pages.py: risky, budget")

"""Automatic reviews of changes in doubt: nobody is asked about what is not reviewed anyway."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from reviewbot.change.model import Change, Sources
from reviewbot.change.parse import parse_diff
from reviewbot.change.source import Fetched
from reviewbot.config.policy import Budget, load_policy
from reviewbot.costs.budget import Payer, Spending
from reviewbot.costs.prices import PriceBook
from reviewbot.pipeline import Setup, review_change
from reviewbot.publishing.result import Review
from reviewbot.publishing.rounds import Earlier
from reviewbot.reading import Asked
from reviewbot.review.engine import (
    Ask,
    Counted,
    EngineFacts,
    Lineup,
    Outcome,
    Prompt,
    Reply,
    Role,
)
from reviewbot.review.evidence import Analysis
from reviewbot.routing.rules import shipped_rules

DIFF = """\
diff --git a/shop/pages.py b/shop/pages.py
--- a/shop/pages.py
+++ b/shop/pages.py
@@ -1,2 +1,2 @@
 def pages(total, size):
-    return -(-total // size)
+    return total // size
"""
DOUBT = """\
route:
  uncertain: ask
  rules:
    - {id: shop.pages, area: pages, why: Counts pages, weight: 2, added: ['total']}
"""
LOCAL = EngineFacts("llama", "qwen", False, None, 16_000)
CLAUDE = EngineFacts("claude", "claude-opus-5-5", True, "anthropic", 200_000)
SETUP = Setup(
    rules=shipped_rules(),
    policy=load_policy(DOUBT),
    lineup=Lineup({"local": LOCAL, "claude": CLAUDE}),
    prices=PriceBook(),
    claude_model="claude-opus-5-5",
    claude_context_tokens=200_000,
    local_context_tokens=16_000,
    automatic=True,
)
FETCHED = Fetched(parse_diff(DIFF))


@dataclass
class Steps:
    """A world of one change, in which every question gets one answer."""

    fetched: Fetched
    says: str
    asked: list[str] = field(default_factory=list)

    def earlier(self) -> Earlier:
        return Earlier()

    def fetch(self, also: Collection[str]) -> Fetched:
        return self.fetched

    def analyze(
        self, change: Change, sources: Sources, *, skip: Collection[str], sql_dialect: str
    ) -> Analysis:
        return Analysis()

    def count(self, role: Role, prompt: Prompt, texts: Sequence[str]) -> Counted | None:
        raise AssertionError("no engine here counts")

    def ask(self, asks: Sequence[Ask]) -> list[Asked]:
        self.asked += [ask.purpose for ask in asks]
        return [Asked(Reply(Outcome.ANSWERED, "qwen", 0.1, text=self.says), (), 1) for _ in asks]

    def too_dear(self, asks: Sequence[Ask]) -> str:
        return ""

    def spending(self, payer: Payer, budget: Budget) -> Spending:
        return Spending(())

    def record(self, review: Review) -> None: ...

    def publish(self, review: Review) -> None: ...


@pytest.mark.parametrize(
    ("fetched", "says", "asked", "alone"),
    [
        (Fetched(FETCHED.change, draft=True), "no", [], True),
        (Fetched(FETCHED.change, author="renovate[bot]"), "no", ["route"], True),
        (Fetched(FETCHED.change, author="renovate[bot]"), "yes", ["route", "review"], False),
        (FETCHED, "no", ["route", "review"], False),
    ],
)
def test_who_is_asked_about_an_automatic_review(
    fetched: Fetched, says: str, asked: list[str], alone: bool
) -> None:
    answers = {
        "yes": '{"risky": true, "area": "pages", "why": "It counts."}',
        "no": '{"risky": false, "area": "none", "why": "It counts."}',
    }
    steps = Steps(fetched, answers[says])

    review = review_change(steps, SETUP, review_id="r", now=datetime(2026, 11, 21, tzinfo=UTC))

    assert steps.asked == asked
    assert bool(review.left_alone) == alone

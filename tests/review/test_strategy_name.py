"""What a way to review is called: by what was really done, in the words of `reviewbot eval`."""

import pytest

from reviewbot.config.policy import load_policy
from reviewbot.evaluation.strategies import strategy_of
from reviewbot.review.engine import EngineFacts, Lineup
from reviewbot.review.strategy import strategy_name
from reviewbot.routing.model import Tier

CLAUDE = EngineFacts("claude", "claude-opus-5-5", True, "anthropic", 200_000)
LOCAL = EngineFacts("openai", "qwen", False, None, 16_384)
BOTH = Lineup({"claude": CLAUDE, "local": LOCAL})

ALL = """\
strategy: refine
escalate: {max_per_pr: 3}
review: {passes: 3, verify: true, checklists: true, fixes: true, context: diff}
"""


@pytest.mark.parametrize(
    ("tier", "policy", "lineup", "name"),
    [
        (Tier.LOCAL, "version: 1", BOTH, "local"),
        (Tier.CLAUDE, "version: 1", BOTH, "claude"),
        (Tier.LOCAL, ALL, BOTH, "local+passes3+verify+escalate+checklists+fixes+diff"),
        (Tier.CLAUDE, ALL, BOTH, "claude+refine+checklists+fixes+diff"),
        (Tier.LOCAL, ALL, Lineup({"local": LOCAL}), "local+passes3+verify+checklists+fixes+diff"),
        (Tier.CLAUDE, ALL, Lineup({"claude": CLAUDE}), "claude+checklists+fixes+diff"),
    ],
)
def test_a_name_says_what_was_done(tier: Tier, policy: str, lineup: Lineup, name: str) -> None:
    named = strategy_name(tier, load_policy(policy), lineup)

    assert named == name
    assert len(named) <= 80, "the store's column"
    assert strategy_of(named).name == name, "the evaluation knows it, too"

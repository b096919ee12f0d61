"""What a way to review is called: by what was really done, in the words of `reviewbot eval`."""

import pytest

from reviewbot.config.policy import load_policy
from reviewbot.evaluation.strategies import strategy_of
from reviewbot.review.engine import EngineFacts, Lineup, Role
from reviewbot.review.strategy import strategy_name

CLAUDE = EngineFacts("claude", "claude-opus-5-5", True, "anthropic", 200_000)
LOCAL = EngineFacts("openai", "qwen", False, None, 16_384)
BOTH = Lineup({"claude": CLAUDE, "local": LOCAL})

ALL = """\
strategy: refine
escalate: {max_per_pr: 3}
review: {passes: 3, verify: true, checklists: true, fixes: true, context: diff}
"""


@pytest.mark.parametrize(
    ("readers", "policy", "lineup", "name"),
    [
        (["local"], "version: 1", BOTH, "local"),
        (["claude"], "version: 1", BOTH, "claude"),
        (["low"], "version: 1", Lineup({"claude": CLAUDE, "low": CLAUDE}), "cheap"),
        (["local", "fallback"], "version: 1", BOTH, "claude"),
        (["l:fine"], "version: 1", BOTH, "local"),
        (["local"], ALL, BOTH, "local+passes3+verify+escalate+checklists+fixes+diff"),
        (["local", "claude"], ALL, BOTH, "claude+refine+checklists+fixes+diff"),
        (["local"], ALL, Lineup({"local": LOCAL}), "local+passes3+verify+checklists+fixes+diff"),
        (["c:sonnet"], ALL, Lineup({"claude": CLAUDE}), "claude+checklists+fixes+diff"),
        (["low"], ALL, Lineup({"claude": CLAUDE, "low": CLAUDE}), "cheap+checklists+fixes+diff"),
    ],
)
def test_a_name_says_what_was_done(
    readers: list[Role], policy: str, lineup: Lineup, name: str
) -> None:
    named = strategy_name(readers, load_policy(policy), lineup)

    assert named == name
    assert len(named) <= 80, "the store's column"
    assert strategy_of(named).name == name, "the evaluation knows it, too"


def test_what_nobody_read_has_no_name() -> None:
    assert strategy_name([], load_policy(ALL), BOTH) == ""

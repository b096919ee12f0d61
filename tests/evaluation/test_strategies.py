"""A strategy's name says who reads and what is done besides."""

import pytest

from reviewbot.config.policy import Policy
from reviewbot.errors import UsageError
from reviewbot.evaluation.strategies import BASES, strategies_of, strategy_of
from reviewbot.review.engine import EngineFacts, Lineup
from reviewbot.routing.model import Tier

CLAUDE = EngineFacts("claude", "claude-opus-5-5", True, "anthropic", 200_000)
LOCAL = EngineFacts("openai", "qwen", False, None, 16_384)
LINEUP = Lineup({"claude": CLAUDE, "low": CLAUDE, "local": LOCAL, "fallback": CLAUDE})


@pytest.mark.parametrize("name", BASES)
def test_each_takes_the_engines_it_names(name: str) -> None:
    strategy = strategy_of(name)

    assert set(strategy.lineup(LINEUP).engines) == set(strategy.roles)


def test_what_is_done_besides_is_the_policys() -> None:
    strategy = strategy_of("local+passes3+verify")

    policy = strategy.adjust(Policy())

    assert (policy.review.passes, policy.review.verify) == (3, True)
    assert strategy.tier is Tier.LOCAL
    assert policy.review.max_findings == Policy().review.max_findings


def test_a_doubt_is_asked_about_only_where_rules_decide() -> None:
    asked = strategy_of("routed+ask_claude").adjust(Policy())

    assert asked.route.uncertain == "ask_claude"
    assert strategy_of("routed+ask_ordinary").adjust(Policy()).route.ordinary == "ask"
    with pytest.raises(UsageError, match="ask goes with routed ones"):
        strategy_of("claude+ask")


@pytest.mark.parametrize("name", ["routed-cheap+ask", "routed-cheap+refine", "cheap+refine"])
def test_who_is_asked_besides_does_not_take_the_cheap_models_place(name: str) -> None:
    with pytest.raises(UsageError, match=r"(ask|refine) asks the local model, \S*cheap is without"):
        strategy_of(name)


@pytest.mark.parametrize(
    ("name", "engines", "problem"),
    [
        ("routed+ask", {"claude": CLAUDE}, "there is no local model"),
        ("routed+ask_claude", {"local": LOCAL}, "there is no Claude"),
    ],
)
def test_a_doubt_needs_who_is_asked_about_it(
    name: str, engines: dict[str, EngineFacts], problem: str
) -> None:
    with pytest.raises(UsageError, match=problem):
        strategy_of(name).lineup(Lineup(engines))


def test_routed_by_file_is_the_policys_too() -> None:
    assert strategy_of("routed-file").adjust(Policy()).route.granularity == "file"


@pytest.mark.parametrize("name", ["claude", "local", "routed", "cheap", "routed-cheap"])
def test_a_missing_engine_says_how_to_get_it(name: str) -> None:
    with pytest.raises(UsageError, match=r"ANTHROPIC_API_KEY|model list"):
        strategy_of(name).lineup(Lineup({}))


@pytest.mark.parametrize("names", ["", ",", "nobody", "local+twice", "local+passes9", "local+"])
def test_an_unknown_name_is_refused_with_those_there_are(names: str) -> None:
    with pytest.raises(UsageError, match=r"analyzers|passes2"):
        strategies_of(names)


def test_a_name_given_twice_is_one() -> None:
    assert [each.name for each in strategies_of("local, routed,local")] == ["local", "routed"]

"""Precision and recall, counted by hand."""

import pytest

from reviewbot.routing.model import Match, Tier
from reviewbot.routing.rules import Area
from reviewbot.routing.score import Band, Figures, Labelled, Prediction, report, score


def test_figures_of_flagged_and_of_each_area():
    predictions = {
        "right": Prediction(frozenset({"auth"}), Tier.CLAUDE),
        "wrong area": Prediction(frozenset({"auth"}), Tier.CLAUDE),
        "false alarm": Prediction(frozenset({"auth"}), Tier.CLAUDE),
        "missed": Prediction(frozenset(), Tier.LOCAL),
        "quiet": Prediction(frozenset(), Tier.SKIP),
        "never labelled": Prediction(frozenset({"auth"}), Tier.CLAUDE),
    }
    labels = {
        "right": ["auth"],
        "wrong area": ["payments"],
        "false alarm": [],
        "missed": ["auth", "payments"],
        "quiet": [],
        "never routed": ["auth"],
    }

    result = score(predictions, labels)

    assert result.flagged == Figures(2, 1, 1, 1)
    assert result.areas == {"auth": Figures(1, 2, 1, 1), "payments": Figures(0, 0, 2, 3)}
    assert result.unscored == 1
    assert result.flagged.precision == pytest.approx(2 / 3)
    assert result.flagged.recall == pytest.approx(2 / 3)
    assert result.flagged.f1 == pytest.approx(2 / 3)


def test_figures_that_mean_nothing_are_none_not_zero():
    assert Figures(0, 0, 3, 1).precision is None
    assert Figures(0, 2, 0, 1).recall is None
    assert Figures(0, 0, 0, 9).f1 is None
    assert Figures(0, 1, 1, 0).f1 == 0


def test_a_large_change_sent_to_claude_without_an_area_counts_as_flagged():
    result = score({"a": Prediction(frozenset(), Tier.CLAUDE)}, {"a": ["auth"]})

    assert result.flagged == Figures(1, 0, 0, 0)
    assert result.areas["auth"] == Figures(0, 0, 1, 0)


AREAS = {"auth": Area("auth", "Auth"), "pay": Area("pay", "Pay", threshold=5, uncertain=4)}


def reason(rule: str, area: str, weight: float) -> Match:
    return Match(rule, area, "a.py", 1, "RIGHT", "w", weight)


def test_a_report_keeps_the_ambiguous_apart_and_explains_each_miss():
    fired = (reason("auth.a", "auth", 2), reason("auth.a", "auth", 2), reason("pay.a", "pay", 1))
    predictions = {
        "alarm": Prediction(
            frozenset({"auth"}), Tier.CLAUDE, "uncertain", {"auth": 2, "pay": 1}, fired
        ),
        "missed": Prediction(frozenset(), Tier.LOCAL),
        "right": Prediction(frozenset({"auth"}), Tier.CLAUDE, "sure", {"auth": 3}),
        "unclear": Prediction(frozenset(), Tier.LOCAL),
    }
    labelled = [
        Labelled("missed", frozenset({"pay"}), title="Refund", group="b"),
        Labelled("alarm", frozenset(), group="a"),
        Labelled("right", frozenset({"auth"}), group="a"),
        Labelled("unclear", frozenset({"auth"}), ambiguous=True, group="a"),
    ]

    made = report(predictions, labelled, AREAS)

    assert made.clear.flagged == Figures(1, 1, 1, 0)
    assert made.clear.flagged_share == pytest.approx(2 / 3)
    assert made.ambiguous.flagged == Figures(0, 0, 1, 0)
    assert made.bands == {"sure": Band(1, 1), "uncertain": Band(1, 0), "local": Band(1, 1)}
    assert {name: each.flagged for name, each in made.groups.items()} == {
        "a": Figures(1, 1, 0, 0),
        "b": Figures(0, 0, 1, 0),
    }
    alarm, missed = made.misses
    assert (alarm.problem, alarm.points, alarm.needed, alarm.doubtful) == ("false alarm", 2, 3, 2)
    assert [match.rule for match in alarm.reasons] == ["auth.a"]
    assert (missed.problem, missed.points, missed.needed) == ("missed", 0, 5)
    assert missed.reasons == ()

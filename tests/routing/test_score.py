"""Precision and recall, counted by hand."""

import pytest

from reviewbot.routing.model import Tier
from reviewbot.routing.score import Figures, Prediction, score


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

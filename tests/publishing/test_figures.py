"""Figures in words."""

from dataclasses import replace
from decimal import Decimal

import pytest
from publishing.sample_reviews import scripted_review, shop_review

from reviewbot.costs.summary import CostSummary
from reviewbot.publishing import figures
from reviewbot.publishing.result import Review
from reviewbot.review.finding import Coverage, CoverageStatus
from reviewbot.routing.model import Tier


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "$0"),
        ("0.0413", "$0.0413"),
        ("0.5", "$0.5000"),
        ("0.000096", "$0.000096"),
        ("0.00000012345", "$0.00000012"),
        ("0.00099999", "$0.00100"),
        ("12.345", "$12.35"),
        ("1234.5", "$1,234.50"),
        ("-0.02", "-$0.0200"),
    ],
)
def test_money_shows_the_digits_that_count(amount: str, shown: str) -> None:
    assert figures.usd(Decimal(amount)) == shown


def with_nothing_found(review: Review) -> Review:
    return replace(review, findings=(), dropped={})


def test_nothing_found_is_said_only_of_a_complete_review() -> None:
    clean = with_nothing_found(shop_review())
    warned = replace(clean, attention=("NOT REVIEWED: a.py: rate limited",))
    cut = replace(clean, coverage=(Coverage("a.py", CoverageStatus.PARTIAL, "claude", "cut off"),))

    assert figures.verdict(clean) == "nothing found"
    assert figures.verdict(warned) == "INCOMPLETE: nothing found in what was read"
    assert figures.verdict(cut) == "INCOMPLETE: nothing found in what was read"


def test_where_nothing_was_to_be_read_nothing_is_called_clean() -> None:
    review = with_nothing_found(shop_review())
    skipped = replace(
        review,
        route=replace(review.route, tier=Tier.SKIP),
        coverage=(Coverage("uv.lock", CoverageStatus.SKIPPED, "none", "lockfile"),),
    )

    assert figures.verdict(skipped) == "nothing to review"


def test_the_cost_table_adds_up_and_says_how_energy_is_known() -> None:
    rows = {row.what: row for row in figures.cost_rows(shop_review())}

    assert list(rows) == ["Claude", "Local", "Total", "All Claude"]
    assert rows["Claude"].usd == "$0.0412"
    assert "1,225 J, configured watts × seconds" in rows["Local"].how
    assert rows["All Claude"].usd == "$0.0538 est."
    assert rows["All Claude"].how.endswith("$0.0125 (23 %) saved")


def test_a_route_dearer_than_claude_is_said_to_be() -> None:
    review = shop_review()
    dear = replace(review, cost=replace(review.cost, all_claude_usd=Decimal("0.03")))

    assert figures.cost_rows(dear)[-1].how.endswith("$0.0113 less than this route")


def test_what_a_sampled_comparison_costs_is_not_held_against_the_route() -> None:
    review = shop_review()
    claude, local = review.calls
    again = replace(claude, start=replace(claude.start, purpose="regret"))

    how = figures.cost_rows(replace(review, calls=(again, local)))[-1].how

    assert how.endswith("Claude alone, the sampled comparison apart: $0.0537 (99 %) saved")


def test_hand_written_answers_are_labelled_and_their_money_is_conditional() -> None:
    review = scripted_review()

    assert figures.scripted_line(review).startswith("SCRIPTED")
    assert figures.cost_title(review) == "Cost (SCRIPTED: what it would cost, nothing was paid)"
    assert all(row.usd.endswith("est.") for row in figures.cost_rows(review))
    whole = replace(review, attention=(), coverage=())
    assert figures.cost_rows(whole)[-1].how.endswith("would be saved")


def test_what_was_not_read_as_asked_saves_nothing() -> None:
    review = replace(shop_review(), attention=("NOT REVIEWED: a.py",))

    assert "nothing is saved" in figures.cost_rows(review)[-1].how


def test_one_real_answer_among_hand_written_ones_is_not_called_free() -> None:
    review = scripted_review()
    mixed = replace(review, calls=(replace(review.calls[0], scripted=False), review.calls[1]))

    assert figures.scripted_line(mixed).startswith("PARTLY SCRIPTED")
    assert "nothing was paid" not in figures.cost_title(mixed)


def test_money_that_may_have_been_spent_has_its_own_row() -> None:
    review = replace(shop_review(), cost=CostSummary(unknown_usd=Decimal("0.08"), calls=1))

    assert [row.usd for row in figures.cost_rows(review) if row.what == "At most more"] == [
        "$0.0800"
    ]


def test_without_egress_nothing_left() -> None:
    assert figures.egress_line(replace(shop_review(), egress=())) == "nothing left this machine"

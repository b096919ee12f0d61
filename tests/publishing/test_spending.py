"""The pull request, the month and what is left, as people see it."""

from dataclasses import replace
from decimal import Decimal

from publishing.sample_reviews import (
    ALL,
    MONTH,
    PULL,
    SPENDING,
    held_review,
    scripted_review,
    shop_review,
    with_spending,
)

from reviewbot.config.policy import Policy
from reviewbot.costs.budget import Spending
from reviewbot.costs.summary import summarize
from reviewbot.publishing.check_run import check_run, conclusion
from reviewbot.publishing.result import review_json
from reviewbot.publishing.spending import budget_notes, cost_table, month_rows
from reviewbot.publishing.summary import summary_markdown
from reviewbot.review.engine import Outcome


def test_the_table_goes_from_this_review_to_the_month_to_what_is_left() -> None:
    assert [tuple(row) for row in cost_table(with_spending())[4:]] == [
        (
            "This pull request",
            "$0.0914",
            "4 calls; Claude $0.0912, local $0.00020 (2,450 J); all Claude $0.1038",
        ),
        (
            "This month",
            "$12.81",
            "this repository in 2026-05: 812 calls; Claude $12.25, local $0.3100 (3,100.0 kJ),"
            " other services $0.2500; all Claude $31.05; at most $0.4000 more in calls without a bill",
        ),
        ("Budget left", "$7.10", "of $20.00 a month for this repository: 64 % used"),
    ]


def test_the_tightest_budget_is_the_one_that_is_shown() -> None:
    nearly = replace(ALL, cap_usd=Decimal(431))
    tight = replace(PULL, cap_usd=Decimal("0.1"))

    rows = [month_rows(with_spending(Spending((each, MONTH))))[-1] for each in (nearly, tight)]

    assert [row.how for row in rows] == [
        "of $431.00 a month for all repositories: 99 % used",
        "of $0.10 for this pull request: 91 % used",
    ]


def test_without_any_cap_nothing_is_left_to_show() -> None:
    free = replace(MONTH, cap_usd=None)

    assert [row.what for row in month_rows(with_spending(Spending((PULL, free))))] == ["This month"]


def test_a_review_that_is_in_the_sums_already_is_not_added_again() -> None:
    [row] = [
        r for r in month_rows(with_spending(replace(SPENDING, counted=True))) if "month" in r.what
    ]

    assert "all Claude $31.00" in row.how


def test_a_change_of_no_repository_shows_the_month_of_all() -> None:
    review = with_spending()
    nameless = replace(review, change=replace(review.change, repository=None))

    assert month_rows(nameless)[0].how.startswith("all repositories in 2026-05: 0 calls")


def test_beside_hand_written_answers_no_real_money_is_shown() -> None:
    review = replace(scripted_review(), spending=SPENDING)

    assert [row.what for row in cost_table(review)] == ["Claude", "Local", "Total", "All Claude"]


def test_a_question_that_was_not_put_is_no_call_and_the_row_says_why() -> None:
    review = with_spending()
    [claude, local] = review.calls
    unpaid = replace(claude, outcome=Outcome.OVER_BUDGET, usd=Decimal(0), usage=None)
    calls = (unpaid, local)

    rows = {r.what: r for r in cost_table(replace(review, calls=calls, cost=summarize(calls)))}

    assert rows["Claude"].how == "no call"
    assert rows["Total"].how == "1 call, 1 not made: over budget"
    assert rows["Budget left"].how.endswith("64 % used; too little for the next question")


def test_who_has_used_most_of_a_budget_is_told() -> None:
    spending = Spending((replace(PULL, cap_usd=Decimal("0.1")), MONTH, ALL))

    assert budget_notes(spending, "acme/shop") == [
        "budget: this pull request used 91 % of $0.10",
        "budget: all repositories used 86 % of $500.00 for 2026-05",
    ]


def test_a_held_review_says_so_first_and_its_check_is_neutral() -> None:
    text = summary_markdown(held_review())
    check = check_run(held_review(), Policy(), external_id="x", summary=text)

    assert text.startswith("## reviewbot: HELD: budget used up\n\n> [!WARNING]\n> - HELD")
    assert (check.title, check.conclusion) == ("HELD: budget used up", "neutral")
    assert "too little for the next question" in text


def test_what_was_found_before_a_review_was_held_is_not_lost() -> None:
    partly = replace(held_review(), findings=shop_review().findings)

    text = summary_markdown(partly)

    assert text.startswith("## reviewbot: HELD: budget used up; so far 1 critical, 1 medium, 1 low")
    assert "Refunds are cut down to whole cents" in text
    assert conclusion(partly, Policy()) == "neutral"


def test_json_has_every_account_exactly() -> None:
    data = review_json(with_spending())["spending"]

    assert [account["kind"] for account in data["accounts"]] == ["pull", "repository", "operator"]
    assert data["accounts"][1]["used_usd"] == "12.9"
    assert data["accounts"][1]["left_usd"] == "7.1"
    assert data["accounts"][0]["cap_usd"] is None
    assert Spending.from_json(data) == SPENDING

"""Whose money a call is, what fits under a cap, and how that is told."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from reviewbot.costs.budget import (
    Account,
    Caps,
    Payer,
    Refusal,
    Scope,
    Spending,
    cap_text,
    limit_text,
    noted,
    refused,
    reserve_of,
)
from reviewbot.costs.prices import PriceBook
from reviewbot.review.engine import Prompt

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MONTH = Scope("repository", "22", "2026-11")
ALL = Scope("operator", "", "2026-11")


def account(scope: Scope, cap: str | None = None, **usd: str) -> Account:
    amounts = {f"{name}_usd": Decimal(amount) for name, amount in usd.items()}
    return Account(scope, cap_usd=None if cap is None else Decimal(cap), **amounts)


def test_a_call_is_booked_on_its_pull_request_for_ever_and_on_two_months() -> None:
    assert Payer("acme/shop", 22, 7).scopes(NOW) == (Scope("pull", "22#7", ""), MONTH, ALL)


def test_where_only_a_name_is_known_the_name_counts() -> None:
    assert Payer("acme/shop", None, None).scopes(NOW)[0].name == "acme/shop"
    assert Payer("", None, None).scopes(NOW)[0].name == ""


def test_the_month_is_the_one_in_utc() -> None:
    auckland = datetime(2026, 12, 1, 12, 59, tzinfo=timezone(timedelta(hours=13)))

    assert Payer("acme/shop", 22, None).scopes(auckland) == (MONTH, ALL)
    assert Payer("", 22, None).scopes(auckland + timedelta(minutes=1))[0].period == "2026-12"


def test_what_fits_to_the_last_trillionth_fits() -> None:
    known = [account(MONTH, "1", external="0.3", unknown="0.1", reserved="0.1")]

    assert refused(known, Decimal("0.5")) is None
    assert refused(known, Decimal("0.500000000001")) == Refusal(
        "repository", Decimal(1), may_fit_later=True
    )
    assert refused([account(MONTH, external="999")], Decimal(1)) is None


def test_the_tightest_cap_is_named() -> None:
    known = [account(MONTH, "1", external="0.5"), account(ALL, "10", external="9.75")]

    assert refused(known, Decimal(1)) == Refusal("operator", Decimal(10))


@pytest.mark.parametrize(
    ("reserved", "later"), [("0.5", True), ("0.29", False)], ids=["enough runs", "too little runs"]
)
def test_a_call_may_fit_later_where_only_running_calls_are_in_its_way(
    reserved: str, later: bool
) -> None:
    known = [
        account(MONTH, "1", external=str(Decimal("0.8") - Decimal(reserved)), reserved=reserved)
    ]

    refusal = refused(known, Decimal("0.5"))

    assert refusal is not None
    assert refusal.may_fit_later == later


def test_a_cap_of_nothing_lets_nothing_through() -> None:
    assert refused([account(ALL, "0")], Decimal("0.000000000001")) == Refusal(
        "operator", Decimal(0)
    )


def test_spending_reads_back_from_json() -> None:
    whole = Spending(
        (
            account(MONTH, "20.5", external="1.25", claude="1", local="0.000000000001"),
            Account(ALL, joules=0.1, calls=7),
        ),
        counted=True,
    )

    assert Spending.from_json(whole.to_json()) == whole


def test_the_account_with_the_least_money_left_is_the_tightest() -> None:
    spending = Spending((account(MONTH, "20", external="12"), account(ALL, "100", external="95")))

    assert spending.tightest == spending.of("operator")
    assert spending.under(Caps(repository_usd=Decimal(20))).tightest == spending.of("repository")
    assert spending.under(Caps()).tightest is None


def test_from_four_fifths_of_a_cap_on_people_are_told_the_fullest_first() -> None:
    below, at = account(MONTH, "10", external="7.99"), account(MONTH, "10", external="8")
    over = account(ALL, "10", external="6", reserved="3", unknown="1.5")

    assert noted([below, at, over, account(ALL, "0")]) == [over, at]


@pytest.mark.parametrize(
    ("cap", "shown"), [("20", "$20.00"), ("1234.5", "$1,234.50"), ("0.0125", "$0.0125")]
)
def test_a_cap_is_shown_with_all_digits_that_somebody_set(cap: str, shown: str) -> None:
    assert cap_text(Decimal(cap)) == shown


def test_a_limit_says_whose_it_is() -> None:
    ten = Decimal(10)

    assert limit_text("pull", ten, "acme/shop") == "this pull request may spend $10.00"
    assert limit_text("repository", ten, "acme/shop") == "acme/shop may spend $10.00 a month"
    assert limit_text("operator", ten, "acme/shop") == (
        "all repositories together may spend $10.00 a month"
    )


def test_our_own_hardware_needs_no_reserve() -> None:
    prompt = Prompt("Review.", "Title", "unit", {}, 100)

    assert reserve_of(PriceBook(), None, "qwen", prompt) == 0
    assert reserve_of(PriceBook(), "anthropic", "claude-opus-5-5", prompt) > 0

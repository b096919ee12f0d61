"""Dollars are exact, and written so that people and programs read the same."""

from decimal import Decimal

import pytest

from reviewbot.costs.money import at_least, decimal_text, exact


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.012500000000", "0.0125"),
        ("4", "4"),
        ("100", "100"),
        ("0E-12", "0"),
        ("1E-12", "0.000000000001"),
        ("1E+3", "1000"),
        ("-2.50", "-2.5"),
    ],
)
def test_amounts_are_plain_digits(value: str, text: str) -> None:
    assert decimal_text(Decimal(value)) == text


def test_rounding_is_to_a_trillionth_and_bounds_round_up() -> None:
    third = Decimal(1) / 3

    assert exact(third) == Decimal("0.333333333333")
    assert at_least(third) == Decimal("0.333333333334")

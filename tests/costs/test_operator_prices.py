"""The operator's prices file: what is wrong with it is said with its line."""

from decimal import Decimal
from pathlib import Path

import pytest

from reviewbot.costs.operator_prices import parse_operator_prices
from reviewbot.errors import DocumentError

DOCS = Path(__file__).parents[2] / "docs"


def test_prices_are_read_exactly() -> None:
    (price,) = parse_operator_prices(
        "prices:\n  - provider: llm.example.com\n    model: big-coder\n"
        "    input_per_mtok: 0.1\n    output_per_mtok: '0.35'\n",
        "prices.yml",
    )

    assert (price.input_per_mtok, price.output_per_mtok) == (Decimal("0.1"), Decimal("0.35"))
    assert price.cache_read_per_mtok is None


def test_the_documented_example_is_a_valid_file() -> None:
    text = (DOCS / "prices.example.yml").read_text(encoding="utf-8")

    assert {price.key for price in parse_operator_prices(text, "prices.example.yml")} == {
        ("llm.example.com", "big-coder-480b"),
        ("anthropic", "claude-opus-5-5"),
    }


PRICE = "  - {provider: p, model: m, input_per_mtok: 1, output_per_mtok: 2}\n"


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("", None, "`prices` is missing"),
        ("prices:\n" + PRICE + PRICE, 1, "two prices for m of p"),
        ("prices:\n  - {provider: p, model: m, input_per_mtok: 1}\n", 2, "`output_per_mtok`"),
        ("prices:\n" + PRICE.replace("1", "-1"), 2, "greater than or equal to 0"),
        ("prices:\n" + PRICE.replace("1", "free"), 2, "valid decimal"),
        ("prices:\n" + PRICE.replace("1", "0.1234567"), 2, "6 decimal places"),
        ("prices:\n" + PRICE.replace("output_per_mtok", "output"), 2, "output"),
        (
            "prices:\n  - {provider: '', model: m, input_per_mtok: 1, output_per_mtok: 2}\n",
            2,
            "`prices[0].provider`",
        ),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(text: str, line: int | None, problem: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_operator_prices(text, "prices.yml")

    assert problem in str(caught.value)
    assert caught.value.line == line

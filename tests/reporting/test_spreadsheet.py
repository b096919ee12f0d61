"""A cell of text never acts, and a cell of figures stays one."""

import csv
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from reviewbot.reporting.spreadsheet import Value, cell_text, csv_lines


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "  =1",
        "＝1",
        "\n@x",
    ],
)
def test_a_formula_becomes_text(text: str) -> None:
    assert cell_text(text).startswith("'")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Decimal("-0.50"), "-0.5"),
        (Decimal("1e-12"), "0.000000000001"),
        (-3, "-3"),
        (True, "true"),
        (None, ""),
        ("", ""),
        ("acme/shop", "acme/shop"),
        ("a=b", "a=b"),
        ("\x1b[31mred", "<U+001B>[31mred"),
    ],
)
def test_everything_else_is_written_plainly(value: Value, written: str) -> None:
    assert cell_text(value) == written


@given(some.lists(some.lists(some.text(max_size=20), min_size=2, max_size=2), max_size=5))
def test_rows_read_back_with_no_cell_that_acts(rows: list[list[str]]) -> None:
    text = "".join(csv_lines(rows))

    read = list(csv.reader(io.StringIO(text)))
    assert read == [[cell_text(cell) for cell in row] for row in rows]
    assert not any(cell[:1] in "=+-@\t\r\n" for row in read for cell in row if cell)

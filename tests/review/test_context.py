"""The function around a change, found in any tidy language, and in no time."""

import pytest

from reviewbot.review.context import enclosing

PYTHON = [
    "class A:",
    "    @wraps",
    "    async def pay(self):",
    "        x = 1",
    "        y = 2",
    "",
    "    z = 3",
]
JAVA = [
    "public class A {",
    "  protected static int pay(Order o) {",
    "    if (o.big()) {",
    "      x();",
    "    }",
    "  }",
    "}",
]
GO = [
    "func (s *Shop) Pay(o Order) error {",
    "\tif o.Big {",
    "\t\treturn err",
    "\t}",
    "\treturn nil",
    "}",
]


@pytest.mark.parametrize(
    ("lines", "at", "start", "end"), [(PYTHON, 4, 3, 5), (JAVA, 4, 2, 6), (GO, 3, 1, 6)]
)
def test_the_definition_above_and_the_end_below(
    lines: list[str], at: int, start: int, end: int
) -> None:
    assert enclosing(lines, at, at) == (None, start, end)


def test_top_level_code_has_none() -> None:
    assert enclosing(["import os", "x = 1"], 2, 2) == (None, 2, 2)


def test_a_far_definition_is_named_alone() -> None:
    lines = ["def long():", *[f"    step({n})" for n in range(100)]]

    assert enclosing(lines, 80, 80)[0] == 1


@pytest.mark.parametrize(
    "line", [" " * 5_000 + "x", "x(" + " " * 50_000, "pub " * 10_000, "@" * 10_000]
)
def test_hostile_lines_are_looked_at_once(line: str) -> None:
    enclosing([line] * 300 + [" " * 6_000 + "y"], 301, 301)

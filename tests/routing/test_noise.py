"""Imports and messages to a log are no evidence, however many lines they take."""

from typing import Any

import pytest

from reviewbot.routing.matcher import Matcher
from reviewbot.routing.noise import MOST_ROWS, continued_rows
from reviewbot.routing.rules import RuleSet


@pytest.mark.parametrize(
    "lines",
    [
        ("from bank import (", "    money,", "    pay,", ")"),
        ("import type {", "  Money,", "} from 'bank'"),
        ("use bank::{", "    money,", "};"),
        ("import (", '\t"bank/money"', ")"),
        ("log.Infof(", '\t"money %s",', "\tid,", ")"),
        ("util.log_info(", "    'money', path=path)"),
        ("trigger_deprecation(", "    'bank',", "    Money::class,", ");"),
    ],
)
def test_lines_that_go_on_with_an_import_or_a_message_are_no_evidence(
    rules: RuleSet, file: Any, lines: tuple[str, ...]
):
    assert continued_rows(lines) == set(range(1, len(lines)))
    assert not Matcher(rules.rules).find(file("a.x", added=lines)).matches


@pytest.mark.parametrize(
    "lines",
    [
        ("log.info(", "    bank.pay(money),", ")"),
        ("pay(", "    money,", ")"),
        ("from bank import (", *("    a," for _ in range(MOST_ROWS)), ")"),
        ("logger.info(", "    money"),
        ("deprecated = [", "    money,", "]"),
        ("log_in(", "    money,", ")"),
        ("Log.create(", "    money,", ")"),
    ],
)
def test_what_is_called_or_never_ends_stays_evidence(lines: tuple[str, ...]):
    assert continued_rows(lines) == set()


def test_a_line_behind_the_message_is_evidence(rules: RuleSet, file: Any):
    lines = ["log.info(", "    id", ")", "bank.pay(x)"]

    (match,) = Matcher(rules.rules).find(file("a.py", added=lines)).matches

    assert (match.rule, match.line) == ("pay.call", 13)

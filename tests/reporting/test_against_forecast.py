"""A saved forecast beside the month that came."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sample_month import basis as month_basis
from sample_month import november

from reviewbot.errors import UsageError
from reviewbot.reporting.against_forecast import expected, parse_forecast
from reviewbot.reporting.forecast import Basis, Past, forecast
from reviewbot.reporting.forecast_json import forecast_json
from reviewbot.reporting.page_text import page_text
from reviewbot.reporting.ratio import Ratio
from reviewbot.reporting.report import build_report
from reviewbot.reporting.report_json import report_json
from reviewbot.reporting.report_page import report_page
from reviewbot.reporting.sums import ReviewSum, Sums
from reviewbot.reporting.window import between, previous


@pytest.fixture
def saved(past: Past, basis: Basis) -> str:
    """What the forecast really writes: 1000 changes a month, 2 of 10 risky."""
    return json.dumps(forecast_json(forecast([past], basis)))


@pytest.fixture
def changed(saved: str) -> Callable[..., str]:
    def change(**keys: Any) -> str:
        return json.dumps({**json.loads(saved), **keys})

    return change


def test_a_forecast_is_read_as_it_was_written(saved: str, past: Past, basis: Basis) -> None:
    made = forecast([past], basis)

    found = expected(parse_forecast(saved, "f.json"), "pull_request", november())

    [line] = [each for name, each in made.lines.items() if name.value == "hybrid_pull_request"]
    assert found.claude == Ratio(2, 10)
    assert found.pulls == 1000
    assert found.claude_usd == pytest.approx(line.spend.claude_usd)
    assert found.total_usd == pytest.approx(line.usd)
    assert found.hardware_usd == 25, "$900 over 36 months"
    assert found.low_usd <= found.total_usd <= found.high_usd


def test_a_part_of_a_month_expects_its_part(saved: str) -> None:
    since = datetime(2026, 11, 1, tzinfo=UTC)
    week = between(since, datetime(2026, 11, 8, tzinfo=UTC))

    whole = expected(parse_forecast(saved, "f.json"), "file", november())
    part = expected(parse_forecast(saved, "f.json"), "file", week)

    assert part.strategy == "hybrid_file"
    assert part.pulls == 1000 * week.months
    assert part.total_usd == whole.total_usd * week.months
    assert part.per_pull_usd == whole.per_pull_usd


def test_share_and_money_stand_beside_each_other(saved: str) -> None:
    window = november()
    sums = Sums(
        reviews=(ReviewSum("claude", ("auth",), True, False, True, 3, 0, Decimal(1)),),
        read_pulls=frozenset({("acme/shop", 1)}),
    )
    said = expected(parse_forecast(saved, "f.json"), "pull_request", window)

    report = build_report(sums, Sums(), month_basis(), window, previous(window), expected=said)

    page = page_text(report_page(report, api_url=""))
    assert "Against the forecast · November 2026" in page
    assert "2 of 10 (20 %)  3 of 3 (100 %)" in page
    assert "outside its" in page
    data = report_json(report, api_url="")["forecast"]
    assert data["strategy"] == "hybrid_pull_request"
    assert data["changes_to_claude"]["part"] == 2


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"schema": 1}', '{"schema": 2, "per_month": 1}'],
)
def test_what_is_no_forecast_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(UsageError, match=r"f\.json is no saved forecast .*--format json"):
        parse_forecast(text, "f.json")


@pytest.mark.parametrize(
    "keys",
    [{"per_month": "NaN"}, {"per_month": -1}, {"repositories": []}, {"strategies": {"x": {}}}],
)
def test_nonsense_in_a_forecast_is_refused(changed: Callable[..., str], keys: Any) -> None:
    with pytest.raises(UsageError, match="is no saved forecast"):
        parse_forecast(changed(**keys), "f.json")


def test_a_forecast_without_the_hybrid_is_refused(changed: Callable[..., str]) -> None:
    saved = parse_forecast(changed(strategies={}), "f.json")

    with pytest.raises(UsageError, match="does not tell of hybrid_file"):
        expected(saved, "file", november())

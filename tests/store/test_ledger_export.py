"""Every call of the ledger as rows, a page at a time."""

import csv
import io
import json
import runpy
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import insert

from reviewbot.costs.calls import Call, CallStart
from reviewbot.reporting.ledger_table import COLUMNS, ledger_csv, ledger_json
from reviewbot.review.engine import Outcome, Usage
from reviewbot.store.ledger_rows import PAGE
from reviewbot.store.reports import ReportStore, open_report_store
from reviewbot.store.schema import call_started

NewStart = Callable[..., CallStart]
Answered = Callable[..., Call]
BEGIN, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture
def store(url: str) -> ReportStore:
    return open_report_store(url)


def test_a_row_holds_a_call_in_full(
    store: ReportStore, new_start: NewStart, answered: Answered
) -> None:
    start = new_start()
    call = answered(
        start,
        usage=Usage(1, 2, cache_read=3, cache_write_5m=4, cache_write_1h=5),
        raw={"usage": {"input_tokens": 1}},
        usd=Decimal("0.000000000001"),
        warnings=("one",),
    )
    store.start_call(start)
    store.settle_call(call)

    [row] = store.ledger(BEGIN, END)

    assert tuple(row) == tuple(COLUMNS)
    assert (row["id"], row["started_at"], row["number"]) == (start.id, start.started_at, 7)
    assert (row["model_asked"], row["model"]) == (start.model, call.model)
    assert (row["tokens_cache_read"], row["tokens_cache_write_1h"]) == (3, 5)
    assert (row["usd"], row["unknown"]) == (Decimal("0.000000000001"), False)
    assert (row["raw"], row["warnings"]) == ({"usage": {"input_tokens": 1}}, ["one"])
    store.close()


def test_calls_of_every_outcome_are_there(
    store: ReportStore, new_start: NewStart, answered: Answered
) -> None:
    for outcome in Outcome:
        start = new_start()
        store.start_call(start)
        store.settle_call(answered(start, outcome=outcome, usage=None))

    rows = list(store.ledger(BEGIN, END))

    assert [row["outcome"] for row in rows] == [outcome.value for outcome in Outcome]
    store.close()


def test_a_call_without_an_end_stands_at_its_reserve(
    store: ReportStore, new_start: NewStart
) -> None:
    store.start_call(new_start())

    [row] = store.ledger(BEGIN, END)

    assert (row["outcome"], row["usd"], row["unknown"]) == ("unknown", Decimal("0.25"), True)
    assert (row["settled_at"], row["tokens_input"], row["raw"]) == (None, None, None)
    store.close()


def test_rows_are_read_as_they_are_wanted(store: ReportStore, new_start: NewStart) -> None:
    one = new_start(started_at=BEGIN)
    starts = [
        # many at the same moment, so that a page ends between them
        replace(one, id=f"{number:06}", started_at=BEGIN + timedelta(seconds=number // 900))
        for number in range(2 * PAGE + 5)
    ]
    names = [column.name for column in call_started.columns]
    with store._engine.begin() as connection:
        rows = [{name: getattr(start, name) for name in names} for start in reversed(starts)]
        connection.execute(insert(call_started), rows)

    found = store.ledger(BEGIN, END)
    first = next(found)
    late = replace(one, id="late", started_at=BEGIN + timedelta(days=1))
    store.start_call(late)  # nobody is in its way, and it is seen: the rest is still to be read
    rest = [row["id"] for row in found]

    assert [first["id"], *rest] == [start.id for start in [*starts, late]]
    store.close()


def test_time_and_repository_choose(store: ReportStore, new_start: NewStart) -> None:
    before = new_start(started_at=BEGIN - timedelta(microseconds=1))
    inside, other, after = (
        new_start(started_at=BEGIN),
        new_start(started_at=BEGIN, repository="acme/api"),
        new_start(started_at=END),
    )
    for start in (before, inside, other, after):
        store.start_call(start)

    assert {row["id"] for row in store.ledger(BEGIN, END)} == {inside.id, other.id}
    assert [row["id"] for row in store.ledger(BEGIN, END, "acme/api")] == [other.id]
    store.close()


def test_a_spreadsheet_shows_what_others_wrote_and_does_nothing(
    store: ReportStore, new_start: NewStart, answered: Answered
) -> None:
    start = new_start(repository="+acme/shop", model="=HYPERLINK(1)")
    store.start_call(start)
    store.settle_call(
        answered(
            start,
            model="@SUM(A1)",
            outcome=Outcome.REJECTED,
            detail="-1+cmd|' /C calc'!A0 \"quoted\", \x1b[31m\nsecond line",
        )
    )

    text = "".join(ledger_csv(store.ledger(BEGIN, END)))

    [row] = csv.DictReader(io.StringIO(text))
    assert row["repository"] == "'+acme/shop"
    assert row["model_asked"] == "'=HYPERLINK(1)"
    assert row["model"] == "'@SUM(A1)"
    assert row["detail"].startswith("'-1+cmd|' /C calc'!A0 \"quoted\", ")
    assert row["detail"].endswith("\nsecond line")
    assert "\x1b" not in text
    assert row["usd"] == "0.006", "figures are figures"
    store.close()


def test_every_column_is_explained() -> None:
    docs = Path(__file__).parents[2] / "docs"
    script = runpy.run_path(str(docs / "ledger_table.py"))
    document = (docs / "costs.md").read_text("utf-8")

    assert script["with_table"](document) == document, "run `make fmt`"


def test_json_is_one_array_whatever_there_is(
    store: ReportStore, new_start: NewStart, answered: Answered
) -> None:
    nothing = "".join(ledger_json(store.ledger(BEGIN, END)))
    for _ in range(3):
        start = new_start()
        store.start_call(start)
        store.settle_call(answered(start, usd=Decimal("0.10")))

    lines = list(ledger_json(store.ledger(BEGIN, END)))

    assert json.loads(nothing) == []
    rows = json.loads("".join(lines))
    assert len(lines) == 4, "a call on each line"
    assert [row["usd"] for row in rows] == ["0.1"] * 3
    assert set(rows[0]) == set(COLUMNS)
    store.close()

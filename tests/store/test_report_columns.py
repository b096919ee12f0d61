"""What reports add up is in columns of its own, also of reviews that are older than those."""

import json
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

import reviewbot.store
from reviewbot.store.engine import connect
from reviewbot.store.reports import open_report_store
from reviewbot.store.schema import reviews

#: Reviews as an older version wrote them: (id, findings, all Claude, complete, why).
OLD = [
    ("a", 2, "0.0125", True, "Claude: auth has 3 points, 3 flag it."),
    ("b", 0, None, False, "local: nothing risky"),
    ("c", 1, "1.5", True, "claude, as somebody asked. By the rules: nothing risky"),
    *((f"d{number:04}", 1, "0.01", True, "local: nothing risky") for number in range(1_200)),
]


@pytest.fixture
def old(url: str) -> str:
    """A database of schema 0004 with reviews in it."""
    config = Config()
    folder = Path(reviewbot.store.__path__[0], "migrations")
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    engine = connect(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
        insert = text(
            "INSERT INTO reviews (id, repository, number, tier, areas, certainty, created_at, result)"
            " VALUES (:id, 'acme/shop', 7, 'local', '[]', 'sure', '2026-11-21T12:00:00.000000Z',"
            " :result)"
        )
        for name, findings, all_claude, complete, why in OLD:
            result = {
                "findings": [{}] * findings,
                "cost": {"all_claude_usd": all_claude},
                "complete": complete,
                "route": {"why": why},
            }
            connection.execute(insert, {"id": name, "result": json.dumps(result)})
    engine.dispose()
    return url


def test_older_reviews_are_read_once(old: str) -> None:
    with open_report_store(old) as store, store._engine.connect() as connection:
        columns = reviews.c
        found = connection.execute(
            reviews.select()
            .with_only_columns(
                columns.id,
                columns.findings,
                columns.all_claude_usd,
                columns.complete,
                columns.overridden,
            )
            .order_by(columns.id)
        ).all()

    assert [(row.id, row.findings, row.complete) for row in found] == [
        (name, findings, complete) for name, findings, _, complete, _ in OLD
    ]
    assert [str(row.all_claude_usd).rstrip("0") for row in found[:3]] == ["0.0125", "None", "1.5"]
    assert [row.overridden for row in found[:4]] == [False, False, True, False]

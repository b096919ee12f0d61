"""A database of before says afterwards who asked for its reviews, where that can be told."""

import json
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command

from reviewbot.service.jobs import ReviewJob
from reviewbot.service.workflows import review_id
from reviewbot.store import migrate
from reviewbot.store.engine import connect
from reviewbot.store.ledger import open_store

HEAD, BASE = "a" * 40, "b" * 40


@pytest.fixture
def old_database(url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """As it was before published findings were kept."""
    upgrade = command.upgrade
    monkeypatch.setattr(command, "upgrade", lambda config, _: upgrade(config, "0004"))
    monkeypatch.setattr(migrate, "REVISIONS", ("0001", "0002", "0003", "0004"))
    open_store(url).close()
    monkeypatch.undo()
    return url


def add(url: str, id_: str, *, installation: int | None, why: str = "nothing risky") -> None:
    row: dict[str, Any] = {
        "id": id_, "repository": "acme/shop", "number": 7, "installation": installation,
        "repository_id": 22 if installation else None, "base": BASE, "head": HEAD,
        "tier": "local", "areas": "[]", "certainty": "sure",
        "created_at": "2026-11-21T12:00:00.000000Z",
        "result": json.dumps({"route": {"why": why}, "findings": []}),
    }  # fmt: skip
    engine = connect(url)
    with engine.begin() as connection:
        names = ", ".join(row)
        values = ", ".join(f":{name}" for name in row)
        connection.execute(sa.text(f"INSERT INTO reviews ({names}) VALUES ({values})"), row)
    engine.dispose()


def service_review(request: str, tier: Any = None) -> str:
    """The id of a review of the service."""
    return review_id(
        ReviewJob(
            installation=11,
            repository="acme/shop",
            repository_id=22,
            number=7,
            head=HEAD,
            base=BASE,
            request=request,
            tier=tier,
        )
    )


def test_who_asked_is_told_of_reviews_that_were_there_before(old_database: str) -> None:
    asked = "claude, as somebody asked. By the rules: nothing risky"
    wanted = {
        service_review("auto"): "auto",
        service_review("draft"): "draft",
        service_review(f"label:{HEAD}"): "label",
        service_review("comment:99", "claude"): "command",
        service_review("comment:98"): None,
        service_review("check:5:0123456789abcdef"): None,
        str(uuid.uuid4()): "cli",
    }
    for id_, kind in wanted.items():
        installation = None if kind == "cli" else 11
        add(old_database, id_, installation=installation, why=asked if kind == "command" else "")
    for number in range(600):
        add(old_database, f"{number:03}", installation=11)

    with open_store(old_database) as store:
        found = {id_: store.review(id_) for id_ in wanted}
        others = [store.review(f"{number:03}") for number in range(600)]

    assert {id_: each.request for id_, each in found.items() if each} == wanted
    assert {each.request for each in others if each} == {None}


def test_a_command_is_not_told_by_what_others_wrote(old_database: str) -> None:
    add(old_database, "x", installation=11, why="`, as somebody asked. ` stands in a rule")

    with open_store(old_database) as store:
        found = store.review("x")

    assert found
    assert found.request is None

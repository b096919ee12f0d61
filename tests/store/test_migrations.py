"""Migrations make exactly the tables that the code uses, all of them or none."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import reviewbot.store
from reviewbot.errors import StoreError
from reviewbot.store.engine import connect
from reviewbot.store.ledger import open_store
from reviewbot.store.schema import REVISIONS, VERSION_TABLE, metadata


def test_migrated_tables_are_those_of_the_code(url: str) -> None:
    open_store(url).close()
    engine = connect(url)

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        differences = compare_metadata(context, metadata)
    engine.dispose()

    assert differences == []


def test_every_migration_is_known_to_the_code() -> None:
    folder = Path(reviewbot.store.__path__[0], "migrations")
    scripts = ScriptDirectory(str(folder))

    revisions = [script.revision for script in scripts.walk_revisions()]

    assert tuple(reversed(revisions)) == REVISIONS
    assert scripts.get_heads() == [REVISIONS[-1]]


def test_a_migration_that_fails_leaves_nothing_behind(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade = command.upgrade

    def run_out_of_space(config: Config, revision: str) -> None:
        upgrade(config, revision)
        raise StoreError("no space")

    monkeypatch.setattr(command, "upgrade", run_out_of_space)
    with pytest.raises(StoreError, match="no space"):
        open_store(url)
    monkeypatch.undo()

    with open_store(url) as store:
        assert store.calls() == []

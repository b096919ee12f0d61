"""`reviewbot doctor` and this machine: database, worker, disk, versions, files; and the command."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from databases import new_database
from doctoring import Patient, closed_port
from setting_up import clean_environment

from reviewbot.config.settings import Settings
from reviewbot.service.dbos_setup import migrate_jobs
from reviewbot.setup.checks import Family, look_at, ok
from reviewbot.setup.machine_checks import versions
from reviewbot.setup.store_checks import disk
from reviewbot.store.engine import connect
from reviewbot.store.jobs import open_job_store
from reviewbot.store.ledger import open_store
from reviewbot.store.schema import REVISIONS, VERSION_TABLE


@pytest.fixture(params=["sqlite", "postgresql"])
def patient(request: pytest.FixtureRequest, tmp_path: Path) -> Patient:
    """One with a database that is up to date."""
    url = ""
    if request.param == "postgresql":
        url = new_database(request.getfixturevalue("postgresql_server"))
    made = Patient({"data_dir": tmp_path / "data", "database_url": url, "local_engine": "none"})
    open_store(Settings(**made.settings).database).close()
    return made


def database_of(patient: Patient) -> str:
    return Settings(**patient.settings).database


def set_revision(patient: Patient, revision: str) -> None:
    engine = connect(database_of(patient))
    with engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = '{revision}'"))
    engine.dispose()


def test_a_database_that_is_up_to_date(patient: Patient) -> None:
    states = {check.name: check.state for check in patient.seen("database")}

    assert states == {
        "database": "ok",
        "schema": "ok",
        "size": "ok",
        "jobs": "off",
        "worker": "off",
    }


def test_jobs_that_wait_are_counted(patient: Patient) -> None:
    migrate_jobs(Settings(**patient.settings))

    assert patient.one("database", "jobs").seen == "0 wait or run"


def test_a_file_of_jobs_that_is_damaged(tmp_path: Path) -> None:
    patient = Patient({"data_dir": tmp_path, "local_engine": "none"})
    open_store(database_of(patient)).close()
    (tmp_path / "jobs.db").write_bytes(b"no database at all" * 100)

    assert "is not a database" in patient.wrong("database")["jobs"]


@pytest.mark.parametrize("revision", ["0001", "9999"])
def test_a_database_of_another_version_is_told_and_left_alone(
    patient: Patient, revision: str
) -> None:
    set_revision(patient, revision)

    assert patient.wrong("database") == {
        "schema": f"revision {revision}, this reviewbot needs {REVISIONS[-1]}"
    }
    assert patient.wrong("database")  # nothing was migrated by looking


def test_a_worker_that_beats_and_one_that_fell_silent(patient: Patient) -> None:
    now = datetime.now(UTC)
    with open_job_store(database_of(patient)) as store:
        store.beat("local", at=now, engines="claude (claude-opus-5-5)")
        alive = patient.one("database", "worker")
        store.beat("local", at=now - timedelta(minutes=5))
        silent = patient.wrong("database")

    assert alive.seen.endswith("with claude (claude-opus-5-5)")
    assert silent["worker"].startswith("gave its last sign of life")


def test_no_database_yet_is_no_mistake_and_none_is_made(tmp_path: Path) -> None:
    patient = Patient({"data_dir": tmp_path / "data", "local_engine": "none"})

    assert [check.state for check in patient.seen("database")] == ["off"]
    assert not (tmp_path / "data").exists()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "reviewbot.db").write_bytes(b"no database at all" * 100)

    found = Patient({"data_dir": tmp_path, "local_engine": "none"}).wrong("database")

    assert "is not a database" in found["database"]


def test_a_server_that_is_away(tmp_path: Path) -> None:
    url = f"postgresql://reviewbot:canary-word@127.0.0.1:{closed_port()}/reviewbot"

    found = Patient({"data_dir": tmp_path, "database_url": url}).wrong("database")

    assert "check that the server runs" in found["database"]
    assert "canary-word" not in found["database"]


def test_a_server_that_takes_no_changes(tmp_path: Path, postgresql_server: str) -> None:
    url = new_database(postgresql_server)
    name = url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")

    found = Patient({"data_dir": tmp_path, "database_url": url}).wrong("database")

    assert "takes no changes" in found["database"]


def test_a_server_without_our_tables(tmp_path: Path, postgresql_server: str) -> None:
    url = new_database(postgresql_server)

    found = Patient({"data_dir": tmp_path, "database_url": url}).wrong("database")

    assert found["schema"].startswith("no tables of ours")


def test_a_disk_that_is_nearly_full(tmp_path: Path) -> None:
    full, *_ = disk(Settings(data_dir=tmp_path), least_free=2**62)
    room, *_ = disk(Settings(data_dir=tmp_path), least_free=1)

    assert (full.state, room.state) == ("wrong", "ok")


def test_files_that_others_can_read(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "app").mkdir(parents=True, mode=0o700)
    for name in ("app/private-key.pem", "app/app.json", "marker.key"):
        (data / name).write_text("{}")
        (data / name).chmod(0o644)
    data.chmod(0o755)
    (data / "app" / "app.json").unlink()

    seen = Patient({"data_dir": data, "local_engine": "none"}).seen("data folder")

    told = [check.seen for check in seen if check.state == "wrong"]
    assert told == [
        f"others on this machine can read {data}",
        f"others could read {data}/marker.key",
        f"others could read {data}/app/private-key.pem",
    ]


def test_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")

    assert "is no folder" in Patient({"data_dir": tmp_path / "data"}).wrong("data folder")["folder"]


def test_an_old_sqlite(tmp_path: Path) -> None:
    found = {
        check.name: check.state
        for check in versions(Settings(data_dir=tmp_path), sqlite=(3, 34, 1))
    }

    assert found["SQLite"] == "wrong"
    assert found["reviewbot"] == "ok"


@pytest.mark.parametrize(
    ("setting", "name", "text"),
    [
        ("rules", "rules", "area: payments\nrules: 7\n"),
        ("policy", "policy", "colour: blue\n"),
        ("prices_file", "prices", "- nonsense\n"),
    ],
)
def test_a_document_that_does_not_load(tmp_path: Path, setting: str, name: str, text: str) -> None:
    file = tmp_path / "own.yml"
    patient = Patient({"data_dir": tmp_path, "local_engine": "none", setting: file})
    missing = patient.wrong("documents")
    file.write_text(text)

    broken = patient.wrong("documents")

    assert list(missing) == list(broken) == [name]
    assert "own.yml" in broken[name]


def test_a_bug_in_one_check_hides_no_other() -> None:
    def fails():
        yield ok("first", "seen")
        raise KeyError("secret-canary")

    seen = look_at([Family("a", fails, 5), Family("b", lambda: [ok("second", "seen")], 5)])

    assert [(each.name, [check.state for check in each.checks]) for each in seen] == [
        ("a", ["ok", "wrong"]),
        ("b", ["ok"]),
    ]
    assert "canary" not in str(seen)


def run_doctor(*options: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "reviewbot", "doctor", *options],
        env={**clean_environment(**settings), "ANTHROPIC_API_KEY": ""},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_command_says_what_to_do_and_ends_with_0_or_1(tmp_path: Path) -> None:
    settings = {"DATA_DIR": str(tmp_path / "data"), "LOCAL_ENGINE": "none"}
    well = run_doctor(**settings)
    ill = run_doctor(**settings, GITHUB_APP_ID="7")

    assert (well.returncode, ill.returncode) == (0, 1)
    assert well.stdout.endswith("\nNothing is wrong.\n")
    assert "  – App" in well.stdout
    assert "  ✗ App" in ill.stdout
    assert "→ set it, or make an App by `reviewbot setup`" in ill.stdout
    assert ill.stdout.endswith("\n1 to be mended (✗).\n")


def test_the_command_as_json_and_without_secrets(tmp_path: Path) -> None:
    nobody = f"http://127.0.0.1:{closed_port()}"
    secrets = {
        "ANTHROPIC_API_KEY": "sk-ant-canary-0123456789",
        "LOCAL_API_KEY": "local-canary",
        "GITHUB_PRIVATE_KEY": "pem-canary",
        "WEBHOOK_SECRET": "hook-canary",
        "MARKER_KEY": "marker-canary",
        "DATABASE_URL": f"postgresql://u:pass-canary@127.0.0.1:{closed_port()}/x",
    }
    urls = {"LOCAL_URL": f"{nobody}/v1", "ANTHROPIC_API_URL": nobody, "GITHUB_API_URL": nobody}

    ran = run_doctor(
        "--format", "json", DATA_DIR=str(tmp_path), GITHUB_APP_ID="7", **secrets, **urls
    )

    told = json.loads(ran.stdout)
    assert (ran.returncode, told["schema"], told["ok"]) == (1, 1, False)
    ill = {check["family"] for check in told["checks"] if check["state"] == "wrong"}
    assert ill >= {"GitHub", "Claude", "local model", "database"}
    assert "canary" not in ran.stdout + ran.stderr


def test_a_wrong_setting_is_the_first_thing_to_mend(tmp_path: Path) -> None:
    ran = run_doctor(DATA_DIR=str(tmp_path), WATTS="many")

    assert ran.returncode == 1
    assert "REVIEWBOT_WATTS" in ran.stdout

"""Opening a database: made, upgraded or refused with a sentence that says what to do."""

import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from reviewbot.errors import StoreError
from reviewbot.store.engine import connect, errors_in_words
from reviewbot.store.ledger import open_store
from reviewbot.store.schema import REVISIONS, VERSION_TABLE

#: Opens each database that is named on standard input.
OPENER = """
import sys
import alembic.command
from reviewbot.store.ledger import open_store
for url in sys.stdin:
    open_store(url.strip()).close()
    print("opened", flush=True)
"""


@pytest.fixture(scope="module")
def openers() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that have all they need loaded, so that they really start at once."""
    command = [sys.executable, "-c", OPENER]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [subprocess.Popen(command, text=True, **pipes) for _ in range(2)]
    yield processes
    assert [process.communicate(timeout=60)[1] for process in processes] == ["", ""]


def test_processes_that_start_at_once_make_one_database(
    openers: list[subprocess.Popen[str]], url: str
) -> None:
    for process in openers:
        print(url, file=process.stdin, flush=True)

    assert [process.stdout.readline() for process in openers] == ["opened\n"] * 2
    with open_store(url) as store:
        assert store.calls() == []


def test_threads_that_open_at_once_make_one_database(url: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        for store in pool.map(open_store, [url] * 8):
            store.close()

    engine = connect(url)
    with engine.connect() as connection:
        versions = connection.execute(sa.text(f"SELECT version_num FROM {VERSION_TABLE}"))
        assert versions.scalars().all() == [REVISIONS[-1]]
    engine.dispose()


def test_a_database_that_is_up_to_date_opens_without_alembic(sqlite_url: str) -> None:
    open_store(sqlite_url).close()
    code = (
        "import sys; from reviewbot.store.ledger import open_store;"
        "open_store(sys.argv[1]).close(); print('alembic' in sys.modules)"
    )

    ended = subprocess.run(
        [sys.executable, "-c", code, sqlite_url], capture_output=True, text=True, check=True
    )

    assert ended.stdout == "False\n"


def test_a_newer_database_is_left_alone(url: str) -> None:
    open_store(url).close()
    engine = connect(url)
    with engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    engine.dispose()

    with pytest.raises(StoreError, match=r"newer reviewbot \(schema 9999.*upgrade reviewbot"):
        open_store(url)


def test_a_file_that_is_no_database_is_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("dear diary, " * 200)

    with pytest.raises(StoreError, match=r"notes\.txt.*another kind of file"):
        open_store(f"sqlite:///{file}")

    assert file.read_text().startswith("dear diary")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "mysql://me:hunter2@db/reviews",
        "sqlite",
        "postgresql://me:hunter2@host:port/reviews",
    ],
)
def test_a_wrong_url_is_explained_without_its_password(url: str) -> None:
    with pytest.raises(StoreError, match="REVIEWBOT_DATABASE_URL") as caught:
        open_store(url)

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_ledger_in_memory_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match="must be a file"):
        open_store(url)


def test_a_folder_that_cant_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match=r"can't be made.*REVIEWBOT_DATA_DIR"):
        open_store(f"sqlite:///{tmp_path}/file/reviewbot.db")


@pytest.fixture
def read_only_folder() -> Iterator[Path]:
    """A folder in which this process can't write, even if it is root's."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        if os.geteuid() != 0:
            yield folder
        else:
            os.seteuid(65534)
            try:
                yield folder
            finally:
                os.seteuid(0)
        folder.chmod(0o755)


def test_a_read_only_folder_is_named(read_only_folder: Path) -> None:
    with pytest.raises(StoreError, match="can be written"):
        open_store(f"sqlite:///{read_only_folder}/reviewbot.db")


@pytest.mark.parametrize("query", ["", "?password=hunter2"])
def test_a_server_that_is_not_there_is_named_without_password(query: str) -> None:
    with pytest.raises(StoreError, match="check that the server runs") as caught:
        open_store(f"postgresql://me:hunter2@127.0.0.1:1/reviews{query}")

    assert "the PostgreSQL database reviews at 127.0.0.1" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_password_in_a_drivers_message_is_masked() -> None:
    engine = connect("postgresql://me:hunter2@127.0.0.1/reviews?password=hunter3")
    said = sa.exc.OperationalError("", {}, Exception("bad dsn: me:hunter2 password=hunter3"))

    with pytest.raises(StoreError, match=r"me:\*\*\* password=\*\*\*"), errors_in_words(engine):
        raise said


def test_a_missing_postgresql_database_is_named(postgresql_server: str) -> None:
    with pytest.raises(StoreError, match=r"nowhere.*create the database"):
        open_store(postgresql_server.replace("/postgres?", "/nowhere?"))


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(StoreError, match=r"pip install 'psycopg\[binary\]'"):
        open_store("postgresql://me@127.0.0.1/reviews")


def test_sqlite_is_durable_and_ready_for_several_processes(sqlite_url: str) -> None:
    open_store(sqlite_url).close()
    engine = connect(sqlite_url)

    with engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()

    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }


def test_a_database_that_another_process_holds_is_waited_for(
    sqlite_url: str, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    other = sqlite3.connect(
        tmp_path / "data" / "reviewbot.db", isolation_level=None, check_same_thread=False
    )
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.2, lambda: other.execute("COMMIT"))
    release.start()

    with open_store(sqlite_url) as store:
        assert store.calls() == []

    release.join()
    other.close()


def test_a_reader_does_not_wait_for_a_writer(sqlite_url: str, tmp_path: Path) -> None:
    with open_store(sqlite_url) as store:
        other = sqlite3.connect(tmp_path / "data" / "reviewbot.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        assert store.calls() == []

        other.close()

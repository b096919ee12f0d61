"""Copies of databases that are written all the time."""

import itertools
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from ledger_sums import ledger_sums
from test_accounts import booked

from reviewbot.costs.calls import Call, CallStart
from reviewbot.errors import StoreError
from reviewbot.store.backup import Copy, copy_sqlite, dump_words
from reviewbot.store.ledger import Store, open_store

COPIES = 5


@pytest.fixture
def writing(
    sqlite_url: str, new_start: Callable[..., CallStart], answered: Callable[..., Call]
) -> Iterator[Callable[[], int]]:
    """A writer that settles calls as fast as it can; how many it has settled by now."""
    settled, stop = itertools.count(), threading.Event()
    done = [0]

    def write() -> None:
        with open_store(sqlite_url) as store:
            while not stop.is_set():
                start = new_start()
                store.start_call(start)
                store.settle_call(answered(start))
                done[0] = next(settled) + 1

    thread = threading.Thread(target=write)
    thread.start()
    yield lambda: done[0]
    stop.set()
    thread.join()


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def test_each_copy_holds_all_that_was_settled_before_it_and_adds_up(
    sqlite_url: str, tmp_path: Path, writing: Callable[[], int]
) -> None:
    while not writing():
        pass

    for number in range(COPIES):
        before = writing()
        copy = tmp_path / f"copy{number}.db"
        copy_sqlite([Copy(file_of(sqlite_url), copy)])

        with open_store(f"sqlite:///{copy}") as store:
            calls = store.calls()
        assert len([call for call in calls if isinstance(call, Call)]) >= before
        assert len([call for call in calls if isinstance(call, CallStart)]) <= 1
        assert booked(f"sqlite:///{copy}") == ledger_sums(calls)
    assert writing() > COPIES


def test_a_later_file_never_knows_less_than_the_one_before(tmp_path: Path) -> None:
    """One writer writes to the second file first, always."""
    first, second, stop = tmp_path / "first.db", tmp_path / "second.db", threading.Event()
    for file in (first, second):
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("CREATE TABLE seen (number INTEGER)")

    def write() -> None:
        with closing(sqlite3.connect(first)) as one, closing(sqlite3.connect(second)) as two:
            for number in itertools.count():
                for connection in (two, one):
                    with connection:
                        connection.execute("INSERT INTO seen VALUES (?)", (number,))
                if stop.is_set():
                    return

    writer = threading.Thread(target=write)
    writer.start()
    counts = []
    for number in range(20):
        copies = [Copy(file, tmp_path / f"{file.stem}{number}.copy") for file in (first, second)]
        copy_sqlite(copies)
        for copy in copies:
            with closing(sqlite3.connect(copy.target)) as connection:
                counts.append(connection.execute("SELECT count(*) FROM seen").fetchone()[0])
    stop.set()
    writer.join()

    pairs = list(zip(counts[::2], counts[1::2], strict=True))
    assert all(one <= two for one, two in pairs), pairs
    assert pairs[-1][0] > pairs[0][0]


def test_a_copy_is_one_file_for_us_alone_and_never_written_over(
    sqlite_url: str, tmp_path: Path, store_of: Store
) -> None:
    copy = Copy(file_of(sqlite_url), tmp_path / "copies" / "copy.db")
    copy.target.parent.mkdir()

    copy_sqlite([copy])

    assert [path.name for path in copy.target.parent.iterdir()] == ["copy.db"]
    assert copy.target.stat().st_mode & 0o777 == 0o600
    with pytest.raises(StoreError, match="can't be copied"):
        copy_sqlite([copy])


@pytest.fixture
def store_of(sqlite_url: str) -> Iterator[Store]:
    with open_store(sqlite_url) as opened:
        yield opened


def test_no_file_is_made_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="can't be read"):
        copy_sqlite([Copy(tmp_path / "none.db", tmp_path / "copy.db")])

    assert list(tmp_path.iterdir()) == []


def test_a_damaged_database_is_not_taken_for_a_backup(
    sqlite_url: str, tmp_path: Path, store_of: Store, new_start: Callable[..., CallStart]
) -> None:
    for _ in range(300):
        store_of.start_call(new_start())
    store_of.close()
    file = file_of(sqlite_url)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with file.open("r+b") as raw:
        raw.seek(file.stat().st_size // 2)
        raw.write(b"\xff" * 8_192)

    with pytest.raises(StoreError, match=r"older backup|can't be copied|can't be read"):
        copy_sqlite([Copy(file, tmp_path / "copy.db")])


def test_the_command_for_postgresql_holds_no_password() -> None:
    words = dump_words(
        "postgresql+psycopg://me:canary@db.example:5433/bot?sslmode=require&password=canary",
        Path("/backups/one two/reviewbot.pgdump"),
    )

    assert words == (
        "pg_dump --format=custom '--file=/backups/one two/reviewbot.pgdump'"
        " '--dbname=postgresql://me@db.example:5433/bot?sslmode=require'"
    )

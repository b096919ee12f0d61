"""How large the databases get: 50 000 reviews in fifty weeks, cleaned once a week.

One review is made by the real service; its rows, in all tables of both databases, are written again
with other ids for each of the others. Then the real clean-up runs, as if that week were over. Sizes
are printed by table. PostgreSQL is left out where its server for tests is not installed.
"""

import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

sys.path.append(str(Path(__file__).parents[1] / "tests"))
sys.path.append(str(Path(__file__).parents[1] / "tests" / "service"))

from databases import new_database, running_postgresql
from github_simulator.state import Pull, Repository
from model_servers.server import Asked
from processes import table
from serving import SERVE, Service, surroundings
from sqlalchemy import Connection, Engine, MetaData, Table, insert, select, text

from reviewbot.service.cleaning import CLEAN, Cleaning
from reviewbot.service.dbos_setup import SCHEMA, jobs_engine
from reviewbot.service.queue import DbosQueue
from reviewbot.service.upkeep import Turn
from reviewbot.store.cleaning import CleaningStore, open_cleaning_store
from reviewbot.store.engine import connect
from reviewbot.store.schema import metadata
from reviewbot.store.upkeep import ChoreState

REVIEWS, WEEKS, DAYS_KEPT = 50_000, 50, 7
#: Every pull request's number has nine digits, so that no row gets longer than the real one.
FIRST = 100_000_007
#: What the review is of: files with so many changed lines each, and the findings in them.
FILES, LINES, FINDINGS = 6, 30, 3
#: Milliseconds since 1970 in a column of DBOS's.
_MILLISECONDS = 10**12, 4 * 10**12


class Kind(NamedTuple):
    """One table, and the real review's rows in it."""

    table: Table
    rows: Sequence[Mapping[str, Any]]


class Original(NamedTuple):
    """What one real review left behind."""

    ours: Sequence[Kind]
    jobs: Sequence[Kind]
    names: Sequence[str]
    """Ids that each further review has of its own."""
    prompt_bytes: int


def answer(asked: Asked) -> str:
    """Some findings of the usual length."""
    findings = [
        {
            "path": f"shop/auth/login_{n}.py", "line": 10, "end_line": None,
            "quote": "    user.value_9 = user.digest == user.password(9)", "severity": "high",
            "category": "security", "title": "Comparing the digest this way leaks its length",
            "body": "The comparison ends at the first byte that differs. " * 5,
            "confidence": 0.9, "suggestion": None,
        }
        for n in range(FINDINGS)
    ]  # fmt: skip
    return json.dumps({"walkthrough": "Simplifies the login. " * 5, "findings": findings})


def pull_request(service: Service) -> tuple[Repository, Pull]:
    """The change that is reviewed."""
    repository = service.repository()
    paths = [f"shop/auth/login_{n}.py" for n in range(FILES)]
    before = "\n".join(f"    user.value_{n} = check(user, {n})" for n in range(LINES))
    after = "\n".join(
        f"    user.value_{n} = user.digest == user.password({n})" for n in range(LINES)
    )
    repository.content.commit("main", dict.fromkeys(paths, f"def login(user, check):\n{before}\n"))
    changed = dict.fromkeys(paths, f"def login(user, check):\n{after}\n")
    repository.content.commit("large", changed, start="main")
    pull = Pull(FIRST, "Simplify login", None, "main", "large")
    repository.pulls[FIRST] = pull
    return repository, pull


def reviewed(service: Service) -> Original:
    """Have it reviewed by all processes of the service, which end then."""
    service.claude.answering = answer
    service.start(*SERVE)
    service.listening()
    repository, pull = pull_request(service)
    payload = service.github.payloads.pull_request(repository, pull)
    service.deliver("pull_request", payload)
    service.reviewed(pull)
    prompt = service.claude.asked[0]
    service.end()
    ours, jobs = connect(service.settings.database), jobs_engine(service.settings)
    reflected = MetaData()
    reflected.reflect(jobs, schema=SCHEMA if service.database_url else None)
    with ours.connect() as connection:
        [review_id] = connection.execute(select(metadata.tables["reviews"].c.id)).scalars()
        calls = connection.execute(select(metadata.tables["call_started"].c.id)).scalars().all()
        prompts = connection.execute(select(metadata.tables["prompts"].c.hash)).scalars().all()
        names = [str(FIRST), review_id, *calls, *prompts]
        found = list(_kinds(connection, metadata, names))
    with jobs.connect() as connection:
        others = [
            kind
            for kind in _kinds(connection, reflected, names)
            if kind.table.name not in metadata.tables  # on PostgreSQL both lie in one database
        ]
    ours.dispose()
    jobs.dispose()
    return Original(found, others, names, len(f"{prompt.system}{prompt.user}".encode()))


def _kinds(connection: Connection, tables: MetaData, names: Sequence[str]) -> Iterator[Kind]:
    """Rows of all tables that hold one of the names, parents first."""
    for each in tables.sorted_tables:
        rows = [dict(row) for row in connection.execute(select(each)).mappings()]
        mine = [row for row in rows if any(name in str(row) for name in names)]
        if mine:
            yield Kind(each, mine)


def copies(
    kind: Kind, names: Sequence[str], others: Iterable[Sequence[str]], at: datetime
) -> list[dict[str, Any]]:
    """The kind's rows once more for each list of names, as if written at `at`."""
    return [
        {name: _other(value, dict(zip(names, new, strict=True)), at) for name, value in row.items()}
        for new in others
        for row in kind.rows
    ]


def _other(value: Any, names: Mapping[str, str], at: datetime) -> Any:
    match value:
        case datetime():
            return at
        case int() | float() if _MILLISECONDS[0] < value < _MILLISECONDS[1]:
            return int(at.timestamp() * 1000)
        case int() if value == FIRST:
            return int(names[str(FIRST)])
        case str():
            for old, new in names.items():
                value = value.replace(old, new)
            return value
        case dict() | list():
            return json.loads(_other(json.dumps(value), names, at))
    return value


def more_names(original: Original, count: int, first: int) -> list[list[str]]:
    """As long as the original's: UUIDs and, of prompts, digests."""
    return [
        [
            str(first + n),
            *(
                str(uuid4()) if "-" in name else f"{uuid4().hex}{uuid4().hex}"
                for name in original.names[1:]
            ),
        ]
        for n in range(count)
    ]


def write(
    engine: Engine,
    kinds: Iterable[Kind],
    names: Sequence[str],
    others: list[list[str]],
    at: datetime,
) -> None:
    with engine.begin() as connection:
        for kind in kinds:
            for start in range(0, len(others), 250):
                some = copies(kind, names, others[start : start + 250], at)
                connection.execute(insert(kind.table), some)


def clean(queue: DbosQueue, store: CleaningStore, now: datetime) -> int:
    """What the service does once a day; how many rows went."""
    state = ChoreState(CLEAN, None, 0)
    turn = Turn(state, now, threading.Event(), lambda: True)
    return Cleaning(queue.client, store, DAYS_KEPT).work(turn).amount


def vacuum(engine: Engine) -> None:
    """What PostgreSQL does by itself, but not in the seconds that a week takes here."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM"))


def sizes(engine: Engine) -> dict[str, int]:
    """Bytes by table with its indexes."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            query = (
                "SELECT m.tbl_name, sum(d.pgsize) FROM dbstat d JOIN sqlite_schema m"
                " ON m.name = d.name GROUP BY m.tbl_name"
            )
        else:
            query = (
                "SELECT c.relname, pg_total_relation_size(c.oid) FROM pg_class c JOIN pg_namespace n"
                " ON n.oid = c.relnamespace WHERE c.relkind = 'r'"
                f" AND n.nspname IN ('public', '{SCHEMA}')"
            )
        return {name: int(size) for name, size in connection.execute(text(query))}


def on_disk(service: Service, ours: Engine) -> int:
    """Bytes of the files, or of the database as the server counts it."""
    if not service.database_url:
        return sum(path.stat().st_size for path in service.settings.data_dir.glob("*.db*"))
    with ours.connect() as connection:
        return int(
            connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
        )


def grow(service: Service, reviews: int) -> dict[str, Any]:
    """Weeks of reviews; the sizes after some of them."""
    original = reviewed(service)
    ours, jobs = connect(service.settings.database), jobs_engine(service.settings)
    queue, began = DbosQueue(jobs), time.monotonic()
    start = datetime.now(UTC) - timedelta(weeks=WEEKS)
    weekly, weeks, gone = reviews // WEEKS, [], 0
    with open_cleaning_store(service.settings.database) as store:
        for week in range(1, WEEKS + 1):
            at = start + timedelta(weeks=week)
            others = more_names(original, weekly, FIRST + week * weekly)
            write(ours, original.ours, original.names, others, at)
            write(jobs, original.jobs, original.names, others, at)
            gone += clean(queue, store, at + timedelta(days=1))
            vacuum(ours)
            if week in (2, WEEKS // 5, WEEKS // 2, WEEKS):
                both = {**sizes(ours), **(sizes(jobs) if not service.database_url else {})}
                weeks.append(
                    {"reviews": week * weekly, "bytes": on_disk(service, ours), "tables": both}
                )
                print(
                    f"{week} weeks, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True
                )
    queue.client.destroy()
    ours.dispose()
    jobs.dispose()
    return {
        "database": "PostgreSQL" if service.database_url else "SQLite",
        "prompt_bytes": original.prompt_bytes,
        "rows_deleted": gone,
        "seconds": round(time.monotonic() - began),
        "weeks": weeks,
    }


def show(found: Mapping[str, Any]) -> None:
    weeks = found["weeks"]
    last = weeks[-1]["tables"]
    largest = sorted(last, key=lambda name: -last[name])[:14]
    rows = [("all", *(f"{week['bytes'] / 1e6:.1f}" for week in weeks))]
    rows += [
        (name, *(f"{week['tables'].get(name, 0) / 1e6:.1f}" for week in weeks)) for name in largest
    ]
    table([(f"{found['database']}, MB", *(f"{week['reviews']:,}" for week in weeks)), *rows])


def main() -> None:
    reviews = int(sys.argv[1]) if len(sys.argv) > 1 else REVIEWS
    results = []
    with running_postgresql() as server:
        for url in ("", new_database(server)):
            with (
                tempfile.TemporaryDirectory() as folder,
                surroundings(Path(folder), url) as service,
            ):
                results.append(grow(service, reviews))
            show(results[-1])
    print(json.dumps(results))


if __name__ == "__main__":
    main()

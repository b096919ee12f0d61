"""Faults without end, and what must hold after them: nothing lost, nothing twice, every dollar known.

    python benchmarks/reliability.py [PART[=COUNT] …] [--seconds=N] [--database=NAME] [--write]

Without a PART all of them, one after another; each ends at its count, or after so many seconds; with `--write` their rows of docs/reliability.md are
written anew. Whatever does not hold ends it with exit code 1. The numbers of a run are random but for
`--seed=N`. The PostgreSQL server is that of the tests.
"""

import json
import os
import platform
import random
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

sys.path.append(str(Path(__file__).parents[1] / "tests"))
sys.path.append(str(Path(__file__).parents[1] / "tests" / "service"))

import reliability_parts as parts
from databases import running_postgresql
from reliability_bench import Bench, bench

DOCUMENT = Path(__file__).parents[1] / "docs" / "reliability.md"
_START, _END = "<!-- results: make soak -->\n", "<!-- end of results -->\n"
_HEAD = ("Part", "Database", "Figures", "Seconds", "When")


class Part(NamedTuple):
    """One thing that is done to the service."""

    title: str
    run: Callable[[Bench, int], parts.Figures]
    count: int
    """How often, unless another number is given."""
    databases: Sequence[str] = ("SQLite", "PostgreSQL")
    together: bool = False


PARTS = {
    "kills": Part("`kill -9` of worker and listener", parts.kills, 200),
    "serve": Part("`kill -9` under `reviewbot serve`", parts.kills, 30, together=True),
    "ambiguous": Part("POST done, answer lost", parts.ambiguous, 1_000),
    "deliveries": Part("deliveries in any order", parts.deliveries, 10_000),
    "burst": Part("the same, all reviewed", parts.burst, 10_000, ("SQLite",)),
    "outage": Part("missed deliveries", parts.outage, 500),
    "disk": Part("a full disk", parts.full_disk, 600, ("SQLite",)),
    "frozen": Part("SIGSTOP in mid-question", parts.frozen, 10, ("PostgreSQL",)),
    "rolling": Part("SIGTERM while reviews flow", parts.rolling, 20),
}


def run(
    part: Part, count: int, database: str, server: str, seed: int, seconds: float
) -> tuple[str, ...]:
    """One row of the table. Raises Broken."""
    started = time.monotonic()
    where = server if database == "PostgreSQL" else None
    with bench(where, seed, together=part.together, seconds=seconds) as made:
        figures = part.run(made, count)
    took = time.monotonic() - started
    said = ", ".join(f"{name} {value}" for name, value in figures.items())
    print(
        json.dumps({"part": part.title, "database": database, "seed": seed, **figures}), flush=True
    )
    return (
        part.title,
        database,
        said,
        f"{took:.0f}",
        f"{datetime.now(UTC):%Y-%m-%d}, {machine()}",
    )


def machine() -> str:
    """Cores and memory; how busy others kept it."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, load {os.getloadavg()[1]:.1f}, Python {platform.python_version()}"


def write(rows: Sequence[tuple[str, ...]]) -> None:
    """Put rows into the document, in the place of older ones of the same part and database."""
    text = DOCUMENT.read_text(encoding="utf-8")
    before, rest = text.split(_START)
    old, after = rest.split(_END)
    known = {_key(line): line for line in old.split("\n") if line.startswith("| ")}
    known |= {row[:2]: f"| {' | '.join(row)} |" for row in rows}
    known = {key: line for key, line in known.items() if key[1] in ("SQLite", "PostgreSQL")}
    order = [(part.title, name) for part in PARTS.values() for name in part.databases]
    lines = [f"| {' | '.join(_HEAD)} |", "|---|---|---|---:|---|"]
    lines += [known[key] for key in order if key in known]
    DOCUMENT.write_text(before + _START + "\n".join(lines) + "\n" + _END + after, encoding="utf-8")


def _key(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.split("|")[1:3])


def main(arguments: Sequence[str]) -> int:
    options = [one for one in arguments if one.startswith("--")]
    wanted = [one.partition("=") for one in arguments if not one.startswith("--")]
    chosen = {name: int(count or PARTS[name].count) for name, _, count in wanted}
    chosen = chosen or {name: part.count for name, part in PARTS.items()}
    given, only, most = (_given(options, name) for name in ("seed", "database", "seconds"))
    seconds = float(most[0]) if most else float("inf")
    broken = 0
    needs_server = any("PostgreSQL" in (only or PARTS[name].databases) for name in chosen)
    with running_postgresql() if needs_server else nullcontext("") as server:
        for name, count in chosen.items():
            for database in only or PARTS[name].databases:
                seed = int(given[0]) if given else random.SystemRandom().randrange(10**9)
                try:
                    row = run(PARTS[name], count, database, server, seed, seconds)
                except AssertionError as error:  # what the servers around it did not take, too
                    broken += 1
                    print(f"{name} on {database}, --seed={seed}: {error}", flush=True)
                    continue
                if "--write" in options:
                    write([row])
    return 1 if broken else 0


def _given(options: Sequence[str], name: str) -> list[str]:
    return [one.partition("=")[2] for one in options if one.startswith(f"--{name}=")]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

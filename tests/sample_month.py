"""November 2026 of a small installation, written through the real store; every figure of its report
can be worked out by hand. `python tests/sample_month.py` writes the golden reports anew."""

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from reviewbot.change.model import Change
from reviewbot.costs.budget import Caps
from reviewbot.costs.calls import Call, CallStart
from reviewbot.costs.local import LocalRates
from reviewbot.costs.prices import PriceBook
from reviewbot.costs.settle import settle_call
from reviewbot.costs.summary import CostSummary
from reviewbot.publishing.feedback import Feedback, FeedbackKind, PostedFinding
from reviewbot.publishing.result import Review
from reviewbot.reporting.counterfactuals import Basis
from reviewbot.reporting.page_html import page_html
from reviewbot.reporting.page_text import page_markdown, page_text
from reviewbot.reporting.report import Report, build_report
from reviewbot.reporting.report_csv import report_csv
from reviewbot.reporting.report_json import report_json
from reviewbot.reporting.report_page import report_page
from reviewbot.reporting.window import Window, named_month, previous
from reviewbot.review.answer import Category, Severity
from reviewbot.review.engine import Outcome, Reply, Usage
from reviewbot.review.finding import Finding
from reviewbot.review.regret import PURPOSE, Regret, Side
from reviewbot.routing.model import Route, Tier
from reviewbot.store.ledger import Store
from reviewbot.store.reports import ReportStore, open_report_store

GOLDEN = Path(__file__).parent / "data" / "report"
API_URL = "https://api.github.com"
LATER = datetime(2027, 1, 15, tzinfo=UTC)
#: $1400 over 36 months, 13 cents a kWh, 350 W.
RATES = LocalRates(Decimal(1400), 36, Decimal("0.13"), Decimal(350))
BOOK = PriceBook()
#: All that acme/shop and acme/api together came to, to the last cent.
CAPS = Caps(repository_usd=Decimal("0.30"), operator_usd=Decimal("0.3672"))
REPOSITORY_IDS = {"acme/shop": 22, "acme/api": 23}
OPUS, SONNET, QWEN = "claude-opus-5-5", "claude-sonnet-5-5", "qwen2.5-coder-32b"


def november() -> Window:
    return named_month("2026-11", LATER)


def at(day: int, second: int = 0, *, month: int = 11) -> datetime:
    return datetime(2026, month, day, 12, tzinfo=UTC) + timedelta(seconds=second)


def write_month(store: Store) -> None:
    """Six reviews and seven calls, and one of each just before and after the month."""
    last = datetime(2026, 10, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    _review(store, "r0", "acme/shop", 1, last, Tier.CLAUDE, ("auth",), all_claude="0.012")
    _claude(store, "c0", "r0", "acme/shop", 1, last, Usage(1000, 400))

    _review(
        store, "r1", "acme/shop", 1, at(5), Tier.CLAUDE, ("auth",), all_claude="0.012", findings=2
    )
    _claude(store, "c1", "r1", "acme/shop", 1, at(5), Usage(1000, 400), seconds=10)

    _review(
        store, "r2", "acme/shop", 2, at(6), Tier.LOCAL, (), all_claude="0.010", findings=1,
        regret={(Severity.HIGH, "both"): 1, (Severity.HIGH, "only_claude"): 2,
                (Severity.LOW, "only_local"): 1},
        read_again=Usage(1000, 400),
    )  # fmt: skip
    _local(
        store, "c2", "r2", "acme/shop", 2, at(6), Usage(1500, 100, cache_read=500), 36, joules=7200
    )

    _review(
        store, "r3", "acme/shop", 3, at(8), Tier.CLAUDE, (), all_claude="0.006", overridden=True
    )
    _claude(
        store, "c3", "r3", "acme/shop", 3, at(8), Usage(500, 10), seconds=2, outcome=Outcome.REFUSED
    )
    _claude(store, "c4", "r3", "acme/shop", 3, at(8, 5), Usage(500, 200), seconds=4, model=SONNET)

    _review(store, "r4", "acme/api", 4, at(9), Tier.LOCAL, (), all_claude="0.5", complete=False)
    _local(
        store, "c5", "r4", "acme/api", 4, at(9), Usage(100, 50), 18,
        outcome=Outcome.MALFORMED, attempt=2,
    )  # fmt: skip
    _claude(store, "c6", "r4", "acme/api", 4, at(9, 30), None, outcome=Outcome.TIMED_OUT)

    _review(
        store, "r5", "acme/api", 5, at(10), Tier.LOCAL, (), all_claude=None, complete=False,
        regret={(Severity.HIGH, "both"): 1}, read_again=Usage(500, 10),
    )  # fmt: skip
    _review(store, "r6", "", None, at(11), Tier.SKIP, (), all_claude="0")

    _begin(store, _start("c7", "lost", "acme/shop", 6, at(20), OPUS, reserved="0.10"))

    first = datetime(2026, 12, 1, tzinfo=UTC)
    _review(store, "r8", "acme/shop", 8, first, Tier.CLAUDE, ("auth",), all_claude="0.012")
    _claude(store, "c8", "r8", "acme/shop", 8, first, Usage(1000, 400))


def posted() -> tuple[PostedFinding, ...]:
    """Six published findings: two accepted, one complained about, one open."""
    kinds = FeedbackKind
    return (
        _posted("claude", "auth", [kinds.THUMBS_UP], ended=True),
        _posted("claude", "auth", [kinds.FIXED, kinds.DISMISSED], ended=True),
        _posted("llama", "", [], ended=False),
        _posted("llama", "", [kinds.RESOLVED, kinds.REOPENED], ended=True),
        _posted("ruff", "", [kinds.RESOLVED], ended=False),
        _posted("llama", "", [kinds.REPLY, kinds.KEPT], ended=True),
    )


def basis() -> Basis:
    return Basis(BOOK, OPUS, ("claude-haiku-5-5",), RATES, november().until)


def month_report(store: ReportStore, repository: str | None = None, **more: Any) -> Report:
    """The report of the month as the database has it."""
    window = november()
    return build_report(
        store.sums(window, repository),
        store.totals(previous(window), repository),
        basis(),
        window,
        previous(window),
        repository=repository,
        **{
            "posted": posted(),
            "budgets": store.budget_states(window.since, operator_cap_usd=Decimal(2)),
            "sampled": store.sampled(since=window.since, until=window.until, repository=repository),
        }
        | more,
    )


def written(report: Report) -> dict[str, str]:
    """The report in each format, by the golden file's name."""
    page = report_page(report, api_url=API_URL)
    data = report_json(report, api_url=API_URL)
    return {
        "november.txt": page_text(page) + "\n",
        "november.md": page_markdown(page) + "\n",
        "november.json": json.dumps(data, indent=2) + "\n",
        "november.csv": report_csv(data),
        "november.html": page_html(page),
    }


def _review(
    store: Store,
    name: str,
    repository: str,
    number: int | None,
    when: datetime,
    tier: Tier,
    areas: tuple[str, ...],
    *,
    all_claude: str | None,
    findings: int = 0,
    complete: bool = True,
    overridden: bool = False,
    regret: Mapping[tuple[Severity, Side], int] | None = None,
    read_again: Usage | None = None,
) -> None:
    """`read_again`: what Claude's reading of a sampled review took. It stands in the review alone:
    the ledger's calls are those below."""
    again = read_again and _read_again(name, repository, number or 0, when, read_again)
    cost = CostSummary(all_claude_usd=None if all_claude is None else Decimal(all_claude))
    store.save_review(
        Review(
            id=name,
            change=Change((), title=f"Change {number}", repository=repository, number=number),
            route=Route(tier, areas, "sure", {}, (), (), "", overridden=overridden),
            findings=(_FINDING,) * findings,
            coverage=(),
            calls=(again,) if again else (),
            regret=Regret(Counter(regret)) if regret else None,
            cost=cost,
            created_at=when,
            attention=() if complete else ("the model did not answer",),
        )
    )


_FINDING = Finding(
    path="a.py",
    line=1,
    end_line=1,
    side="RIGHT",
    severity=Severity.HIGH,
    category=Category.CORRECTNESS,
    title="Wrong",
    body="Wrong.",
    quote="x",
    confidence=0.9,
    engine="claude",
)


def _start(
    name: str,
    review: str,
    repository: str,
    number: int,
    when: datetime,
    model: str,
    *,
    reserved: str = "0.25",
    attempt: int = 1,
) -> CallStart:
    own = model == QWEN
    return CallStart(
        id=name,
        review_id=review,
        repository=repository,
        number=number,
        installation=99,
        repository_id=REPOSITORY_IDS[repository],
        purpose="review",
        unit=0,
        attempt=attempt,
        engine="llama" if own else "claude",
        provider=None if own else "anthropic",
        model=model,
        reserved_usd=Decimal(0) if own else Decimal(reserved),
        started_at=when,
    )


def _claude(
    store: Store,
    name: str,
    review: str,
    repository: str,
    number: int,
    when: datetime,
    used: Usage | None,
    *,
    seconds: float = 1.0,
    outcome: Outcome = Outcome.ANSWERED,
    model: str = OPUS,
) -> None:
    counts = {"input_tokens": used.input, "output_tokens": used.output} if used else None
    raw = {"model": model, "usage": counts} if counts else {}
    reply = Reply(outcome, model, seconds, usage=used, raw=raw)
    _settle(store, _start(name, review, repository, number, when, model), reply)


def _local(
    store: Store,
    name: str,
    review: str,
    repository: str,
    number: int,
    when: datetime,
    used: Usage,
    seconds: float,
    *,
    joules: float | None = None,
    outcome: Outcome = Outcome.ANSWERED,
    attempt: int = 1,
) -> None:
    start = _start(name, review, repository, number, when, QWEN, attempt=attempt)
    _settle(store, start, Reply(outcome, QWEN, seconds, usage=used, joules=joules))


def _read_again(review: str, repository: str, number: int, when: datetime, used: Usage) -> Call:
    start = replace(
        _start(f"{review} again", review, repository, number, when, OPUS), purpose=PURPOSE
    )
    counts = {"input_tokens": used.input, "output_tokens": used.output}
    reply = Reply(Outcome.ANSWERED, OPUS, 1, usage=used, raw={"model": OPUS, "usage": counts})
    return settle_call(start, reply, prices=BOOK, rates=RATES, at=when)


def _begin(store: Store, start: CallStart) -> None:
    refusal = store.start_call(start, CAPS)
    if refusal:
        raise ValueError(f"{start.id} does not fit: {refusal}")


def _settle(store: Store, start: CallStart, reply: Reply) -> None:
    _begin(store, start)
    ended = start.started_at + timedelta(seconds=reply.seconds)
    store.settle_call(settle_call(start, reply, prices=BOOK, rates=RATES, at=ended))


def _posted(engine: str, area: str, kinds: Iterable[FeedbackKind], *, ended: bool) -> PostedFinding:
    tier, model = ("claude", OPUS) if engine == "claude" else ("local", QWEN)
    return PostedFinding(
        review_id="r1",
        installation=99,
        repository_id=22,
        repository="acme/shop",
        number=1,
        fingerprint="0" * 16,
        engine=engine,
        model="" if engine == "ruff" else model,
        tier=tier,
        areas=(area,) if area else (),
        severity="high",
        category="correctness",
        path="a.py",
        line=1,
        inline=True,
        posted_at=at(5),
        pull_ended_at=at(7) if ended else None,
        merged=ended,
        feedback=tuple(Feedback(kind, "ann", at(6, n)) for n, kind in enumerate(kinds)),
    )


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        open_report_store(f"sqlite:///{folder}/x.db") as store,
    ):
        write_month(store)
        texts = written(month_report(store))
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (GOLDEN / name).write_text(text, "utf-8")
        sys.stdout.write(f"{name}\n")


if __name__ == "__main__":
    main()

"""Reserves, bills, lost answers, new caps and new months in any order, against a plain model."""

import itertools
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine
from ledger_sums import ledger_sums

from reviewbot.costs.budget import Caps, Payer, Scope
from reviewbot.costs.calls import Call, CallStart
from reviewbot.review.engine import Outcome
from reviewbot.store.engine import connect
from reviewbot.store.jobs import JobStore, open_job_store
from reviewbot.store.schema import metadata

#: Steps of a trillionth of a dollar among them.
AMOUNTS = st.decimals(min_value=0, max_value=5, places=12)
RESERVES = st.decimals(min_value="0.000000000001", max_value=5, places=12)
CAPS = st.one_of(st.none(), st.decimals(min_value=0, max_value=12, places=6))
PULLS = st.sampled_from([(1, 7), (1, 8), (2, 7), (2, None)])


class Money(RuleBasedStateMachine):
    """Calls of a few pull requests. The model is plain sums; the store must agree after each step."""

    fresh: Callable[[], str]
    """The URL of a database without rows."""
    calls = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.store: JobStore = open_job_store(self.fresh())
        self.now = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
        self.caps = Caps()
        self.used: dict[Scope, Decimal] = {}
        self.refusals = 0

    def teardown(self) -> None:
        self.store.close()

    def scopes(self, start: CallStart) -> tuple[Scope, ...]:
        payer = Payer(start.repository, start.repository_id, start.number)
        return payer.scopes(start.started_at)

    def book(self, start: CallStart, usd: Decimal) -> None:
        for scope in self.scopes(start):
            self.used[scope] = self.used.get(scope, Decimal(0)) + usd

    @rule(pull=CAPS, repository=CAPS, operator=CAPS)
    def cap(
        self, pull: Decimal | None, repository: Decimal | None, operator: Decimal | None
    ) -> None:
        self.caps = Caps(pull, repository, operator)

    @rule(days=st.integers(1, 40))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule(target=calls, pull=PULLS, reserve=RESERVES)
    def reserve(self, pull: tuple[int, int | None], reserve: Decimal) -> CallStart:
        repository_id, number = pull
        start = CallStart(
            id=str(uuid.uuid4()),
            review_id="review",
            repository="acme/shop",
            number=number,
            installation=1,
            repository_id=repository_id,
            purpose="review",
            unit=0,
            attempt=1,
            engine="claude",
            provider="anthropic",
            model="claude-opus-5-5",
            reserved_usd=reserve,
            started_at=self.now,
        )
        fits = all(
            self.used.get(scope, Decimal(0)) + reserve <= cap
            for scope in self.scopes(start)
            if (cap := self.caps.of(scope.kind)) is not None
        )

        refusal = self.store.start_call(start, self.caps)

        assert (refusal is None) == fits
        assert (self.store.start_call(start, self.caps) is None) == fits, (
            "a second time is the first"
        )
        if not fits:
            self.refusals += 1
            return replace(start, reserved_usd=Decimal(0))
        self.book(start, reserve)
        return start

    @rule(start=consumes(calls), usd=AMOUNTS)
    def bill(self, start: CallStart, usd: Decimal) -> None:
        """It is never more than the reserve, which is a proven bound."""
        usd = min(usd, start.reserved_usd)
        outcome = Outcome.ANSWERED if start.reserved_usd else Outcome.OVER_BUDGET
        self.store.settle_call(Call(start, outcome, start.model, self.now, 1.0, usd=usd))
        self.book(start, usd - start.reserved_usd)

    @rule(start=consumes(calls))
    def lose(self, start: CallStart) -> None:
        """It stays at its reserve."""
        call = Call(start, Outcome.TIMED_OUT, start.model, self.now, 1.0, unknown=True)
        self.store.settle_call(replace(call, usd=start.reserved_usd))

    @invariant()
    def accounts_are_the_model_and_the_ledger(self) -> None:
        sums = ledger_sums(self.store.calls())
        for scope, used in self.used.items():
            repository, _, number = scope.name.partition("#")
            payer = Payer("", int(repository or 0), int(number) if number else None)
            at = datetime.fromisoformat(f"{scope.period}-01T00:00Z") if scope.period else self.now
            account = self.store.spending(payer, at).of(scope.kind)
            assert account is not None
            assert account.used_usd == used
            there = sums.get(scope, {"reserved": 0, "unknown": 0, "external": 0})
            assert (account.reserved_usd, account.unknown_usd, account.external_usd) == (
                there["reserved"], there["unknown"], there["external"],
            )  # fmt: skip
        assert sum(self.store.budgets(self.now).refused.values()) == self.refusals


def emptied(url: str) -> str:
    """PostgreSQL: all rows of all tables away; the ledger's own refusal is put aside for that."""
    open_job_store(url).close()
    engine = connect(url)
    with engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        for table in metadata.sorted_tables:
            connection.execute(sa.delete(table))
    engine.dispose()
    return url


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_any_order_of_things_comes_to_the_same_sums(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if kind == "postgresql":
        url = request.getfixturevalue("postgresql_url")
        fresh = lambda: emptied(url)  # noqa: E731
    else:
        numbers = itertools.count()
        fresh = lambda: f"sqlite:///{tmp_path}/{next(numbers)}.db"  # noqa: E731
    machine = type("Machine", (Money,), {"fresh": staticmethod(fresh)})

    run_machine(
        machine,
        settings=settings(
            max_examples=settings().max_examples // 10,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

"""Accounts say what the ledger says, and no call is begun that a cap does not cover."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from ledger_sums import Key, Sums, ledger_sums

from reviewbot.costs.budget import Account, Caps, Payer, Refusal
from reviewbot.costs.calls import Call, CallStart
from reviewbot.errors import StoreError
from reviewbot.review.engine import Outcome
from reviewbot.store.engine import connect
from reviewbot.store.jobs import JobStore, open_job_store
from reviewbot.store.ledger import Store
from reviewbot.store.schema import accounts

NewStart = Callable[..., CallStart]
Answered = Callable[..., Call]

SHOP = Payer("acme/shop", 22, 7)
NOVEMBER = datetime(2026, 11, 21, 12, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


def booked(url: str) -> dict[Key, Sums]:
    """All accounts on which anything is booked."""
    engine = connect(url)
    with engine.connect() as connection:
        rows = connection.execute(sa.select(accounts)).mappings().all()
    engine.dispose()
    names = ("reserved", "unknown", "external", "claude", "local")
    found = {
        (row["kind"], row["name"], row["period"]): {
            **{name: row[f"{name}_usd"] for name in names},
            "calls": row["calls"],
        }
        for row in rows
    }
    return {key: sums for key, sums in found.items() if any(sums.values())}


def account(store: Store, kind: str, at: datetime = NOVEMBER) -> Account:
    return next(a for a in store.spending(SHOP, at).accounts if a.scope.kind == kind)


def test_every_fate_of_a_call_is_booked_as_the_ledger_has_it(
    url: str, store: Store, new_start: NewStart, answered: Answered
) -> None:
    runs, done, lost, failed = (new_start() for _ in range(4))
    played, here, elsewhere = new_start(), new_start(engine="llama", provider=None), new_start()
    here = replace(here, reserved_usd=Decimal(0))
    elsewhere = replace(elsewhere, repository_id=23, number=None, engine="openai")
    for start in (runs, done, lost, failed, played, here, elsewhere):
        store.start_call(start)
    store.settle_call(answered(done, usd=Decimal("0.000000000001")))
    store.settle_call(
        answered(lost, outcome=Outcome.TIMED_OUT, usd=lost.reserved_usd, unknown=True)
    )
    store.settle_call(answered(failed, outcome=Outcome.OVERLOADED, usd=Decimal(0)))
    store.settle_call(answered(played, scripted=True))
    local = {
        "usd": Decimal(0),
        "energy_usd": Decimal("1e-12"),
        "amortisation_usd": Decimal("2e-12"),
    }
    store.settle_call(answered(here, **local, joules=12.5))
    store.settle_call(answered(elsewhere))

    assert booked(url) == ledger_sums(store.calls())
    pull = account(store, "pull")
    assert (pull.reserved_usd, pull.unknown_usd) == (runs.reserved_usd, lost.reserved_usd)
    assert (pull.external_usd, pull.local_usd) == (Decimal("1e-12"), Decimal("3e-12"))
    assert (pull.calls, pull.joules) == (4, 12.5)
    assert account(store, "operator").calls == 5


@pytest.mark.parametrize(
    ("caps", "kind"),
    [
        (Caps(pull_usd=Decimal("0.49")), "pull"),
        (Caps(repository_usd=Decimal("0.49")), "repository"),
        (Caps(operator_usd=Decimal("0.49")), "operator"),
    ],
)
def test_a_call_that_does_not_fit_is_in_the_ledger_and_reserves_nothing(
    url: str, store: Store, new_start: NewStart, answered: Answered, caps: Caps, kind: str
) -> None:
    first, second = new_start(), new_start()

    refusals = [store.start_call(start, caps) for start in (first, second)]
    store.settle_call(answered(first))
    held = replace(second, reserved_usd=Decimal(0))
    store.settle_call(
        answered(held, outcome=Outcome.OVER_BUDGET, usd=Decimal(0), usage=None, price=None)
    )

    assert refusals == [None, Refusal(kind, Decimal("0.49"), may_fit_later=True)]
    assert [entry.start.reserved_usd for entry in store.calls()] == [Decimal("0.25"), 0]
    assert booked(url) == ledger_sums(store.calls())
    assert account(store, kind).calls == 1
    assert store.budgets(NOVEMBER).refused == {kind: 1}


def test_what_settles_below_its_reserve_makes_room(
    store: Store, new_start: NewStart, answered: Answered
) -> None:
    caps, first = Caps(operator_usd=Decimal("0.3")), new_start()
    store.start_call(first, caps)
    before = store.start_call(new_start(), caps)
    store.settle_call(answered(first, usd=Decimal("0.05")))

    assert before is not None
    assert store.start_call(new_start(), caps) is None
    assert store.start_call(new_start(reserved_usd=Decimal("1e-12")), caps) is not None


def test_an_unknown_bill_keeps_its_reserve(
    store: Store, new_start: NewStart, answered: Answered
) -> None:
    caps, lost = Caps(operator_usd=Decimal("0.3")), new_start()
    store.start_call(lost, caps)
    store.settle_call(answered(lost, usd=lost.reserved_usd, unknown=True))

    assert store.start_call(new_start(), caps) == Refusal("operator", Decimal("0.3"))


def test_each_pull_request_repository_and_month_has_its_own_money(
    store: Store, new_start: NewStart
) -> None:
    caps = Caps(Decimal("0.25"), Decimal("0.5"), Decimal("0.75"))
    starts = {
        "first": new_start(),
        "same pull request": new_start(),
        "another": new_start(number=8),
        "too much for the repository": new_start(number=9),
        "another repository": new_start(repository_id=23),
        "too much for all": new_start(repository_id=24),
        "next month, same pull request": new_start(started_at=DECEMBER),
        "next month": new_start(number=9, started_at=DECEMBER),
    }

    refused = {name: store.start_call(start, caps) for name, start in starts.items()}

    assert {name: refusal.kind for name, refusal in refused.items() if refusal} == {
        "same pull request": "pull",
        "too much for the repository": "repository",
        "too much for all": "operator",
        "next month, same pull request": "pull",
    }


def test_a_call_belongs_to_the_month_in_which_it_began(
    store: Store, new_start: NewStart, answered: Answered
) -> None:
    start = new_start(started_at=DECEMBER - timedelta(microseconds=1))
    store.start_call(start)
    store.settle_call(answered(start, settled_at=DECEMBER))

    assert account(store, "repository").external_usd == Decimal("0.006")
    assert account(store, "repository", DECEMBER).calls == 0


def test_what_the_ledger_refuses_is_not_booked(
    url: str, store: Store, new_start: NewStart, answered: Answered
) -> None:
    start = new_start()
    store.start_call(start)
    store.settle_call(answered(start))
    before = booked(url)

    for again in (lambda: store.start_call(start), lambda: store.settle_call(answered(start))):
        with pytest.raises(StoreError):
            again()

    assert booked(url) == before == ledger_sums(store.calls())


@pytest.fixture
def jobs(url: str) -> Iterator[JobStore]:
    with open_job_store(url) as opened:
        yield opened


def test_a_start_that_is_written_again_is_reserved_once(
    url: str, jobs: JobStore, new_start: NewStart
) -> None:
    """A connection may break after the commit: nobody knows whether it was done."""
    caps, taken, refused = Caps(operator_usd=Decimal("0.3")), new_start(), new_start()

    first = [jobs.start_call(start, caps) for start in (taken, refused)]
    again = [jobs.start_call(start, caps) for start in (taken, refused)]

    assert [refusal and refusal.kind for refusal in first] == [None, "operator"]
    assert [refusal and refusal.kind for refusal in again] == [None, "operator"]
    assert booked(url) == ledger_sums(jobs.calls())
    assert jobs.budgets(NOVEMBER).refused == {"operator": 1}

    jobs.start_call(new_start(), Caps())  # somebody without a cap asks in between

    assert jobs.start_call(refused, caps)  # nothing was reserved for it: it stays refused


def test_the_fullest_repository_and_pull_request_of_the_month_are_found(
    store: Store, new_start: NewStart
) -> None:
    before = NOVEMBER - timedelta(days=30)
    for number, cap, at in ((7, "0.5", NOVEMBER), (8, "0.3", NOVEMBER), (9, "0.26", before)):
        caps = Caps(pull_usd=Decimal(cap), repository_usd=Decimal(10))
        store.start_call(new_start(number=number, started_at=at), caps)

    now = store.budgets(NOVEMBER)

    assert {a.scope.kind: (a.scope.name, a.cap_usd) for a in now.fullest} == {
        "pull": ("22#8", Decimal("0.3")),
        "repository": ("22", Decimal(10)),
    }
    assert now.operator.used_usd == Decimal("0.5")
    assert store.budgets(DECEMBER).operator.used_usd == 0

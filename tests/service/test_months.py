"""Months that are added up once: new calls are seen, and much work is not done for each page."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from databases import new_database
from publishing.sample_reviews import shop_review
from sample_month import at, write_month

from reviewbot.config.settings import Settings
from reviewbot.reporting.sums import Sums
from reviewbot.reporting.window import Window, named_month
from reviewbot.service.months import LIFE_SECONDS, PATIENCE, Months
from reviewbot.store.browse import Wanted
from reviewbot.store.reports import ReportStore, open_report_store

NOW = datetime(2026, 11, 29, 18, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ReportStore]:
    url = f"sqlite:///{tmp_path}/x.db"
    if request.param == "postgresql":
        url = new_database(request.getfixturevalue("postgresql_server"))
    with open_report_store(url) as opened:
        write_month(opened)
        yield opened


@dataclass
class Slow(ReportStore):
    """A store that takes a while by the months' own clock, and counts how often it adds up."""

    store: ReportStore
    seconds: float = 0.0
    clock: float = 1000.0
    added_up: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.store._engine)

    def sums(self, window: Window, repository: str | None = None) -> Sums:
        self.clock += self.seconds
        self.added_up.append(f"{window.since:%Y-%m} {repository or ''}".strip())
        return super().sums(window, repository)


def months_of(slow: Slow) -> Months:
    return Months(Settings(), lambda: slow, lambda: NOW, lambda: slow.clock)


def another_review(store: ReportStore) -> None:
    store.save_review(replace(shop_review(), id="new", created_at=at(28)))


def test_a_month_is_added_up_once_while_nothing_is_new(store: ReportStore) -> None:
    slow = Slow(store)
    months = months_of(slow)

    first, second = months.report(), months.report()
    months.report("2026-11", "acme/shop")

    assert first is second
    assert slow.added_up == ["2026-11", "2026-11 acme/shop"]


def test_what_is_new_shows_at_once_where_that_is_quick(store: ReportStore) -> None:
    months = months_of(Slow(store, seconds=0.1))
    before = months.report().value.now.reviews

    another_review(store)

    assert months.report().value.now.reviews == before + 1


def test_a_month_that_takes_long_may_be_behind_but_not_for_long(store: ReportStore) -> None:
    slow = Slow(store, seconds=1.0)
    months = months_of(slow)
    before = months.report().value.now.reviews
    another_review(store)

    soon = months.report().value.now.reviews
    slow.clock += PATIENCE * 1.0
    later = months.report().value.now.reviews

    assert (soon, later) == (before, before + 1)


def test_nothing_is_believed_for_ever(store: ReportStore) -> None:
    slow = Slow(store)
    months = months_of(slow)
    months.report()

    slow.clock += LIFE_SECONDS

    months.report()
    assert slow.added_up == ["2026-11", "2026-11"]


def test_the_trend_tells_each_month_as_its_report_does(store: ReportStore) -> None:
    store.save_review(replace(shop_review(), id="old", created_at=at(3, month=8)))
    months = months_of(Slow(store))

    trend = months.trend()

    assert [f"{each.window.since:%Y-%m}" for each in trend] == [
        "2026-08",
        "2026-09",
        "2026-10",
        "2026-11",
    ]
    for each in trend:
        told = months.report(f"{each.window.since:%Y-%m}").value.now
        assert (each.reviews, each.calls) == (told.reviews, told.calls)
        assert each.spending.total_usd == told.spending.total_usd


def test_a_ledger_of_this_month_has_no_trend(tmp_path: Path) -> None:
    with open_report_store(f"sqlite:///{tmp_path}/new.db") as store:
        store.save_review(replace(shop_review(), created_at=at(3)))

        assert len(months_of(Slow(store)).trend()) == 1


def test_the_stamp_of_a_month_is_its_own(store: ReportStore) -> None:
    october, november = (named_month(name, NOW) for name in ("2026-10", "2026-11"))
    before = store.stamp(october), store.stamp(november)

    another_review(store)

    assert store.stamp(october) == before[0]
    assert store.stamp(november) != before[1]


def test_lists_tell_what_each_review_came_to(store: ReportStore) -> None:
    store.save_review(replace(shop_review(), id="new", created_at=at(28)))

    _, newest, *_ = store.review_lines(Wanted(), 3)  # the first is of December
    older = store.review_lines(Wanted(repository="acme/shop", after=newest.place), 50)

    assert (newest.id, newest.title, newest.tier) == ("new", "Refund a share of an order", "claude")
    assert newest.usd == "0.041296"
    assert (newest.findings, newest.complete, newest.scripted) == (3, True, False)
    assert newest.id not in {line.id for line in older}
    assert {line.repository for line in older} == {"acme/shop"}
    assert store.listed_repositories() == ["acme/api", "acme/shop"]
    assert store.begun() == at(31, month=10).replace(
        hour=23, minute=59, second=59, microsecond=999_999
    )


def test_places_in_a_list_differ_by_id_at_one_moment(store: ReportStore) -> None:
    for name in ("a", "b", "c"):
        made = at(25) + timedelta(seconds=1)
        store.save_review(replace(shop_review(), id=name, created_at=made))

    first, *_ = store.review_lines(Wanted(), 1)
    rest = store.review_lines(Wanted(after=first.place), 2)

    assert [first.id, *(line.id for line in rest)][:3] == ["r8", "c", "b"]

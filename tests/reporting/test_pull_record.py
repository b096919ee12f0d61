"""A pull request's record: nothing of it is lost, and it fits into a comment."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from publishing.sample_reviews import shop_review

from reviewbot.costs.budget import Scope
from reviewbot.publishing.record import MAX_LINE, Place
from reviewbot.reporting.pull_record import (
    NO_RECORD,
    Earlier,
    Last,
    PullRecord,
    read_record,
    write_record,
)
from reviewbot.reporting.recorded import missing_of, recorded_sums
from reviewbot.reporting.sums import CallSum, ReviewSum

KEY, PLACE = b"key", Place(1, 7)
USD = st.decimals(min_value=0, max_value=1_000, places=12)
COUNTS = st.integers(0, 10**9)
JOULES = st.floats(0, 1e12, allow_nan=False)
MONTHS = st.builds("{}-{:02}".format, st.integers(2026, 2028), st.integers(1, 12))
NAMES = st.sampled_from(["claude-opus-5-5", "qwen", "haiku"])
AREAS = st.lists(st.sampled_from(["auth", "payments", "migrations"]), unique=True).map(tuple)
CALLS = st.builds(
    CallSum,
    day=st.builds("{}-{:02}".format, MONTHS, st.integers(1, 28)),
    engine=st.sampled_from(["claude", "openai"]),
    provider=st.sampled_from([None, "anthropic"]),
    model=NAMES,
    outcome=st.sampled_from(["answered", "refused", "unknown"]),
    joules_how=st.sampled_from(["measured", "none"]),
    tier=st.sampled_from([None, "claude", "local"]),
    areas=AREAS,
    complete=st.sampled_from([None, True, False]),
    **dict.fromkeys(
        [
            "calls",
            "retries",
            "counted",
            "input",
            "output",
            "cache_read",
            "cache_write",
            "cached",
            "estimated",
            "scripted",
            "unknown",
        ],
        COUNTS,
    ),
    **dict.fromkeys(["usd", "unknown_usd", "energy_usd", "amortisation_usd"], USD),
    **dict.fromkeys(["joules", "busy_seconds"], JOULES),
)
REVIEWS = st.builds(
    ReviewSum,
    tier=st.sampled_from(["claude", "local", "skip"]),
    areas=AREAS,
    complete=st.booleans(),
    overridden=st.booleans(),
    read=st.booleans(),
    reviews=COUNTS,
    findings=COUNTS,
    all_claude_usd=USD,
)
FINGERPRINTS = st.lists(st.text("0123456789abcdef", min_size=16, max_size=16), max_size=5).map(
    tuple
)
LASTS = st.builds(
    Last,
    head=st.text(max_size=40),
    base=st.text(max_size=40),
    request=st.just("auto"),
    tier=st.just("claude"),
    areas=AREAS,
    findings=COUNTS,
    worst=st.sampled_from([None, "high"]),
    complete=st.booleans(),
    usd=USD,
)
RECORDS = st.builds(
    PullRecord,
    last=st.none() | LASTS,
    posted=FINGERPRINTS,
    dismissed=FINGERPRINTS,
    calls=st.lists(CALLS, max_size=5).map(tuple),
    reviews=st.lists(st.tuples(MONTHS, REVIEWS), max_size=4).map(tuple),
    earlier=st.builds(Earlier, USD, USD, COUNTS),
    lost=st.lists(MONTHS, max_size=2).map(tuple),
)


@given(RECORDS)
def test_it_comes_back_as_it_was(record: PullRecord) -> None:
    assert PullRecord.from_json(record.to_json()) == record


@given(RECORDS)
def test_however_much_it_is_shortened_no_dollar_is_lost(record: PullRecord) -> None:
    whole = record.account(Scope("pull", "", ""))

    for shorter in record.smaller():
        account = shorter.account(Scope("pull", "", ""))
        assert account.used_usd == whole.used_usd
        assert account.local_usd == whole.local_usd
        assert account.calls == whole.calls


@given(
    st.dictionaries(
        st.sampled_from(["last", "posted", "calls", "reviews", "earlier", "lost"]),
        st.integers() | st.text() | st.lists(st.integers(), max_size=3),
    )
)
def test_what_is_no_record_is_a_value_error(data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        PullRecord.from_json(data)


def test_a_review_is_added_once_for_each_call_and_month() -> None:
    review = shop_review()
    later = replace(review, created_at=datetime(2027, 1, 2, tzinfo=UTC))

    record = NO_RECORD.with_review(review, request="auto", posted=["a" * 16])
    record = record.with_review(later, request="auto", posted=["a" * 16, "b" * 16])

    assert record.posted == ("a" * 16, "b" * 16)
    assert [month for month, _ in record.reviews] == [f"{review.created_at:%Y-%m}", "2027-01"]
    assert sum(call.calls for call in record.calls) == 2 * len(review.calls)
    known = sum(call.usd for call in review.calls if not call.unknown)
    assert sum(call.usd for call in record.calls) == 2 * known
    assert record.last
    assert record.last.usd == review.cost.total_usd


def test_a_long_life_fits_into_a_comment_and_says_what_it_lost() -> None:
    """Ten years of daily calls to three models; the newest month stays whole."""
    row = NO_RECORD.with_review(shop_review(), request="auto").calls[0]
    calls = tuple(
        row._replace(day=f"{year}-{month:02}-{day:02}", model=model, usd=Decimal("0.01"))
        for year in range(2026, 2036)
        for month in range(1, 13)
        for day in (1, 9, 17, 25)
        for model in ("opus", "haiku", "qwen")
    )
    record = replace(NO_RECORD, calls=calls, posted=tuple(f"{n:016x}" for n in range(900)))

    line = write_record(KEY, PLACE, record)
    kept, ignored = read_record(KEY, PLACE, line)

    assert 0 < len(line) <= MAX_LINE
    assert ignored == ""
    assert kept.lost
    assert kept.months[-1] == "2035-12"
    scope = Scope("pull", "", "")
    assert kept.account(scope).used_usd == record.account(scope).used_usd
    december = Scope("repository", "", "2035-12")
    assert kept.account(december).external_usd == Decimal("0.12")
    assert "#7" in " ".join(missing_of("a/b", {7: kept}, kept.lost[0], whole=True))


@given(st.lists(RECORDS, min_size=1, max_size=3), MONTHS)
def test_a_months_sums_are_the_records_of_that_month(records: list[PullRecord], month: str) -> None:
    sums = recorded_sums("acme/shop", dict(enumerate(records, 1)), month)

    accounts = [record.account(Scope("repository", "", month)) for record in records]
    assert sum((call.usd for call in sums.calls), Decimal(0)) == sum(
        (each.external_usd for each in accounts), Decimal(0)
    )
    assert sum(call.calls for call in sums.calls) == sum(each.calls for each in accounts)
    assert sum(pull.calls for pull in sums.pulls) == sum(call.calls for call in sums.calls)

"""A small month, written through the real store, comes to what it comes to by hand."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from publishing.sample_reviews import held_review, shop_review
from sample_month import (
    CAPS,
    OPUS,
    QWEN,
    SONNET,
    at,
    basis,
    month_report,
    november,
    write_month,
)

from reviewbot.costs.calls import Call, CallStart
from reviewbot.publishing.result import Review
from reviewbot.reporting.acceptance import Acceptance
from reviewbot.reporting.breakdown import DayLine
from reviewbot.reporting.page_text import page_text
from reviewbot.reporting.ratio import Ratio
from reviewbot.reporting.regret import Counts
from reviewbot.reporting.report import Report, build_report
from reviewbot.reporting.report_json import report_json
from reviewbot.reporting.report_page import report_page
from reviewbot.reporting.spending import spending_of
from reviewbot.reporting.sums import Latency, Refusals, Sums
from reviewbot.reporting.window import between, previous
from reviewbot.review.answer import Severity
from reviewbot.review.engine import Outcome
from reviewbot.store.reports import ReportStore, open_report_store

#: 36 and 18 busy seconds of $1400 over 36 months of 2 629 800 seconds.
WEAR_36, WEAR_18 = Decimal("0.000532359875"), Decimal("0.000266179938")
#: 7 200 measured joules, and 18 seconds at 350 W, at 13 cents a kWh.
POWER_36, POWER_18 = Decimal("0.00026"), Decimal("0.0002275")
MONTHLY = Decimal("38.888888888889")


@pytest.fixture
def store(url: str) -> Iterator[ReportStore]:
    with open_report_store(url) as opened:
        write_month(opened)
        yield opened


@pytest.fixture
def report(store: ReportStore) -> Report:
    return month_report(store)


def test_money_is_told_by_who_got_it(report: Report) -> None:
    spent = report.spending

    assert spent.claude_usd == Decimal("0.012") + Decimal("0.0022") + Decimal("0.003")
    assert spent.other_usd == 0
    assert spent.energy_usd == POWER_36 + POWER_18
    assert spent.amortisation_usd == WEAR_36 + WEAR_18
    assert spent.hardware_usd == MONTHLY
    assert spent.idle_usd == MONTHLY - WEAR_36 - WEAR_18
    assert spent.total_usd == Decimal("0.0172") + POWER_36 + POWER_18 + MONTHLY
    assert spent.unknown_usd == Decimal("0.25") + Decimal("0.10"), "a time-out and a crash"


def test_energy_says_how_it_was_counted(report: Report) -> None:
    energy = report.spending.energy

    assert (energy.kwh, energy.measured_kwh) == (Decimal("0.00375"), Decimal("0.002"))
    assert (energy.busy_hours, energy.how) == (Decimal("0.015"), "mixed")


def test_reviews_are_counted_by_tier_and_area(report: Report) -> None:
    assert (report.now.pulls, report.now.reviews, report.now.calls) == (4, 6, 7)
    assert report.now.claude == Ratio(2, 6)
    assert (report.routed_only, report.incomplete) == (1, Ratio(1, 5))
    assert (report.findings, report.overrides) == (3, Ratio(1, 6))
    assert [(line.name, line.reviews.part, line.calls, line.usd) for line in report.tiers] == [
        ("local", 3, 3, WEAR_36 + WEAR_18 + POWER_36 + POWER_18),
        ("claude", 2, 3, Decimal("0.0172")),
        ("skip", 1, 0, 0),
    ]
    assert [(line.name, line.reviews.part, line.usd) for line in report.areas] == [
        ("no area", 5, Decimal("0.0052") + WEAR_36 + WEAR_18 + POWER_36 + POWER_18),
        ("auth", 1, Decimal("0.012")),
    ]


def test_models_have_their_tokens_rates_and_times(report: Report) -> None:
    opus, sonnet, qwen = report.models

    assert (opus.model, opus.calls, opus.prompt, opus.output) == (OPUS, 4, 1500, 410)
    assert (opus.usd, opus.refused, opus.malformed) == (
        Decimal("0.0142"),
        Ratio(1, 2),
        Ratio(0, 2),
    )
    assert opus.latency == Latency("claude", OPUS, 1, 10, 10)
    assert (sonnet.model, sonnet.usd, sonnet.retries) == (SONNET, Decimal("0.003"), Ratio(0, 1))
    assert (qwen.model, qwen.cache, qwen.cached_calls) == (QWEN, Ratio(500, 2100), Ratio(1, 2))
    assert (qwen.malformed, qwen.retries) == (Ratio(1, 2), Ratio(1, 2))
    assert (qwen.usd, qwen.energy_usd) == (0, POWER_36 + POWER_18)


def test_what_pull_requests_cost(report: Report) -> None:
    costs = report.pull_costs

    paid = [Decimal("0.012"), Decimal("0.0052"), POWER_36 + WEAR_36, POWER_18 + WEAR_18]
    assert (costs.pulls, costs.mean_usd) == (5, sum(paid) / 5)
    assert (costs.p50_usd, costs.p95_usd) == (POWER_36 + WEAR_36, Decimal("0.012"))
    assert [(pull.repository, pull.number, pull.usd) for pull in costs.dearest] == list(
        zip(["acme/shop"] * 3 + ["acme/api"], [1, 3, 2, 4], paid, strict=True)
    )
    assert costs.titles["acme/api", 4] == "Change 4"
    assert report.per_finding_usd == sum(paid) / 3
    assert report.per_accepted_usd == sum(paid) / 2


def test_people_accept_and_complain(report: Report) -> None:
    by = report.acceptance_by

    assert report.acceptance == Acceptance(published=6, accepted=2, complaints=1, open=1)
    assert report.acceptance.acceptance == Ratio(2, 5)
    assert report.acceptance.complaint == Ratio(1, 6)
    assert by["engine"] == {
        "llama": Acceptance(3, 0, 0, 1),
        "claude": Acceptance(2, 1, 1, 0),
        "ruff": Acceptance(1, 1, 0, 0),
    }
    assert by["model"] == {QWEN: Acceptance(3, 0, 0, 1), OPUS: Acceptance(2, 1, 1, 0)}
    assert by["route"] == {"local": Acceptance(4, 1, 0, 1), "claude": Acceptance(2, 1, 1, 0)}
    assert by["area"] == {"no area": Acceptance(4, 1, 0, 1), "auth": Acceptance(2, 1, 1, 0)}


def test_failures_have_a_part_and_a_whole(report: Report) -> None:
    failures = report.failures

    assert (failures.malformed, failures.refused) == (Ratio(1, 5), Ratio(1, 5))
    assert failures.taken_over == Ratio(1, 1), "the refused question was asked of another model"
    assert (failures.retries, failures.unknown) == (Ratio(1, 7), Ratio(2, 7))
    assert dict(failures.outcomes) == {
        "answered": Ratio(3, 7),
        "malformed": Ratio(1, 7),
        "refused": Ratio(1, 7),
        "timed_out": Ratio(1, 7),
        "unknown": Ratio(1, 7),
    }


def test_other_ways_are_compared_over_complete_reviews(report: Report) -> None:
    found = report.counterfactuals

    assert (found.compared, found.left_out) == (4, 1)
    assert found.all_claude_usd == Decimal("0.028")
    assert found.actual.total_usd == Decimal("0.0172") + POWER_36 + MONTHLY
    assert found.saved_usd == Decimal("0.028") - found.actual.total_usd
    assert found.local_lost
    assert found.claude_for_local_usd == Decimal("0.0108")
    assert found.cheapest
    assert found.cheapest.model == "claude-haiku-5-5"
    # 2000 tokens in at $0.10 and 100 out at $0.50 a million
    assert found.cheapest_usd == Decimal("0.0172") + Decimal("0.00025")
    # 1500 tokens read and 600 written in 21.5 s more, at the 200 W that were measured
    assert found.all_local
    assert found.all_local.usd == POWER_36 + Decimal("0.000155277778") + MONTHLY
    assert found.all_local.machines == 1


def test_budgets_say_how_far_they_are_used(report: Report, store: ReportStore) -> None:
    total, api, shop = report.budgets

    assert (total.name, total.used_usd) == ("all repositories", Decimal("0.3672"))
    assert (api.name, api.used_usd) == ("acme/api", Decimal("0.25"))
    # three bills, and the reserve of a call that never ended
    assert (shop.name, shop.used_usd) == ("acme/shop", Decimal("0.0172") + Decimal("0.10"))
    assert [each.state for each in report.budgets] == ["exhausted", "nearly used up", "open"]
    october = store.budget_states(at(31, month=10), operator_cap_usd=None)
    assert [(each.name, each.used_usd) for each in october] == [
        ("all repositories", Decimal("0.012")),
        ("acme/shop", Decimal("0.012")),
    ]


def test_a_call_that_did_not_fit_exhausts_a_budget(store: ReportStore) -> None:
    start = CallStart(
        id="refused",
        review_id="r9",
        repository="acme/shop",
        number=9,
        installation=99,
        repository_id=22,
        purpose="review",
        unit=0,
        attempt=1,
        engine="claude",
        provider="anthropic",
        model=OPUS,
        reserved_usd=Decimal("0.25"),
        started_at=at(21),
    )

    assert store.start_call(start, replace(CAPS, operator_usd=None))

    [shop] = [
        each
        for each in store.budget_states(at(21), operator_cap_usd=None)
        if each.repository == "acme/shop"
    ]
    assert (shop.refused, shop.state, shop.used_usd) == (1, "exhausted", Decimal("0.1172"))


def test_a_question_that_no_budget_covered_is_no_call(store: ReportStore) -> None:
    before = store.sums(november())
    start = CallStart(
        id="unpaid",
        review_id="r9",
        repository="acme/shop",
        number=9,
        installation=99,
        repository_id=22,
        purpose="review",
        unit=0,
        attempt=2,
        engine="claude",
        provider="anthropic",
        model=OPUS,
        reserved_usd=Decimal(0),
        started_at=at(21),
    )
    store.start_call(start)

    store.settle_call(
        Call(
            start=start,
            outcome=Outcome.OVER_BUDGET,
            model=OPUS,
            settled_at=at(21),
            latency_seconds=0.0,
            usage=None,
            raw={},
            service_tier="",
            detail="",
        )
    )

    after = store.sums(november())
    assert (after.calls, after.pulls) == (before.calls, before.pulls)


def test_sampled_reviews_show_what_the_local_model_missed(
    report: Report, store: ReportStore
) -> None:
    found = report.sampled

    assert found
    assert (found.reviews, found.missed, found.usd) == (
        2,
        Ratio(1, 2),
        Decimal("0.012") + Decimal("0.0022"),
    )
    assert (found.total, found.total.missed) == (Counts(2, 1, 2), Ratio(2, 4))
    assert found.by_severity[Severity.HIGH] == Counts(2, 0, 2)
    assert found.by_severity[Severity.LOW] == Counts(0, 1, 0)
    api = month_report(store, "acme/api").sampled
    assert api
    assert (api.reviews, api.missed, api.total.missed) == (1, Ratio(0, 1), Ratio(0, 1))


def test_what_waits_for_money_is_not_taken_for_a_draft(store: ReportStore) -> None:
    """Of three that were held as a whole, one was read later, and one held again."""
    for number, name in ((31, "a"), (32, "b"), (33, "c"), (33, "d")):
        store.save_review(held(name, number))
    store.save_review(
        replace(shop_review(), id="e", change=held("", 32).change, created_at=at(9, 1))
    )

    report = month_report(store)

    assert (report.held, report.routed_only, report.now.pulls) == (2, 1, 5)
    data = report_json(report, api_url="https://api.github.com")
    assert data["pull_requests_not_read"] == {"routed_only": 1, "held": 2}
    told = " ".join(page_text(report_page(report, api_url="https://api.github.com")).split())
    assert "1 pull request only routed (drafts, bots), 2 pull requests held" in told


def held(name: str, number: int) -> Review:
    """A review of which nothing was read."""
    review = held_review()
    change = replace(review.change, repository="acme/shop", number=number)
    return replace(review, id=name, change=change, created_at=at(8, 2))


def test_days_follow_each_other(report: Report) -> None:
    nothing = Decimal(0)

    assert report.days == (
        DayLine("2026-11-05", Decimal("0.012"), nothing, nothing),
        DayLine("2026-11-06", nothing, nothing, POWER_36 + WEAR_36),
        DayLine("2026-11-08", Decimal("0.0052"), nothing, nothing),
        DayLine("2026-11-09", nothing, nothing, POWER_18 + WEAR_18),
        DayLine("2026-11-20", nothing, nothing, nothing),
    )


def test_the_month_before_had_no_machine_yet(report: Report) -> None:
    before = report.before

    assert before.window.name == "October 2026"
    assert (before.pulls, before.reviews, before.calls) == (1, 1, 1)
    assert before.spending.total_usd == before.all_claude_usd == Decimal("0.012")


def test_one_repository_answers_for_its_part_of_the_machine(store: ReportStore) -> None:
    api = month_report(store, "acme/api")

    assert (api.now.pulls, api.now.reviews, api.now.calls) == (1, 2, 2)
    assert api.spending.amortisation_usd == WEAR_18
    assert api.spending.hardware_usd == Decimal("12.962962962963"), "18 of 54 busy seconds"
    assert api.spending.claude_usd == 0
    assert api.spending.unknown_usd == Decimal("0.25")
    assert [line.name for line in api.repositories] == ["acme/api"]


def test_a_repository_answers_for_no_machine_that_stood_idle_for_all(store: ReportStore) -> None:
    window = november()
    idle = replace(store.sums(window, "acme/api"), calls=(), all_busy_seconds=0.0)

    whole = replace(idle, of_repository=False)

    assert spending_of(idle, basis().rates, window).idle_usd == 0
    assert spending_of(whole, basis().rates, window).idle_usd > 0


def test_parts_of_a_month_add_up_to_it(store: ReportStore) -> None:
    window, middle = november(), at(8, 3)
    halves = [between(window.since, middle), between(middle, window.until)]

    def usd(sums: Sums) -> Decimal:
        return sum((call.spent_usd + call.unknown_usd for call in sums.calls), Decimal(0))

    assert sum(usd(store.sums(half)) for half in halves) == usd(store.sums(window))


def test_an_empty_database_is_an_empty_month(url: str) -> None:
    with open_report_store(url) as empty:
        window = november()
        sums = empty.sums(window)
        newest = empty.newest_call()

    assert sums == Sums()
    assert newest is None
    report = build_report(sums, Sums(), basis(), window, previous(window))
    assert report.is_empty
    assert report.spending.total_usd == 0, "no machine was ever used"


def test_refusals_are_counted_by_question(store: ReportStore) -> None:
    window = november()

    assert store.sums(window).refusals == Refusals(1, 1)
    october = between(window.since - timedelta(days=31), window.since)
    assert store.sums(october).refusals == Refusals(0, 0)


def test_the_store_knows_its_repositories_and_its_last_call(store: ReportStore) -> None:
    assert store.repositories() == ["acme/api", "acme/shop"]
    assert store.newest_call() == november().until

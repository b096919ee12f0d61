"""The dashboard: the month at a glance, lists, reports and their data; for whoever is signed in."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from listening import Listener, listening
from publishing.sample_reviews import hostile_review, scripted_review, shop_review
from sample_month import write_month

from reviewbot.errors import StoreError
from reviewbot.service.health import Check
from reviewbot.service.pages import OPEN
from reviewbot.store.reports import ReportStore, open_report_store

#: When the pages are looked at.
NOW = datetime(2026, 11, 29, 18, tzinfo=UTC)
DATES = re.compile(r'<time datetime="([^"]+)">')
ENGINES = Check("engines", True, "claude (claude-opus-5-5), local (qwen2.5-coder-32b)")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReportStore]:
    """The sample month, and reviews with everything in them."""
    folder = tmp_path_factory.mktemp("books")
    with open_report_store(f"sqlite:///{folder}/reviewbot.db") as opened:
        write_month(opened)
        for name, review in (("hostile", hostile_review()), ("scripted", scripted_review())):
            opened.save_review(replace(review, id=name, created_at=NOW - timedelta(days=1)))
        yield opened


@pytest.fixture(scope="module")
def listener(store: ReportStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    with listening(tmp_path_factory.mktemp("pages"), store, now=NOW) as running:
        running.health.seen.append(ENGINES)
        yield running


@pytest.fixture
def get(listener: Listener) -> Iterator[Callable[[str], requests.Response]]:
    """What somebody who is signed in gets."""
    with listener.signed_in() as session:
        yield lambda path: session.get(f"{listener.url}{path}", timeout=30)


def test_every_route_but_the_open_ones_is_closed_to_strangers(listener: Listener) -> None:
    routes = [rule for rule in listener.app.url_map.iter_rules() if rule.endpoint not in OPEN]
    assert {"/", "/reviews", "/reviews/<review_id>", "/report", "/report/<name>"} <= {
        rule.rule for rule in routes
    }

    for rule in routes:
        path = re.sub("<[^>]+>", "r1", rule.rule)
        for method in (rule.methods or set()) - {"OPTIONS"}:
            answer = requests.request(
                method, f"{listener.url}{path}", timeout=10, allow_redirects=False
            )

            assert answer.status_code == 401, (method, path)
            assert "acme" not in answer.text


def test_what_is_open_tells_nothing_of_reviews(listener: Listener) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/login"):
        assert "acme" not in requests.get(f"{listener.url}{path}", timeout=10).text


def test_the_month_says_what_was_spent_and_saved(get: Callable[[str], requests.Response]) -> None:
    text = get("/").text

    assert "November 2026 so far" in text
    assert "lost against Claude alone" in text
    assert "0 waiting, 0 running" in text
    assert "qwen2.5-coder-32b" in text
    assert "make llama" not in text
    for link in ("/report/2026-10", "/report/2026-11", "/reviews?tier=claude", "/reviews/r3"):
        assert f'href="{link}"' in text
    assert 'href="/reviews?repository=acme%2Fshop"' in text
    assert text.count("<desc>The dearest month was 2026-11") == 2


def test_the_trend_begins_where_the_ledger_does(get: Callable[[str], requests.Response]) -> None:
    months = re.findall(r'<th scope="row"><a href="/report/(\d{4}-\d\d)"', get("/").text)

    assert months == ["2026-11", "2026-10"]


def test_reviews_are_listed_newest_first_and_filtered(
    get: Callable[[str], requests.Response],
) -> None:
    every, one, tier = (
        get(path).text
        for path in ("/reviews", "/reviews?repository=acme%2Fapi", "/reviews?tier=skip")
    )

    times = DATES.findall(every)
    assert times == sorted(times, reverse=True)
    assert re.findall(r'href="/reviews/(r\d)"', one) == ["r5", "r4"]
    assert '<option value="acme/api" selected>' in one
    assert re.findall(r'href="/reviews/(\w+)"', tier) == ["r6"]
    assert 'class="high">incomplete' in one
    assert "overridden" in every


def test_a_list_without_matches_says_how_to_see_all(
    get: Callable[[str], requests.Response],
) -> None:
    text = get("/reviews?repository=acme%2Fnone").text

    assert "No review like that" in text
    assert "Show all reviews" in text
    assert get("/reviews?after=yesterday~x&tier=gold").status_code == 200


def test_long_lists_have_pages_that_miss_and_repeat_nothing(tmp_path: Path) -> None:
    with open_report_store(f"sqlite:///{tmp_path}/many.db") as store:
        for number in range(100):  # several at one moment, too
            at = NOW - timedelta(minutes=number // 3)
            store.save_review(replace(shop_review(), id=f"n{number}", created_at=at))
        with listening(tmp_path, store, now=NOW) as running, running.signed_in() as person:
            seen, path, pages = [], "/reviews?repository=acme%2Fshop", 0
            while path:
                text = person.get(f"{running.url}{path}", timeout=10).text
                seen += re.findall(r'href="/reviews/(n\d+)"', text)
                older = re.search(r'href="([^"]+)" rel="next"', text)
                path, pages = older[1].replace("&amp;", "&") if older else "", pages + 1

    assert pages == 3
    assert sorted(seen) == sorted(f"n{number}" for number in range(100))


def test_a_report_leads_to_other_months_and_to_its_data(
    get: Callable[[str], requests.Response],
) -> None:
    page = get("/report/2026-10?repository=acme%2Fshop")

    assert "Reviews in October 2026: acme/shop" in page.text
    assert 'href="/report/2026-11?repository=acme%2Fshop"' in page.text
    assert 'rel="prev"' not in page.text  # the ledger begins here
    for kind in ("json", "csv", "md"):
        assert f'href="/report/2026-10.{kind}?repository=acme%2Fshop"' in page.text
    assert 'rel="next"' not in get("/report/2026-11").text
    assert get("/report").url.endswith("/report/2026-11")


def test_the_same_month_as_data(get: Callable[[str], requests.Response]) -> None:
    as_json, as_csv, as_text = (get(f"/report/2026-11.{kind}") for kind in ("json", "csv", "md"))

    told = json.loads(as_json.text)
    rows = list(csv.DictReader(io.StringIO(as_csv.text)))
    spent = next(r for r in rows if (r["section"], r["figure"]) == ("totals", "total_usd"))
    assert float(spent["value"]) == pytest.approx(float(told["totals"]["total_usd"]))
    assert as_text.text.startswith("# Reviews in November 2026 so far")
    assert as_csv.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="reviewbot-2026-11.csv"' in as_csv.headers["Content-Disposition"]
    assert "style-src 'none'" in as_json.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/report/november", "YYYY-MM"),
        ("/report/2026-13", "is no month"),
        ("/report/2027-01", "has not begun"),
        ("/report/2026-11.exe", "YYYY-MM"),
        ("/report/2026-11?repository=acme/shp", "near names: acme/shop"),
    ],
)
def test_what_is_no_report_says_what_would_be(
    get: Callable[[str], requests.Response], path: str, said: str
) -> None:
    answer = get(path)

    assert answer.status_code == 404
    assert said in answer.text


def test_an_empty_ledger_says_how_to_begin(tmp_path: Path) -> None:
    with listening(tmp_path, now=NOW) as running, running.signed_in() as person:
        home, reviews, report = (
            person.get(f"{running.url}{path}", timeout=10).text
            for path in ("/", "/reviews", "/report/2026-11")
        )

    assert f"{running.url}/webhook" in home
    assert "Install the App" in home
    assert "reviewbot model pull auto" in home
    assert "How to get the first one" in reviews
    assert "No change was reviewed in November 2026" in report


def test_a_month_without_reviews_still_shows_those_before(
    store: ReportStore, tmp_path: Path
) -> None:
    later = datetime(2027, 2, 3, tzinfo=UTC)
    with listening(tmp_path, store, now=later) as running, running.signed_in() as person:
        text = person.get(running.url, timeout=10).text

    assert "No change was reviewed this month" in text
    assert 'href="/report/2026-11"' in text


def test_what_others_wrote_is_only_text(get: Callable[[str], requests.Response]) -> None:
    for path in ("/", "/reviews", "/report/2026-11"):
        text = get(path).text

        assert "&lt;img src=x onerror=alert(1)&gt;" in text
        assert "<img" not in text
        assert "<script" not in text
        assert "\u202e" not in text


def test_the_queue_or_the_database_may_be_away(listener: Listener, tmp_path: Path) -> None:
    def broken() -> ReportStore:
        raise StoreError("the PostgreSQL database x at secret-host: refused")

    listener.queue.away = True
    with listener.signed_in() as person:
        home = person.get(listener.url, timeout=10)
    listener.queue.away = False
    assert home.status_code == 200
    assert "not ready: see the log" in home.text

    with listening(tmp_path, opened=broken) as running, running.signed_in() as person:
        answer = person.get(running.url, timeout=10)
    assert answer.status_code == 503
    assert "secret-host" not in answer.text


def test_an_operators_mistake_is_named(store: ReportStore, tmp_path: Path) -> None:
    with (
        listening(tmp_path, store, now=NOW, claude_model="claude-none") as running,
        running.signed_in() as person,
    ):
        answer = person.get(running.url, timeout=10)

    assert answer.status_code == 500
    assert "claude-none" in answer.text

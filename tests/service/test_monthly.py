"""On the first of a month each repository's report is one issue, however many workers there are."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
from databases import new_database
from forked import start_worker, worker_context
from github_simulator.state import Repository
from publishing.sample_reviews import shop_review
from serving import Service, surroundings

from reviewbot.config.policy import Policy
from reviewbot.errors import StoreError
from reviewbot.github.app import GitHubApp
from reviewbot.service.dbos_setup import migrate_jobs
from reviewbot.service.jobs import ReportJob
from reviewbot.service.monthly import Monthly
from reviewbot.store.feedback import FeedbackStore, open_feedback_store
from reviewbot.store.jobs import open_job_store

NOW = datetime.now(UTC)
NOVEMBER = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    """Nothing runs yet."""
    url = ""
    if request.param == "postgresql":
        url = new_database(request.getfixturevalue("postgresql_server"))
    with surroundings(tmp_path, url) as made:
        migrate_jobs(made.settings)
        yield made


@pytest.fixture
def start(service: Service) -> Iterator[Callable[[], ForkServerProcess]]:
    """Start a worker for which it is noon on the first of the next month."""
    context, started = worker_context(), list[ForkServerProcess]()

    def one_more() -> ForkServerProcess:
        log = service.folder / f"worker{len(started)}.log"
        started.append(start_worker(context, service.environment, log, "next-month"))
        return started[-1]

    yield one_more
    for worker in started:
        worker.terminate()
    for worker in started:
        worker.join(30)


def reviewed(service: Service, policy: str = "version: 1\n", *, at: datetime = NOW) -> Repository:
    """A repository with a review of that time."""
    made = service.repository()
    made.content.commit("main", {".github/reviewbot.yml": policy})
    with service.store() as store:
        keep(store, service, made, at)
    return made


def keep(store: FeedbackStore, service: Service, repository: Repository, at: datetime) -> None:
    review = shop_review()
    [here] = [
        one
        for one in service.github.apps.installations.values()
        if one.covers(repository.full_name)
    ]
    store.save_review(
        replace(
            review,
            id=f"{repository.id}-{at}",
            created_at=at,
            change=replace(review.change, repository=repository.full_name),
        ),
        installation=here.id,
        repository_id=repository.id,
    )


def beats(service: Service) -> timedelta:
    """For how long the one worker that runs has said so, a few times a second."""
    with open_job_store(service.settings.database) as store:
        return max((beat.seen_at - beat.started_at for beat in store.beats()), default=timedelta())


def titles(repository: Repository) -> list[str]:
    return [issue.title for issue in repository.issues.values()]


def test_each_repository_and_the_operator_get_one_issue(
    service: Service, start: Callable[[], ForkServerProcess]
) -> None:
    shop = reviewed(service)
    quiet = reviewed(service, "version: 1\nreport:\n  issue: false\n")
    closed = reviewed(service)
    closed.has_issues = False
    office = service.repository("globex")
    service.more["REVIEWBOT_REPORT_REPOSITORY"] = office.full_name
    month = f"{NOW:%B %Y}"

    workers = [start() for _ in range(2 if service.database_url else 1)]
    service.until(lambda: len(service.jobs()) == 4, "all reports are queued")
    service.at_rest()
    for worker in workers:
        worker.terminate()
        worker.join(30)
    start()
    service.until(lambda: beats(service) > timedelta(seconds=1), "another worker has looked")
    service.at_rest()

    assert titles(shop) == [f"Reviews in {month}: {shop.full_name}"]
    assert titles(office) == [f"Reviews in {month}"]
    assert (quiet.issues, closed.issues) == ({}, {})
    assert shop.issues[1].author == "reviewbot[bot]"
    assert shop.full_name in office.issues[1].body
    assert office.full_name not in shop.issues[1].body
    log = service.log()
    assert f"was not posted in {closed.full_name}" in log
    assert "the App needs issues: write" in log
    tried = [r for r in service.github.requests if r.path == f"/repos/{closed.full_name}/issues"]
    assert len(tried) == 1, "a refusal is not repeated"


def test_a_lost_answer_is_looked_after_before_anything_is_made(
    service: Service, start: Callable[[], ForkServerProcess]
) -> None:
    shop = reviewed(service)
    service.github.ambiguous(f"POST /repos/{shop.full_name}/issues")

    start()
    service.until(lambda: service.jobs().values(), "the report is queued")
    service.at_rest()

    assert len(shop.issues) == 1
    assert list(service.jobs().values()) == ["SUCCESS"]


def test_an_app_without_the_permission_says_so(
    service: Service, start: Callable[[], ForkServerProcess]
) -> None:
    [acme] = [one for one in service.github.apps.installations.values() if one.account == "acme"]
    acme.permissions.pop("issues")
    shop = reviewed(service)

    start()
    service.until(lambda: service.jobs().values(), "the report is queued")
    service.at_rest()

    assert shop.issues == {}
    assert "the App needs issues: write there" in service.log()


@pytest.fixture
def monthly(service: Service) -> Iterator[Monthly]:
    app = GitHubApp(service.app.id, service.app.private_key, service.github.url)
    with open_feedback_store(service.settings.database) as store:
        settings = service.settings.model_copy(update={"report_repository": "globex/office"})
        yield Monthly(settings, app, store, b"k" * 32, lambda _: Policy())


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (datetime(2026, 12, 1, 0, 59, tzinfo=UTC), 0),
        (datetime(2026, 12, 1, 1, tzinfo=UTC), 2),
        (datetime(2026, 12, 7, 23, tzinfo=UTC), 2),
        (datetime(2026, 12, 8, tzinfo=UTC), 0),
        (datetime(2027, 1, 1, 12, tzinfo=UTC), 1),
    ],
)
def test_reports_are_due_in_the_first_days_of_the_next_month(
    service: Service, monthly: Monthly, now: datetime, due: int
) -> None:
    shop = reviewed(service, at=NOVEMBER)
    keep(monthly.store, service, shop, NOVEMBER + timedelta(days=1))

    jobs = monthly.due(now)

    assert len(jobs) == due
    assert [job.month for job in jobs if not job.everything] == ["2026-11"] * (due == 2)
    assert jobs[-1:] == [
        ReportJob(month=f"{now - timedelta(days=20):%Y-%m}", repository="globex/office")
    ] * (due > 0)


def test_a_report_that_no_version_wrote_is_refused() -> None:
    with pytest.raises(StoreError, match="not a report"):
        ReportJob.from_dict({"month": "soon", "repository": "acme/shop"})

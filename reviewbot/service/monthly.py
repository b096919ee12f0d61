"""The monthly report as issues: which are due, and how one is posted."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from reviewbot import books
from reviewbot.change.model import Change
from reviewbot.change.source import Fetched
from reviewbot.config.policy import Policy
from reviewbot.config.settings import Settings
from reviewbot.github.app import GitHubApp
from reviewbot.github.context import read_context
from reviewbot.github.issues import repository_facts
from reviewbot.reporting.window import Window, month_of
from reviewbot.service.jobs import ReportJob
from reviewbot.store.feedback import FeedbackStore

if TYPE_CHECKING:
    from github import Github

#: What posting needs; an App without `issues: write` is told so by GitHub.
PERMISSIONS: Mapping[str, str] = MappingProxyType(
    {"metadata": "read", "contents": "read", "issues": "write"}
)
#: From the end of a month until its reports are posted: calls that began in it are settled then.
AFTER = timedelta(hours=1)
#: A service that was away on the first of a month makes up for it until this day.
LAST_DAY = 7


@dataclass(frozen=True)
class Monthly:
    """Posts monthly reports for one App; safe to use from several threads."""

    settings: Settings
    app: GitHubApp
    store: FeedbackStore
    marker_key: bytes = field(repr=False)
    policy_of: Callable[[Fetched], Policy]
    """The policy that holds for a repository."""

    def due(self, now: datetime) -> list[ReportJob]:
        """Reports of the month before `now`: of each repository that was reviewed in it, and the
        installation's; none outside of a month's first days. Raises StoreError."""
        month = month_before(now)
        if now.astimezone(UTC).day > LAST_DAY or now < month.until + AFTER:
            return []
        name = f"{month.since:%Y-%m}"
        places = self.store.reviewed_repositories(since=month.since, until=month.until)
        jobs = [ReportJob(month=name, **place._asdict()) for place in places]
        if self.settings.report_repository:
            jobs.append(ReportJob(month=name, repository=self.settings.report_repository))
        return jobs

    def run(self, job: ReportJob, ours: Callable[[], bool]) -> dict[str, Any]:
        """Post it, or edit what is there: `{"issue": number, …}`, or `{"ignored": why}`.

        Raises GitHubError, StoreError and PriceError.
        """
        placed = job if job.installation else self._placed(job)
        with self._client(placed) as client:
            name = repository_facts(client, placed.repository).full_name
            if not job.everything and not self._wanted(client, name):
                return {"ignored": "its policy wants no issue"}
            report = books.month_report(
                self.settings,
                _window(job.month),
                repository=None if job.everything else job.repository,
            )
            made = books.post_report(
                client,
                report,
                name,
                api_url=self.settings.github_api_url,
                key=self.marker_key,
                author=self.app.login,
                ours=ours,
            )
            return {"issue": made.number, "did": made.outcome}

    def _placed(self, job: ReportJob) -> ReportJob:
        installation, repository_id = self.app.place_of(job.repository)
        return replace(job, installation=installation, repository_id=repository_id)

    def _wanted(self, client: "Github", repository: str) -> bool:
        document = read_context(client, repository, "HEAD").policy
        here = Fetched(Change((), repository=repository), policy=document)
        return self.policy_of(here).report.issue

    @contextmanager
    def _client(self, job: ReportJob) -> "Iterator[Github]":
        with self.app.client(job.installation, job.repository_id, PERMISSIONS) as client:
            yield client


def month_before(now: datetime) -> Window:
    """The calendar month (UTC) before the one around `now`."""
    first = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return month_of(first - timedelta(days=1), first)


def _window(month: str) -> Window:
    """The whole month `2026-11`: its report is only asked for once it is over."""
    first = datetime.strptime(f"{month}-01", "%Y-%m-%d").replace(tzinfo=UTC)
    return month_of(first, first + timedelta(days=31))

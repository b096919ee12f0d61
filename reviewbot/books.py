"""The ledger, read: a month's report, the issue that tells of it, and every call."""

import difflib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from reviewbot import operator_files, wiring
from reviewbot.config.settings import Settings
from reviewbot.errors import SettingsError, UsageError
from reviewbot.github.client import connect
from reviewbot.github.issues import Issued, IssueText, put_issue, repository_facts
from reviewbot.github.posting import login_of
from reviewbot.github.records import ACTIONS_LOGIN, month_records
from reviewbot.publishing.feedback import PostedFinding
from reviewbot.publishing.monthly_issue import report_marks
from reviewbot.reporting.against_forecast import SavedForecast, expected
from reviewbot.reporting.counterfactuals import Basis
from reviewbot.reporting.ledger_table import Row
from reviewbot.reporting.page_text import ISSUE_CHARACTERS, issue_markdown
from reviewbot.reporting.recorded import missing_of, recorded_sums
from reviewbot.reporting.regret import Sampled
from reviewbot.reporting.report import BudgetState, Report, Totals, build_report, totals_of
from reviewbot.reporting.report_page import report_page
from reviewbot.reporting.sums import Sums
from reviewbot.reporting.window import Window, previous

if TYPE_CHECKING:
    from github import Github

    from reviewbot.store.reports import ReportStore


def month_report(
    settings: Settings,
    window: Window,
    *,
    repository: str | None = None,
    forecast: SavedForecast | None = None,
) -> Report:
    """The report of a window: `report_from` the database of the settings, if there is one."""
    with wiring.report_store(settings) as store:
        return report_from(
            store,
            settings,
            window,
            repository=repository,
            forecast=forecast,
        )


def report_from(
    store: "ReportStore | None",
    settings: Settings,
    window: Window,
    *,
    repository: str | None = None,
    forecast: SavedForecast | None = None,
) -> Report:
    """The report of a window, on the terminal and on the pages, with what people made of the
    findings that were published in it.

    A month has its budgets, too; other times have none of their own.

    Raises UsageError for a repository that the database does not know, PriceError for a Claude model
    without a price, and StoreError.
    """
    earlier, basis = previous(window), _basis(settings, window)
    policy = operator_files.operator_policy(settings)
    sums = before = Sums()
    posted: Sequence[PostedFinding] = ()
    budgets: Sequence[BudgetState] = ()
    sampled: Sequence[Sampled] = ()
    if store:
        if repository is not None:
            _known(repository, store.repositories())
        posted = store.posted_findings(
            since=window.since, until=window.until, repository=repository
        )
        sampled = store.sampled(since=window.since, until=window.until, repository=repository)
        if window.whole_month:
            budgets = _budgets(store, settings, window, repository)
        sums, before = store.sums(window, repository), store.totals(earlier, repository)
    return build_report(
        sums,
        before,
        basis,
        window,
        earlier,
        repository=repository,
        posted=posted,
        budgets=budgets,
        sampled=sampled,
        expected=expected(forecast, policy.route.granularity, window) if forecast else None,
    )


def recorded_report(
    settings: Settings,
    window: Window,
    repository: str,
    token: str,
    *,
    forecast: SavedForecast | None = None,
) -> Report:
    """The report of a month without a ledger: from the records that the Action has left in the
    repository's pull requests.

    Raises SettingsError without the key that signs them, UsageError for another time than a month,
    SourceError and GitHubError for what GitHub does not show, PriceError.
    """
    if not window.whole_month:
        raise UsageError("--from-github needs a month: records are kept by month")
    if settings.marker_key is None:
        raise SettingsError(
            "REVIEWBOT_MARKER_KEY must hold the Action's `state-key`: it signs the records"
        )
    earlier, key = previous(window), settings.marker_key.get_secret_value().encode()
    with connect(settings.github_api_url, token) as client:
        place = repository_facts(client, repository)
        authors = {login_of(client), ACTIONS_LOGIN}
        found = month_records(client, place.full_name, place.id, authors, key, since=earlier.since)
    now, before = f"{window.since:%Y-%m}", f"{earlier.since:%Y-%m}"
    name, policy = place.full_name, operator_files.operator_policy(settings)
    return build_report(
        recorded_sums(name, found.records, now),
        recorded_sums(name, found.records, before),
        _basis(settings, window),
        window,
        earlier,
        repository=name,
        expected=expected(forecast, policy.route.granularity, window) if forecast else None,
        missing=missing_of(name, found.records, now, whole=found.whole),
    )


def totals_from(store: "ReportStore", settings: Settings, window: Window) -> Totals:
    """A window in a few figures. Raises PriceError and StoreError."""
    return totals_of(store.totals(window), _basis(settings, window), window)


def _budgets(
    store: "ReportStore", settings: Settings, window: Window, repository: str | None
) -> list[BudgetState]:
    found = store.budget_states(window.since, operator_cap_usd=settings.monthly_budget_usd)
    return [each for each in found if repository in (None, each.repository)]


def _basis(settings: Settings, window: Window) -> Basis:
    book = operator_files.prices(settings)
    book.price_of("anthropic", settings.claude_model)
    return Basis(
        prices=book,
        claude_model=settings.claude_model,
        others=(settings.claude_model_low,),
        rates=wiring.local_rates(settings),
        at=window.until,
    )


def post_report(
    client: "Github",
    report: Report,
    repository: str,
    *,
    api_url: str,
    key: bytes,
    author: str,
    ours: Callable[[], bool] = lambda: True,
) -> Issued:
    """Have the one issue of the report's month in `repository` say this; never waits.

    `key` signs its hidden mark, by which it is found again if `author` wrote it. Raises GitHubError.
    """
    place = repository_facts(client, repository)
    month, about = report.window.since, report.repository or ""
    marks = report_marks(key, place.id, f"{month:%Y-%m}", about)
    mark = marks.mark("report")
    page = report_page(report, api_url=api_url)
    title = f"Reviews in {month:%B %Y}" + (f": {about}" if about else "")
    body = f"{issue_markdown(page, ISSUE_CHARACTERS - len(mark) - 2)}\n\n{mark}"
    return put_issue(
        client,
        place.full_name,
        IssueText(title, body),
        author=author,
        is_own=lambda text: marks.is_own(text, "report"),
        ours=ours,
    )


def newest_call(settings: Settings) -> datetime | None:
    """When the last call of the ledger began; None for an empty one, or none."""
    with wiring.report_store(settings) as store:
        return store.newest_call() if store else None


def ledger_rows(
    settings: Settings, since: datetime, until: datetime, repository: str | None
) -> Iterator[Row]:
    """The ledger's calls of a time, one after another.

    Raises UsageError for a repository that the database does not know, and StoreError.
    """
    with wiring.report_store(settings) as store:
        if store:
            if repository is not None:
                _known(repository, store.repositories())
            yield from store.ledger(since, until, repository)


def _known(repository: str, names: Sequence[str]) -> None:
    if names and repository not in names:
        near = difflib.get_close_matches(repository, names, 3, 0.5)
        hint = f"; near names: {', '.join(near)}" if near else ""
        raise UsageError(f"nothing of {repository} is in the ledger{hint}")

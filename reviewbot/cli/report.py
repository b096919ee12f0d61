"""`reviewbot report`: what a month cost, what it brought, and whether local hardware is worth it."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reviewbot.cli.pages import show_page
from reviewbot.cli.report_issue import post_issue
from reviewbot.cli.times import chosen_time, time_options
from reviewbot.errors import SourceError, UsageError

if TYPE_CHECKING:
    from reviewbot.config.settings import Settings
    from reviewbot.reporting.against_forecast import SavedForecast
    from reviewbot.reporting.report import Report
    from reviewbot.reporting.window import Window

FORMATS = ("text", "markdown", "json", "csv", "html")
#: Largest saved forecast, bytes.
MAX_FORECAST = 4 * 1024 * 1024


@click.command("report")
@time_options
@click.option("--repo", metavar="OWNER/NAME", help="Only this repository. Default: all.")
@click.option(
    "--forecast",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Compare with what `reviewbot forecast --format json` said.",
)
@click.option(
    "--post",
    metavar="OWNER/NAME",
    help="Post it there as an issue, or edit the month's that is there (GITHUB_TOKEN is used).",
)
@click.option(
    "--from-github",
    metavar="OWNER/NAME",
    help="Without a ledger: from the records that the Action keeps in its pull requests"
    " (GITHUB_TOKEN is used, REVIEWBOT_MARKER_KEY is the Action's state-key).",
)
@click.option("--format", "format_", type=click.Choice(FORMATS), default="text", show_default=True)
def command(
    month: str | None,
    since: datetime | None,
    until: datetime | None,
    repo: str | None,
    forecast: Path | None,
    post: str | None,
    from_github: str | None,
    format_: str,
) -> None:
    """Say what a month of reviews cost, what it brought, and what it would have cost otherwise.

    Default: this month so far. The ledger is read; nothing is asked or sent without --post or
    --from-github.

    \b
    Examples:
      reviewbot report
      reviewbot report --month 2026-11 --format html > november.html
      reviewbot report --month 2026-11 --repo acme/shop --forecast forecast.json
      reviewbot report --month 2026-11 --from-github acme/shop
      reviewbot report --since 2026-07-01 --until 2026-10-01 --format csv > quarter.csv
    """
    from reviewbot import books
    from reviewbot.config.settings import load_settings
    from reviewbot.reporting.report_json import report_json
    from reviewbot.reporting.window import month_of

    now, settings = datetime.now(UTC), load_settings()
    window = chosen_time(month, since, until, now) or month_of(now, now)
    saved = _saved(forecast) if forecast else None
    if post and not window.whole_month:
        raise UsageError("--post needs a month: an issue is about one")
    if from_github is None:
        made = books.month_report(settings, window, repository=repo, forecast=saved)
    else:
        made = _recorded(settings, window, from_github, repo, saved)
    if post:
        post_issue(settings, made, post)
        return
    api_url = settings.github_api_url
    if format_ == "json":
        click.echo(json.dumps(report_json(made, api_url=api_url), indent=2))
    elif format_ == "csv":
        from reviewbot.reporting.report_csv import report_csv

        click.echo(report_csv(report_json(made, api_url=api_url)), nl=False)
    else:
        from reviewbot.reporting.report_page import report_page

        newest = books.newest_call(settings) if made.is_empty and not made.missing else None
        show_page(report_page(made, api_url=api_url, newest=newest), format_)


def _recorded(
    settings: "Settings",
    window: "Window",
    repository: str,
    repo: str | None,
    saved: "SavedForecast | None",
) -> "Report":
    from reviewbot import books
    from reviewbot.service.jobs import REPOSITORY

    token = os.environ.get("GITHUB_TOKEN")
    if repo is not None:
        raise UsageError("--from-github goes without --repo: its records are of one repository")
    if not REPOSITORY.fullmatch(repository):
        raise UsageError(f"--from-github {repository!r} is no repository: write it as OWNER/NAME")
    if not token:
        raise UsageError("--from-github needs GITHUB_TOKEN: a token that may read pull requests")
    return books.recorded_report(settings, window, repository, token, forecast=saved)


def _saved(path: Path) -> "SavedForecast":
    from reviewbot.reporting.against_forecast import parse_forecast

    try:
        with path.open("rb") as file:
            text = file.read(MAX_FORECAST + 1)
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}") from None
    return parse_forecast(text, str(path))

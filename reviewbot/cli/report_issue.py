"""`reviewbot report --post`: the month's report as one issue."""

import os
import time
from itertools import count
from typing import TYPE_CHECKING

import click

from reviewbot.errors import SourceError, UsageError

if TYPE_CHECKING:
    from reviewbot.config.settings import Settings
    from reviewbot.github.issues import Issued
    from reviewbot.reporting.report import Report

#: How often it is tried where GitHub's answer is lost.
TRIES = 3


def post_issue(settings: "Settings", report: "Report", repository: str) -> None:
    """Post it with GITHUB_TOKEN, or edit what an earlier run posted, and say which.

    Raises UsageError without a token, SourceError where GitHub does not let us.
    """
    from reviewbot.github.calls import Denied, GitHubError
    from reviewbot.service.jobs import REPOSITORY

    token = os.environ.get("GITHUB_TOKEN")
    if not token:
        raise UsageError("to post, GITHUB_TOKEN must hold a token that may write issues")
    if not REPOSITORY.fullmatch(repository):
        raise UsageError(f"--post {repository!r} is no repository: write it as OWNER/NAME")
    try:
        made = _posted(settings, report, repository, token)
    except Denied as error:
        raise SourceError(
            f"{error}. The token must be allowed to write issues in {repository} (Issues: read and"
            " write), and the repository must have issues"
        ) from None
    except GitHubError as error:
        raise SourceError(str(error)) from None
    click.echo(f"{repository}#{made.number}: {made.outcome}")


def _posted(settings: "Settings", report: "Report", repository: str, token: str) -> "Issued":
    """After a lost answer it is looked for before anything is made. Raises GitHubError."""
    from reviewbot import books, wiring
    from reviewbot.github.calls import Unclear
    from reviewbot.github.client import connect
    from reviewbot.github.posting import login_of
    from reviewbot.github.reviews import UNCLEAR_WAIT

    key = wiring.terminal_marker_key(settings)
    with connect(settings.github_api_url, token) as client:
        author = login_of(client)
        tries = count(1)
        while True:
            try:
                return books.post_report(
                    client,
                    report,
                    repository,
                    api_url=settings.github_api_url,
                    key=key,
                    author=author,
                )
            except Unclear as error:
                if next(tries) == TRIES:
                    raise
                click.echo(f"{error}; looking again in {UNCLEAR_WAIT:.0f} s", err=True)
                time.sleep(UNCLEAR_WAIT)

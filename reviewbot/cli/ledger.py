"""`reviewbot ledger export`: every call of the ledger, for a spreadsheet or another program."""

import sys
from datetime import UTC, datetime, timedelta

import click

from reviewbot.cli.times import chosen_time, time_options

#: Before any call of any ledger.
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@click.group("ledger")
def command() -> None:
    """Look into the ledger, where every call to a model is written down."""


@command.command("export")
@time_options
@click.option("--repo", metavar="OWNER/NAME", help="Only this repository. Default: all.")
@click.option(
    "--format", "format_", type=click.Choice(("csv", "json")), default="csv", show_default=True
)
def export(
    month: str | None,
    since: datetime | None,
    until: datetime | None,
    repo: str | None,
    format_: str,
) -> None:
    """Write every call to standard output, in the order in which they began.

    Failed, refused, repeated and unsettled calls too; docs/costs.md explains the columns. Default:
    all times.

    \b
    Examples:
      reviewbot ledger export --month 2026-11 > november.csv
      reviewbot ledger export --repo acme/shop --format json > shop.json
    """
    from reviewbot import books
    from reviewbot.config.settings import load_settings
    from reviewbot.reporting.ledger_table import ledger_csv, ledger_json

    now = datetime.now(UTC)
    window = chosen_time(month, since, until, now, beginning=_BEGINNING)
    begin, end = (window.since, window.until) if window else (_BEGINNING, now + timedelta(days=1))
    rows = books.ledger_rows(load_settings(), begin, end, repo)
    for line in (ledger_csv if format_ == "csv" else ledger_json)(rows):
        sys.stdout.write(line)

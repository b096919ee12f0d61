"""The options that choose a time: a month, or from one day to another."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reviewbot.errors import UsageError

if TYPE_CHECKING:
    from reviewbot.reporting.window import Window

F = TypeVar("F", bound=Callable[..., Any])
_DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


def time_options(command: F) -> F:
    """`--month`, `--since` and `--until`, all UTC."""
    for option in (
        click.option(
            "--until",
            type=_DAY,
            metavar="YYYY-MM-DD",
            help="Up to this day, which is not included.",
        ),
        click.option("--since", type=_DAY, metavar="YYYY-MM-DD", help="From this day on (UTC)."),
        click.option("--month", metavar="YYYY-MM", help="One calendar month (UTC)."),
    ):
        command = option(command)
    return command


def chosen_time(
    month: str | None,
    since: datetime | None,
    until: datetime | None,
    now: datetime,
    *,
    beginning: datetime | None = None,
) -> "Window | None":
    """The time that was chosen; None without any option. Raises UsageError.

    `beginning` is where a time starts that only has an end; without it there is none.
    """
    from reviewbot.reporting.window import between, named_month

    if month is not None:
        if since or until:
            raise UsageError("--month goes without --since and --until")
        return named_month(month, now)
    if since is None and until is None:
        return None
    first = since.replace(tzinfo=UTC) if since else beginning
    if first is None:
        raise UsageError("--until needs --since")
    return between(first, until.replace(tzinfo=UTC) if until else now, now)

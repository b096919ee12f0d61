"""`reviewbot forecast`: what reviews would cost, before anything is installed."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import click

from reviewbot.cli.pages import show_page
from reviewbot.errors import SourceError, UsageError

if TYPE_CHECKING:
    from reviewbot.config.settings import Settings
    from reviewbot.reporting.forecast import Basis, Forecast, Past
    from reviewbot.review.engine import Lineup

FORMATS = ("text", "markdown", "json", "html")
#: Largest assumptions file, bytes.
MAX_ASSUMPTIONS = 64 * 1024


class _Positive(click.ParamType[Decimal]):
    """A number above zero, exact."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            self.fail(f"{value!r} is no number", param, ctx)
        if not number.is_finite() or not 0 < number <= 10_000_000:
            self.fail(f"{value!r} is not between 0 and 10 000 000", param, ctx)
        return number


@click.command("forecast")
@click.option(
    "--repo",
    "repos",
    metavar="DIR",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A repository; may be given several times. Default: this folder's.",
)
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Only what was merged since then.",
)
@click.option(
    "--limit", type=click.IntRange(1), metavar="N", help="At most the newest N merges of each."
)
@click.option(
    "--prs-per-month",
    type=_Positive(),
    metavar="N",
    help="Pull requests a month, of all repositories together. Default: as the last year had.",
)
@click.option(
    "--read-tokens-per-second",
    "reading",
    type=_Positive(),
    metavar="N",
    help="How fast your local model reads. Default: from the ledger, else 1000.",
)
@click.option(
    "--write-tokens-per-second",
    "writing",
    type=_Positive(),
    metavar="N",
    help="How fast it writes. Default: from the ledger, else 30.",
)
@click.option("--processes", type=click.IntRange(1, 64), metavar="N", help="Default: one a core.")
@click.option(
    "--assume",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Compute from the figures that this file states; no repository is read.",
)
@click.option("--format", "format_", type=click.Choice(FORMATS), default="text", show_default=True)
def command(
    repos: tuple[Path, ...],
    since: datetime | None,
    limit: int | None,
    prs_per_month: Decimal | None,
    reading: Decimal | None,
    writing: Decimal | None,
    processes: int | None,
    assume: Path | None,
    format_: str,
) -> None:
    """Say what reviews would cost a month, by replaying what was merged.

    Every commit of the default branch's first-parent history goes through the real router and
    prompt packer. No model is asked, nothing is sent, nothing of the repository is run. A second
    time is fast: what was replayed is kept in the data folder.

    \b
    Examples:
      reviewbot forecast
      reviewbot forecast --repo ../shop --repo ../billing --since 2025-01-01
      reviewbot forecast --prs-per-month 400 --format html > forecast.html
      reviewbot forecast --assume examples/assumptions/team-of-forty.yml
    """
    if assume is not None:
        if repos or since or limit or prs_per_month or reading or writing or processes:
            raise UsageError("--assume goes with --format only: the file states everything")
        _assumed(assume, format_)
        return
    from reviewbot import crews, wiring
    from reviewbot.config.settings import load_settings
    from reviewbot.replaying import replay_repository
    from reviewbot.reporting.forecast import forecast

    settings = load_settings()
    named = crews.offered(settings)
    setup = replace(wiring.setup(settings), lineup=named)
    basis = _basis(settings, named, prs_per_month, reading, writing)
    cache = settings.data_dir / "forecast-cache"
    began = monotonic()
    pasts, known = [], 0
    for folder in repos or (Path(),):
        past, found = replay_repository(
            folder,
            setup,
            cache,
            name=str(folder) if len(repos) > 1 else "",
            since=since.replace(tzinfo=UTC) if since else None,
            limit=limit,
            processes=processes,
            watch=_progress,
        )
        pasts.append(past)
        known += found
    click.echo(_took(pasts, known, monotonic() - began), err=True)
    _show(forecast(pasts, basis), format_)


def _basis(
    settings: "Settings",
    named: "Lineup",
    per_month: Decimal | None,
    reading: Decimal | None,
    writing: Decimal | None,
) -> "Basis":
    """What the figures rest on; checks that prices are known before any work is done."""
    from reviewbot import operator_files, wiring
    from reviewbot.costs.cheapest import cheapest_price
    from reviewbot.reporting.forecast import PROVIDER, Basis
    from reviewbot.reporting.measured import Speed, measured_lengths, measured_speed
    from reviewbot.reporting.replay import PAID_CONTEXT_TOKENS

    calls, book, now = (
        wiring.past_calls(settings),
        operator_files.prices(settings),
        datetime.now(UTC),
    )
    lengths = measured_lengths(calls)
    speed = measured_speed(calls) or Speed()
    if reading or writing:
        speed = Speed(reading or speed.reading, writing or speed.writing, "stated")
    cheap = cheapest_price(
        book,
        PROVIDER,
        prompt_tokens=PAID_CONTEXT_TOKENS // 2,
        output_tokens=int(lengths.claude),
        at=now,
        context_tokens=PAID_CONTEXT_TOKENS,
        others=(settings.claude_model, settings.claude_model_low),
    )
    basis = Basis(
        prices=book,
        claude_model=settings.claude_model,
        cheap_model=cheap.model,
        at=now,
        rates=wiring.local_rates(settings),
        speed=speed,
        lengths=lengths,
        per_month=per_month,
        named=named,
    )
    basis.price(basis.claude_model)
    return basis


def _assumed(path: Path, format_: str) -> None:
    from reviewbot.reporting.assumptions import parse_assumptions
    from reviewbot.reporting.assumptions_page import assumptions_json, assumptions_page

    try:
        with path.open("rb") as file:
            text = file.read(MAX_ASSUMPTIONS + 1)
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}") from None
    stated = parse_assumptions(text, str(path))
    if format_ == "json":
        click.echo(json.dumps(assumptions_json(stated), indent=2))
    else:
        show_page(assumptions_page(stated), format_)


def _show(made: "Forecast", format_: str) -> None:
    if format_ == "json":
        from reviewbot.reporting.forecast_json import forecast_json

        click.echo(json.dumps(forecast_json(made), indent=2))
        return
    from reviewbot.reporting.forecast_page import forecast_page

    show_page(forecast_page(made), format_)


def _took(pasts: list["Past"], known: int, seconds: float) -> str:
    """How long it took, for people: on standard error."""
    commits = sum(len(past.changes) + past.unread for past in pasts)
    fresh = commits - known
    rate = f", {fresh / seconds:,.0f} a second" if fresh and seconds > 0 else ""
    return f"reviewbot: {commits:,} commits in {seconds:,.1f} s{rate} ({known:,} known before)"


@contextmanager
def _progress(name: str, commits: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error, if that is a terminal."""
    hidden = not sys.stderr.isatty()
    with click.progressbar(length=commits, label=name, file=sys.stderr, hidden=hidden) as bar:
        yield bar.update

"""`reviewbot route`: the decision and its reasons, no model asked."""

import json
from pathlib import Path

import click

from reviewbot.cli.sources import fetch, source_options


@click.command("route")
@source_options
@click.option("--corpus", metavar="FILE[.gz]", help="Route every change of a JSONL file instead.")
@click.option(
    "--predictions", metavar="OUT", help="Where --corpus writes {id, labels, tier} lines."
)
@click.option(
    "--format", "format_", type=click.Choice(["text", "json", "markdown"]), default="text"
)
def command(
    range_: str | None,
    repo: Path | None,
    diff: str | None,
    pr: str | None,
    corpus: str | None,
    predictions: str | None,
    format_: str,
) -> None:
    """Say where a change would go, and why; no model is asked, nothing is sent.

    \b
    Examples:
      reviewbot route
      reviewbot route main...feature --format json
      reviewbot route --corpus changes.jsonl.gz --predictions out.jsonl
    """
    from reviewbot import wiring
    from reviewbot.config.settings import load_settings
    from reviewbot.errors import UsageError
    from reviewbot.pipeline import effective_policy, route_change

    settings = load_settings()
    if bool(corpus) != bool(predictions):
        raise UsageError("--corpus and --predictions go together")
    setup = wiring.setup(settings)
    if corpus and predictions:
        from reviewbot.cli.corpus import route_corpus

        if range_ or repo or diff or pr:
            raise UsageError("--corpus excludes RANGE, --repo, --diff and --pr")
        route_corpus(setup, Path(corpus), Path(predictions))
        return
    fetched = fetch(settings, range_, repo, diff, pr)
    route = route_change(fetched, setup, effective_policy(setup, fetched).policy)
    if format_ == "json":
        from reviewbot.publishing.result import route_json

        click.echo(json.dumps(route_json(route), indent=2))
    elif format_ == "markdown":
        from reviewbot.publishing.summary import route_markdown

        click.echo(route_markdown(route))
    else:
        from reviewbot.cli.terminal import print_route, stdout_console

        print_route(route, fetched.change, stdout_console())

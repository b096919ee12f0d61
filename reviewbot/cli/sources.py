"""The options that say what to look at, the same for `review` and `route`."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from reviewbot.change.source import Fetched
from reviewbot.config.settings import Settings
from reviewbot.errors import SourceError, UsageError

_Function = TypeVar("_Function", bound=Callable[..., Any])

#: Largest diff read from a file or standard input, bytes.
MAX_DIFF_BYTES = 64 * 1024 * 1024


def source_options(function: _Function) -> _Function:
    """RANGE, --repo, --diff and --pr."""
    for option in (
        click.option("--pr", metavar="URL", help="A GitHub pull request (GITHUB_TOKEN is used)."),
        click.option("--diff", metavar="FILE|-", help="A diff file, or - for standard input."),
        click.option(
            "--repo",
            metavar="DIR",
            type=click.Path(path_type=Path),
            help="Repository of RANGE; default: this folder.",
        ),
        click.argument("range_", metavar="[RANGE]", required=False),
    ):
        function = option(function)
    return function


def fetch(
    settings: Settings, range_: str | None, repo: Path | None, diff: str | None, pr: str | None
) -> Fetched:
    """Read the change that the options name. Raises UsageError, SourceError or DiffError."""
    options = {"RANGE": range_, "--diff": diff, "--pr": pr}
    given = [name for name, value in options.items() if value is not None]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} exclude each other: give one")
    if repo and given and given != ["RANGE"]:
        raise UsageError("--repo goes with RANGE only")
    if diff is not None:
        return _from_diff(diff)
    if pr is not None:
        return _from_pull_request(settings, pr)
    from reviewbot.git.ranges import read_range

    return read_range(repo or Path(), range_)


def _from_diff(name: str) -> Fetched:
    from reviewbot.git.diff_file import read_diff

    try:
        if name == "-":
            data = sys.stdin.buffer.read(MAX_DIFF_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(MAX_DIFF_BYTES + 1)
    except OSError as error:
        raise SourceError(f"cannot read {name}: {error.strerror}") from None
    if len(data) > MAX_DIFF_BYTES:
        raise SourceError(f"{name} is larger than {MAX_DIFF_BYTES // 1024 // 1024} MB")
    return read_diff(data, "standard input" if name == "-" else name)


def _from_pull_request(settings: Settings, url: str) -> Fetched:
    from reviewbot.github.client import connect
    from reviewbot.github.pulls import parse_pr_url, read_pull

    address = parse_pr_url(url, settings.github_api_url)
    with connect(settings.github_api_url, os.environ.get("GITHUB_TOKEN")) as client:
        return read_pull(client, address.owner, address.repository, address.number)

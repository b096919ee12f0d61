"""`reviewbot review`: read a change and say what is wrong with it, and what that cost."""

import json
import os
from pathlib import Path

import click

from reviewbot.cli.sources import fetch, source_options
from reviewbot.errors import UsageError
from reviewbot.publishing.result import Review, review_json
from reviewbot.review.answer import Severity
from reviewbot.review.engine import Outcome

FORMATS = ("text", "markdown", "json", "sarif")


@click.command("review")
@source_options
@click.option("--post", is_flag=True, help="Post the review on the pull request of --pr.")
@click.option("--format", "format_", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option(
    "--fail-on",
    type=click.Choice([severity.value for severity in Severity]),
    help="Exit 1 if a finding is at least this severe, or if the review is incomplete.",
)
@click.option(
    "--json-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the JSON form to this file.",
)
def command(
    range_: str | None,
    repo: Path | None,
    diff: str | None,
    pr: str | None,
    post: bool,
    format_: str,
    fail_on: str | None,
    json_file: Path | None,
) -> int:
    """Review a git range, a diff file or a GitHub pull request.

    RANGE is A..B, A...B or REV (that one commit); without it, this branch is compared with its
    merge base with the default branch. Uncommitted changes are not part of it; for those:
    git diff HEAD | reviewbot review --diff -.

    With --pr and --post the review is posted, too: comments on lines, one summary and, where the
    token may, a check. GITHUB_TOKEN must be allowed to write pull requests. A second time posts
    nothing new on the same commit. Without --post nothing is posted.

    \b
    Examples:
      reviewbot review
      reviewbot review main...feature --repo ../shop
      reviewbot review --diff fix.patch --format json
      reviewbot review --pr https://github.com/o/r/pull/7 --format markdown
      reviewbot review --pr https://github.com/o/r/pull/7 --post
      reviewbot review --fail-on high --format sarif > review.sarif

    \b
    Exit codes: 0 done, 1 with --fail-on: reached, or incomplete; with --post: not posted,
    2 bad usage or input, 3 a bug, 130 interrupted.
    """
    from reviewbot import wiring
    from reviewbot.cli.terminal import Progress
    from reviewbot.config.settings import load_settings
    from reviewbot.github.posted import page_of, posted_lines

    settings = load_settings()
    page = page_of(pr, settings.github_api_url) if post else ""
    if json_file:
        _check(json_file)  # before anything is paid for
    with Progress() as progress:
        token = os.environ.get("GITHUB_TOKEN")
        poster = wiring.token_post(settings, token, progress, request="cli") if post else None
        review = wiring.review_here(
            settings, lambda: fetch(settings, range_, repo, diff, pr), progress, post=poster
        )
    _show(review, format_)
    if json_file:
        _write(json_file, json.dumps(review_json(review), indent=2) + "\n")
    code = _exit_code(review, fail_on)
    if poster is None or poster.result is None:
        return code
    posted, lines = posted_lines(poster.result, page)
    click.echo("reviewbot: " + "\n".join(lines), err=True)
    return code if posted else code or 1


def _show(review: Review, format_: str) -> None:
    if format_ == "json":
        click.echo(json.dumps(review_json(review), indent=2))
    elif format_ == "sarif":
        from reviewbot.publishing.sarif import sarif

        click.echo(json.dumps(sarif(review), indent=2))
    elif format_ == "markdown":
        from reviewbot.publishing.summary import summary_markdown

        click.echo(summary_markdown(review))
    else:
        from reviewbot.cli.terminal import print_review, stdout_console

        print_review(review, stdout_console())


def _exit_code(review: Review, fail_on: str | None) -> int:
    """The exit code, with a line on stderr where it is not 0.

    An incomplete review never passes a gate: what nobody read can't be called clean. The policy
    decides what is shown, not what passes.
    """
    denied = next((call for call in review.calls if call.outcome is Outcome.DENIED), None)
    if denied:
        click.echo(f"reviewbot: {denied.engine}: {denied.detail or 'access denied'}", err=True)
        return 2
    if fail_on is None:
        return 0
    if review.worst is not None and review.worst.rank <= Severity(fail_on).rank:
        click.echo(f"reviewbot: a finding is {review.worst} (--fail-on {fail_on})", err=True)
        return 1
    if not review.complete:
        click.echo(f"reviewbot: the review is incomplete (--fail-on {fail_on})", err=True)
        return 1
    return 0


def _check(path: Path) -> None:
    """Raises UsageError for a file that can't be written; leaves what it holds."""
    try:
        path.open("a", encoding="utf-8").close()
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None

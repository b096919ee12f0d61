"""`reviewbot doctor`: is everything there that reviewbot needs, and what to do if not."""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from reviewbot.setup.checks import Checked

_MARKS = {"ok": "✓", "wrong": "✗", "off": "–"}


@click.command("doctor")
@click.option("--deep", is_flag=True, help="Load the local model, and have it read a short change.")
@click.option(
    "--format", "format_", type=click.Choice(("text", "json")), default="text", show_default=True
)
def command(deep: bool, format_: str) -> int:
    """Look at GitHub, models, database, disk, versions and files, and say what to do.

    ✓ is as it should be, ✗ is to be mended, – is not configured. Exit code 0, or 1 with any ✗.
    Nothing is changed, no secret is shown, and no call is made that costs anything.

    \b
    Examples:
      reviewbot doctor                       before the first start, and whenever something is odd
      reviewbot doctor --deep                with tokens per second of the local model
      reviewbot doctor --format json | jq '.checks[] | select(.state == "wrong")'
    """
    from reviewbot.config.settings import load_settings
    from reviewbot.errors import SettingsError
    from reviewbot.setup.checks import Checked, wrong
    from reviewbot.setup.doctor import examine, is_well

    try:
        settings = load_settings()
    except SettingsError as error:
        seen = [
            Checked("settings", (wrong("environment", str(error), "nothing else can be seen"),))
        ]
    else:
        seen = examine(settings, deep=deep)
    if format_ == "json":
        click.echo(json.dumps(_as_json(seen), indent=2))
    else:
        for line in _lines(seen):
            click.echo(line)
    return 0 if is_well(seen) else 1


def _as_json(seen: "Sequence[Checked]") -> dict[str, Any]:
    checks = [
        {"family": family.name, **check._asdict()} for family in seen for check in family.checks
    ]
    return {
        "schema": 1,
        "ok": all(check["state"] != "wrong" for check in checks),
        "checks": checks,
    }


def _lines(seen: "Sequence[Checked]") -> Iterator[str]:
    width = max((len(check.name) for family in seen for check in family.checks), default=0)
    for family in seen:
        yield family.name
        for check in family.checks:
            yield f"  {_MARKS[check.state]} {check.name:<{width}}  {check.seen}"
            if check.todo:
                yield f"    {'':<{width}}  → {check.todo}"
    found = sum(check.state == "wrong" for family in seen for check in family.checks)
    yield ""
    yield "Nothing is wrong." if not found else f"{found} to be mended (✗)."

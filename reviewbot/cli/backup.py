"""`reviewbot backup`: a consistent copy of the databases."""

from pathlib import Path

import click


@click.command("backup")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def command(folder: Path) -> None:
    """Copy the databases into DIR while the service runs: ledger, reviews and jobs of one moment.

    DIR must be new or empty. SQLite's files are copied by its online backup and checked;
    PostgreSQL's by pg_dump, and where that is missing the command to run is told. Keys are not
    copied. How to restore it: docs/operating.md.

    \b
    Examples:
      reviewbot backup /backups/reviewbot-$(date +%F)
    """
    from datetime import UTC, datetime

    from reviewbot.config.settings import load_settings
    from reviewbot.setup.backup import back_up

    made = back_up(load_settings(), folder, datetime.now(UTC))
    for name, size in made.files:
        click.echo(f"{made.folder / name}  {size:,} bytes")
    for path in made.left_out:
        click.echo(f"Not copied, keep it where your secrets are: {path}")

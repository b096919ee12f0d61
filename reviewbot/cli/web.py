"""`reviewbot web`: the listener alone."""

import os

import click


@click.command("web")
@click.option("--bind", metavar="HOST:PORT", help="Instead of REVIEWBOT_BIND.")
@click.option("--supervised", is_flag=True, hidden=True)
def command(bind: str | None, supervised: bool) -> None:
    """Take GitHub's deliveries and keep their work in the queue; `reviewbot worker` does it.

    Prints a link that signs in to the pages, once.
    """
    from reviewbot.config.settings import PREFIX, load_settings
    from reviewbot.service.listener import run_web
    from reviewbot.service.supervisor import end_with_parent

    if supervised:
        end_with_parent()
    run_web(load_settings({**os.environ, f"{PREFIX}BIND": bind} if bind else None))

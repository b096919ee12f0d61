"""`reviewbot web`: the listener alone."""

import os

import click


@click.command("web")
@click.option("--bind", metavar="HOST:PORT", help="Instead of REVIEWBOT_BIND.")
@click.option("--supervised", is_flag=True, hidden=True)
def command(bind: str | None, supervised: bool) -> None:
    """Take GitHub's deliveries and keep their work in the queue; `reviewbot worker` does it.

    Signs everybody out of the pages, and prints a link that signs in, once.
    """
    from reviewbot.config.settings import PREFIX, load_settings
    from reviewbot.service.listener import run_web
    from reviewbot.service.login import login_of
    from reviewbot.service.supervisor import end_with_parent

    if supervised:
        end_with_parent()
    settings = load_settings({**os.environ, f"{PREFIX}BIND": bind} if bind else None)
    if not supervised:  # else `serve` has done it, and a restarted child does not
        login_of(settings).revoke_all()
    run_web(settings)

"""The first start: while no GitHub App is configured, `/setup` is all there is."""

import signal
from threading import Event
from types import FrameType

import click

from reviewbot.config.settings import Settings
from reviewbot.engines.address import is_loopback
from reviewbot.setup.door import Door
from reviewbot.setup.enrolment import Enrolment
from reviewbot.setup.keeping import check_free
from reviewbot.setup.listening import answering
from reviewbot.setup.manifest import host_of
from reviewbot.setup.pages import Form, create_setup_app

NEXT = "That is all: reviewbot is running, and reviews the next pull request."


def is_new(settings: Settings) -> bool:
    """Whether nothing names an App: neither the environment nor the data folder."""
    given = (settings.github_app_id, settings.github_private_key, settings.webhook_secret)
    return all(value is None for value in given)


def set_up(settings: Settings, bind: str) -> bool:
    """Show the page until an App is made; False if told to stop before. For a process' main thread.

    Raises UsageError if the address can't be had, StoreError if the folder can't be written.
    """
    check_free(settings.data_dir, replace=False)
    enrolment = Enrolment(host_of("", settings.github_api_url), settings.data_dir)
    polls = settings.delivery == "poll"
    first = Form(poll=polls, only_poll=polls, can_poll=polls or is_loopback(f"http://{bind}"))
    door, ended = Door(), Event()
    app = create_setup_app(
        enrolment, door, first, ended, proxies=settings.trusted_networks, next_step=NEXT
    )

    def stop(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with answering(app, bind) as address:
            click.echo("No GitHub App is set up yet.")
            click.echo(f"Set it up (this link works once): {address}/setup?token={door.token}")
            ended.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return enrolment.done is not None

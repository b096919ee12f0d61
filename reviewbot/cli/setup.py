"""`reviewbot setup`: create the GitHub App by its manifest."""

import os
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from reviewbot.config.settings import Settings
    from reviewbot.setup.enrolment import Enrolled
    from reviewbot.setup.pages import Form


@click.command("setup")
@click.option(
    "--org", metavar="NAME", default="", help="The App of an organisation. Default: yours."
)
@click.option("--name", default="", help="The App's name. Default: reviewbot-NAME of --org.")
@click.option(
    "--public-url", metavar="URL", default="", help="Where GitHub reaches this service, by a proxy."
)
@click.option("--poll", is_flag=True, help="GitHub can't reach it: read deliveries from its log.")
@click.option("--monthly-issue", is_flag=True, help="Also issues: write, for the month's report.")
@click.option(
    "--resolve-threads", is_flag=True, help="Also contents: write, without which none is resolved."
)
@click.option(
    "--github-url",
    metavar="URL",
    default="",
    help="An Enterprise Server, https://HOST. Default: that of REVIEWBOT_GITHUB_API_URL.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Of the page. Default: any.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.option("--replace", is_flag=True, help="Move the App that is kept aside, and make another.")
def command(
    org: str,
    name: str,
    public_url: str,
    poll: bool,
    monthly_issue: bool,
    resolve_threads: bool,
    github_url: str,
    port: int,
    no_browser: bool,
    replace: bool,
) -> int:
    """Create the GitHub App, and keep its key in the data folder.

    Opens a page of this machine that leads to GitHub, where one click creates the App with exactly
    the permissions and events that reviews need. Exit code 0, or 1 if something about it is to be
    mended first.

    \b
    Examples:
      reviewbot setup --org acme --public-url https://reviewbot.example.com
      reviewbot setup --poll                              behind NAT, for your own account
      reviewbot setup --github-url https://github.acme.example --org shop --poll
    """
    from reviewbot.config.settings import load_settings
    from reviewbot.setup.keeping import check_free
    from reviewbot.setup.manifest import wish
    from reviewbot.setup.pages import Form

    _check_environment()
    settings = load_settings()
    extras = {"--monthly-issue": monthly_issue, "--resolve-threads": resolve_threads}
    poll = poll or (os.environ.get("REVIEWBOT_DELIVERY") == "poll" and not public_url)
    form = Form(name, org, public_url, poll, tuple(n for n, wanted in extras.items() if wanted))
    wish(  # what is wrong with the options is said before anything begins
        name=name, organization=org, public_url=public_url, poll=poll, extras=form.extras
    )
    check_free(settings.data_dir, replace=replace)
    done = _made(settings, form, github_url, port, replace=replace, browser=not no_browser)
    for line in _told(done):
        click.echo(line)
    return 1 if done.problems else 0


def _check_environment() -> None:
    """Raises UsageError where the environment names an App, or a secret that GitHub would not know:
    what is kept would not be used."""
    from reviewbot.errors import UsageError

    names = (
        *("GITHUB_APP_ID", "GITHUB_PRIVATE_KEY", "GITHUB_PRIVATE_KEY_FILE"),
        *("WEBHOOK_SECRET", "WEBHOOK_SECRET_FILE"),
    )
    named = [f"REVIEWBOT_{name}" for name in names if os.environ.get(f"REVIEWBOT_{name}")]
    if named:
        raise UsageError(f"{named[0]} is set, so a new App would not be used: unset it first")


def _made(
    settings: "Settings", form: "Form", github_url: str, port: int, *, replace: bool, browser: bool
) -> "Enrolled":
    """Wait until the App is made. Raises UsageError if nobody makes it within an hour."""
    from threading import Event

    from reviewbot.errors import UsageError
    from reviewbot.setup.door import Door
    from reviewbot.setup.enrolment import LIFE_SECONDS, Enrolment
    from reviewbot.setup.listening import answering
    from reviewbot.setup.manifest import host_of
    from reviewbot.setup.pages import create_setup_app

    door, finished = Door(), Event()
    host = host_of(github_url, settings.github_api_url)
    enrolment = Enrolment(host, settings.data_dir, replace=replace)
    app = create_setup_app(
        enrolment, door, form, finished, next_step="Then start it: reviewbot serve"
    )
    with answering(app, f"127.0.0.1:{port}") as address:
        link = f"{address}/setup?token={door.token}"
        click.echo(f"Open this link, it works once: {link}")
        if browser and _has_screen():
            click.launch(link)
        else:
            number = address.rpartition(":")[2]
            click.echo(f"From another machine: ssh -L {number}:127.0.0.1:{number} THIS_ONE, first")
        sys.stdout.flush()
        if not finished.wait(LIFE_SECONDS) or enrolment.done is None:
            raise UsageError("no App was made within an hour: begin again")
        return enrolment.done


def _told(done: "Enrolled") -> list[str]:
    return [
        f"{done.app.slug} (id {done.app.id}) is made; key and secrets: {done.folder}",
        *(f"To be mended: {problem}" for problem in done.problems),
        f"Next: install it on repositories, {done.installation_url}",
        "Then: reviewbot serve",
    ]


def _has_screen() -> bool:
    """Whether a browser that is opened would be seen, and not take over the terminal."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))

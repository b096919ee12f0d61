"""`reviewbot serve`: listener and worker on one machine."""

import click


@click.command("serve")
@click.option("--bind", metavar="HOST:PORT", help="Instead of REVIEWBOT_BIND.")
@click.option(
    "--new-login",
    is_flag=True,
    help="Start nothing: sign everybody out of the running service, and print a new link.",
)
def command(bind: str | None, new_login: bool) -> int:
    """Run the listener and one worker, and restart either when it ends.

    Every start with an App signs everybody out of the pages, and prints a link that signs in, once.

    \b
    Examples:
      reviewbot serve                          without an App: a link to the page that creates one
      REVIEWBOT_WEBHOOK_SECRET_FILE=secret REVIEWBOT_GITHUB_APP_ID=1 \\
      REVIEWBOT_GITHUB_PRIVATE_KEY_FILE=app.pem reviewbot serve
      reviewbot serve --bind 0.0.0.0:8080      behind a proxy that speaks TLS
      reviewbot serve --new-login              another link, while it runs
    """
    if new_login:
        import os

        from reviewbot.config.settings import PREFIX, load_settings
        from reviewbot.service.listener import answers
        from reviewbot.service.listener import new_login as renewed

        settings = load_settings({**os.environ, f"{PREFIX}BIND": bind} if bind else None)
        click.echo(f"Pages (this link works once): {renewed(settings)}")
        if not answers(settings):
            click.echo(
                f"reviewbot: nothing answers at {settings.bind} on this machine; where the service"
                " starts there later, it prints a link of its own, and this one ends",
                err=True,
            )
        return 0
    from reviewbot.service.serve import serve

    return serve(bind)

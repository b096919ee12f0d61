"""`reviewbot serve`: listener and worker on one machine."""

import click


@click.command("serve")
@click.option("--bind", metavar="HOST:PORT", help="Instead of REVIEWBOT_BIND.")
def command(bind: str | None) -> int:
    """Run the listener and one worker, and restart either when it ends.

    \b
    Examples:
      REVIEWBOT_WEBHOOK_SECRET_FILE=secret REVIEWBOT_GITHUB_APP_ID=1 \\
      REVIEWBOT_GITHUB_PRIVATE_KEY_FILE=app.pem reviewbot serve
      reviewbot serve --bind 0.0.0.0:8080      behind a proxy that speaks TLS
    """
    from reviewbot.service.serve import serve

    return serve(bind)

"""`reviewbot worker`: does the work that the listener left in the queue."""

import click

from reviewbot.errors import UsageError

#: As in `service/dbos_setup.py`, which takes its time to import.
QUEUES = ("reviews", "gpu", "claude", "commands", "reports")


@click.command("worker")
@click.option(
    "--queues",
    metavar="A,B,…",
    default=",".join(QUEUES),
    show_default=True,
    help="What it does. Each queue needs a worker; PostgreSQL only.",
)
@click.option("--supervised", is_flag=True, hidden=True)
def command(queues: str, supervised: bool) -> None:
    """Review what waits in the queue, until SIGTERM.

    On SQLite there is one worker; on PostgreSQL there may be any number, on any machines. A machine
    without a card takes off a GPU box what needs none.

    \b
    Examples:
      reviewbot worker
      reviewbot worker --queues reviews,gpu                # on the GPU box
      reviewbot worker --queues claude,commands,reports    # beside it
    """
    wanted = [name.strip() for name in queues.split(",") if name.strip()]
    if unknown := [name for name in wanted if name not in QUEUES] or (not wanted and ["nothing"]):
        raise UsageError(f"--queues: no queue is called {unknown[0]}: {', '.join(QUEUES)}")
    from reviewbot.config.settings import load_settings
    from reviewbot.errors import EngineError, StoreError
    from reviewbot.service.assembly import worker_parts
    from reviewbot.service.logs import configure_logs
    from reviewbot.service.supervisor import end_with_parent
    from reviewbot.service.worker import run_worker

    if supervised:
        end_with_parent()
    settings = load_settings()
    configure_logs(settings)
    try:
        run_worker(settings, lambda engine: worker_parts(settings, engine), queues=wanted)
    except (StoreError, EngineError) as error:
        if not supervised:
            raise
        # the supervisor found the database in order: it, or a model, is away, and another start
        # may help
        click.echo(f"reviewbot: {error}", err=True)
        raise SystemExit(1) from None

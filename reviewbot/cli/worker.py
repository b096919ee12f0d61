"""`reviewbot worker`: does the work that the listener left in the queue."""

import click


@click.command("worker")
@click.option("--supervised", is_flag=True, hidden=True)
def command(supervised: bool) -> None:
    """Review what waits in the queue, until SIGTERM.

    On SQLite there is one worker; on PostgreSQL there may be any number, on any machines.
    """
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
        run_worker(settings, lambda engine: worker_parts(settings, engine))
    except (StoreError, EngineError) as error:
        if not supervised:
            raise
        # the supervisor found the database in order: it, or a model, is away, and another start
        # may help
        click.echo(f"reviewbot: {error}", err=True)
        raise SystemExit(1) from None

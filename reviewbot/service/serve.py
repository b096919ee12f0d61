"""`reviewbot serve`: databases made ready, then listener and worker under one supervisor."""

import os
import sys
from collections.abc import Mapping

from reviewbot.config.settings import PREFIX, load_settings
from reviewbot.errors import SettingsError
from reviewbot.service.dbos_setup import migrate_jobs
from reviewbot.service.first_start import is_new, set_up
from reviewbot.service.login import login_of
from reviewbot.service.logs import configure_logs
from reviewbot.service.supervisor import ChildSpec, Pace, Supervisor
from reviewbot.store.ledger import open_store

#: Settings that the listener gets no sight of: it faces the network and needs none of them.
WORKER_ONLY = (f"{PREFIX}GITHUB_PRIVATE_KEY", f"{PREFIX}GITHUB_PRIVATE_KEY_FILE")


def serve(bind: str | None = None, pace: Pace | None = None) -> int:
    """Run until SIGTERM or SIGINT; the exit code. Without any App, first the page that makes one.

    Raises SettingsError, and StoreError if a database can't be made ready.
    """
    settings = load_settings()
    if is_new(settings):
        if not set_up(settings, bind or settings.bind):
            return 0
        settings = load_settings()
    if settings.delivery == "webhook" and not settings.webhook_secret:
        raise SettingsError("REVIEWBOT_WEBHOOK_SECRET is not set: the listener needs it")
    configure_logs(settings)
    open_store(settings.database).close()
    migrate_jobs(settings)
    login_of(settings).revoke_all()  # a child that is restarted signs nobody out
    return Supervisor(children(os.environ, bind), pace).run()


def children(environment: Mapping[str, str], bind: str | None) -> tuple[ChildSpec, ChildSpec]:
    """Listener and worker, each with what it needs of our environment."""
    run = (sys.executable, "-m", "reviewbot")
    web = (*run, "web", "--supervised", *(("--bind", bind) if bind else ()))
    keyless = {name: value for name, value in environment.items() if name not in WORKER_ONLY}
    return (
        ChildSpec("web", web, keyless),
        ChildSpec("worker", (*run, "worker", "--supervised"), dict(environment)),
    )

"""The listener as a process: Flask behind gunicorn, one process with threads.

Nothing is opened before gunicorn has forked, and nothing because of gunicorn: a database that is
away at the start is a 503, and works when it is back.
"""

import gc
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Any

import click
from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from reviewbot.config.settings import Settings
from reviewbot.errors import ReviewbotError
from reviewbot.service.budget_metrics import BudgetMetrics
from reviewbot.service.dbos_setup import jobs_engine
from reviewbot.service.health import Health, ServiceHealth
from reviewbot.service.jobs import JobQueue
from reviewbot.service.lazy import LazyQueue, LazyStore
from reviewbot.service.login import login_of
from reviewbot.service.logs import configure_logs
from reviewbot.service.metrics import Metrics
from reviewbot.service.months import Months
from reviewbot.service.queue import DbosQueue
from reviewbot.service.upkeep_metrics import UpkeepMetrics
from reviewbot.service.web import create_app

#: Deliveries that are taken at the same time.
THREADS = 16
#: Seconds that running answers have when the listener stops.
GRACE_SECONDS = 15
#: Hosts that mean "every address of this machine".
_ANY = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - they are compared, not bound


def new_login(settings: Settings) -> str:
    """End all sessions and return a link that signs in, once. Raises StoreError."""
    host, port = _local(settings)
    return _link(f"http://{host}:{port}", login_of(settings).renew())


def answers(settings: Settings) -> bool:
    """Whether anything on this machine listens where the service would."""
    host, port = _local(settings)
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=2):
            return True
    except OSError:
        return False


def _local(settings: Settings) -> tuple[str, str]:
    """Host and port by which this machine reaches the service."""
    host, _, port = settings.bind.rpartition(":")
    return _ANY.get(host.strip("[]"), host), port


def run_web(settings: Settings) -> None:
    """The listener of an installation, until SIGTERM or SIGINT. Raises SettingsError."""

    def health() -> Health:
        store = LazyStore(settings.database)
        return ServiceHealth(store.beats)

    serve_web(settings, lambda: DbosQueue(jobs_engine(settings)), health)


def serve_web(
    settings: Settings, queue: Callable[[], JobQueue], health: Callable[[], Health]
) -> None:
    """Listen until SIGTERM or SIGINT; then the process ends. `queue` and `health` are called
    after gunicorn has forked. Raises SettingsError without a webhook secret."""

    def app() -> Flask:
        store = LazyStore(settings.database)
        months = Months(settings, store.reports)
        Thread(target=_warm, args=(months,), daemon=True).start()
        return create_app(
            settings,
            LazyQueue(queue),
            health(),
            store=store.reports,
            login=login_of(settings),
            months=months,
            metrics=Metrics(
                store.readability,
                BudgetMetrics(store.budgets, settings.monthly_budget_usd),
                UpkeepMetrics(store.chores),
            ),
        )

    create_app(  # what is wrong with the settings is said here, not by a child that fails
        settings,
        LazyQueue(queue),
        _Unasked(),
        store=LazyStore(settings.database).reports,
        login=login_of(settings),
    )
    configure_logs(settings)
    _Gunicorn(settings, app).run()


def _warm(months: Months) -> None:
    """Add up the months before the first page wants them; it says itself what is wrong."""
    with suppress(ReviewbotError):
        months.warm()


class _Unasked:
    def checks(self) -> tuple[()]:
        return ()


class _Gunicorn(BaseApplication):  # type: ignore[misc] # gunicorn has no types
    def __init__(self, settings: Settings, app: Callable[[], Flask]) -> None:
        self._settings, self._app = settings, app
        super().__init__()

    def load_config(self) -> None:
        for key, value in gunicorn_options(self._settings).items():
            self.cfg.set(key, value)
        self.cfg.set("when_ready", self._greet)

    def load(self) -> Flask:
        import dbos  # noqa: F401 - takes most of a second: not the first delivery's to wait for

        return self._app()

    def _greet(self, arbiter: Any) -> None:
        """Say where it listens, and print the link that signs in."""
        host, port = arbiter.LISTENERS[0].sock.getsockname()[:2]
        shown = _ANY.get(host) or (f"[{host}]" if ":" in host else host)
        address = f"http://{shown}:{port}"
        token = login_of(self._settings).issue()
        if self._settings.delivery == "poll":
            click.echo(f"reviewbot listens on {address}, for this machine only: it polls")
        else:
            click.echo(f"reviewbot listens on {address}, for deliveries at {address}/webhook")
        click.echo(f"Pages (this link works once): {_link(address, token)}")


def _link(address: str, token: str) -> str:
    return f"{address}/login?token={token}"


def gunicorn_options(settings: Settings) -> dict[str, Any]:
    """How gunicorn runs the listener."""
    return {
        "bind": [settings.bind],
        "workers": 1,
        "worker_class": "gthread",
        "threads": THREADS,
        "preload_app": False,
        "pre_fork": _keep_shared,
        "graceful_timeout": GRACE_SECONDS,
        "timeout": 60,
        "control_socket_disable": True,  # a way in that nobody asked for
        # who may say that a request came by TLS: then the session's cookie is for TLS alone
        "forwarded_allow_ips": ",".join(["127.0.0.1", "::1", *map(str, settings.trusted_networks)]),
        "proc_name": "reviewbot-web",
        "logger_class": _OurLogger,
        "loglevel": "warning",
    }


def _keep_shared(_arbiter: Any, _worker: Any) -> None:
    """What is loaded stays out of the collector's way, which would copy it into the child: 13 MB."""
    gc.collect()
    gc.freeze()


class _OurLogger(Logger):  # type: ignore[misc] # gunicorn has no types
    """What gunicorn says goes where all logs go."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True
        self.access_log.setLevel(logging.WARNING)

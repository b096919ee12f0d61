"""The process that does the work: one on SQLite, any number on PostgreSQL."""

import fcntl
import logging
import os
import signal
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, text

from reviewbot.config.settings import Settings
from reviewbot.errors import StoreError
from reviewbot.service.dbos_setup import (
    configuration,
    is_embedded,
    jobs_engine,
    register_queues,
)
from reviewbot.service.durable import Parts
from reviewbot.service.workflows import Jobs
from reviewbot.store.jobs import JobStore

#: How often a worker says that it is alive, and after how long without it is taken for dead, seconds.
BEAT_SECONDS, DEAD_SECONDS = 5.0, 30.0
#: Longest wait for running work when the worker is told to end, seconds.
GRACE_SECONDS = 20
#: Key of PostgreSQL's advisory lock for taking over a dead worker's jobs ("rvwr").
REAPER_KEY = 0x72767772

log = logging.getLogger(__name__)


def run_worker(settings: Settings, make_parts: Callable[[Engine], Parts]) -> None:
    """Work until SIGTERM or SIGINT, then end the process.

    `make_parts` is given the connections to the jobs' database. Raises StoreError if a second
    worker is started on SQLite, or a database can't be used. To be run in the main thread.
    """
    stop = threading.Event()
    with _only_one(settings):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        engine = jobs_engine(settings)
        work(settings, engine, make_parts(engine), stop)
    logging.shutdown()
    os._exit(0)  # threads that wait for a model must not keep the process


def work(settings: Settings, engine: Engine, parts: Parts, stop: threading.Event) -> None:
    """Launch DBOS, work until `stop`, and leave what is unfinished to the next start."""
    # DBOS takes most of a second to import: only workers need it
    from dbos import DBOS

    executor = "local" if is_embedded(settings) else f"{socket.gethostname()[:80]}:{uuid.uuid4()}"
    jobs, store = Jobs(parts), parts.caller.store
    DBOS(config=configuration(engine, executor))
    jobs.register()
    store.beat(executor, at=datetime.now(UTC))
    DBOS.launch()
    register_queues()
    while True:
        store.beat(executor, at=datetime.now(UTC))
        if not is_embedded(settings):
            take_over(engine, store, DEAD_SECONDS)
        if stop.wait(BEAT_SECONDS):
            break
    jobs.stopping.set()
    DBOS.destroy(workflow_completion_timeout_sec=GRACE_SECONDS)
    jobs.forgive_running()
    store.end_beats(executor)


def take_over(engine: Engine, store: JobStore, dead_seconds: float) -> int:
    """Queue again what workers were doing that are gone; how much there was. PostgreSQL only:
    one worker at a time does it, and DBOS by itself only takes up what its own name had begun."""
    from dbos import DBOS

    with engine.begin() as connection:
        lock = text("SELECT pg_try_advisory_xact_lock(:key)")
        if not connection.execute(lock, {"key": REAPER_KEY}).scalar():
            return 0
        since = datetime.now(UTC) - timedelta(seconds=dead_seconds)
        alive = {beat.executor for beat in store.beats() if beat.seen_at >= since}
        left: dict[str | None, list[str]] = {}
        for job in DBOS.list_workflows(status="PENDING", load_input=False, load_output=False):
            if job.executor_id not in alive:
                left.setdefault(job.queue_name, []).append(job.workflow_id)
        for queue, names in left.items():
            DBOS.resume_workflows(names, queue_name=queue)
    return sum(len(names) for names in left.values())


@contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    """On SQLite there is one worker; the lock ends with the process, however that ends."""
    if not is_embedded(settings):
        yield
        return
    path = Path(settings.data_dir, "worker.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoreError(
                f"another reviewbot worker uses {settings.data_dir}: end it, or give this one"
                " a folder of its own (REVIEWBOT_DATA_DIR); several need PostgreSQL"
            ) from None
        yield

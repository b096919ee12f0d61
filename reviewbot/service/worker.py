"""The process that does the work: one on SQLite, any number on PostgreSQL."""

import fcntl
import logging
import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from sqlalchemy import Engine, text

from reviewbot.asking import TakesTurns
from reviewbot.config.folders import private_folder
from reviewbot.config.settings import Settings
from reviewbot.errors import StoreError, UsageError
from reviewbot.service.dbos_setup import (
    GPU_AT_ONCE,
    QUEUES,
    configuration,
    is_embedded,
    jobs_engine,
    register_queues,
)
from reviewbot.service.durable import Parts
from reviewbot.service.jobs import QueueUnavailable
from reviewbot.service.workflows import Jobs
from reviewbot.store.engine import errors_in_words
from reviewbot.store.jobs import JobStore

#: Key of PostgreSQL's advisory lock for taking over a dead worker's jobs ("rvwr").
REAPER_KEY = 0x72767772
#: A worker that ends because of the database; another start may help.
LOST_DATABASE = 1
#: One that ends because of an error of ours.
BUG = 3

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pace:
    """How fast a worker acts, seconds."""

    beat: float = 5.0
    """How often it says that it is alive."""
    dead: float = 30.0
    """One that has not said so for so long is taken for dead."""
    grace: int = 20
    """Longest wait for running work when it is told to end."""
    settle: float = 5.0
    """Wait for reviews to be posted then, once no question is being answered any more."""
    patience: float = 40.0
    """Longest wait for a worker before it, which may still be ending, on SQLite."""


def run_worker(
    settings: Settings,
    make_parts: Callable[[Engine], Parts],
    pace: Pace = Pace(),
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    queues: Sequence[str] = QUEUES,
) -> None:
    """Work until SIGTERM or SIGINT, then end the process.

    `make_parts` is given the connections to the jobs' database, `clock` tells when reports are
    due. Raises StoreError if a second worker is started on SQLite, or a database can't be used,
    UsageError for a part of the queues there. To be run in the main thread.
    """
    if is_embedded(settings) and set(queues) != set(QUEUES):
        raise UsageError("--queues needs PostgreSQL: on SQLite one worker does everything")
    stop, code = threading.Event(), 0
    with named(settings, pace.patience) as executor:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        engine = jobs_engine(settings)
        parts = make_parts(engine)
        try:
            work(
                settings,
                engine,
                parts,
                stop,
                executor=executor,
                pace=pace,
                clock=clock,
                queues=queues,
            )
        except StoreError as error:
            log.error("the worker ends: %s", error)
            code = LOST_DATABASE
        except Exception:  # its threads would keep the process, half dead, for ever
            log.exception("the worker ends")
            code = BUG
        logging.shutdown()
        os._exit(code)  # threads that wait for a model must not keep the process


def work(
    settings: Settings,
    engine: Engine,
    parts: Parts,
    stop: threading.Event,
    *,
    executor: str = "local",
    pace: Pace = Pace(),
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    queues: Sequence[str] = QUEUES,
) -> None:
    """Launch DBOS, work until `stop`, and leave what is unfinished to the next start.

    Raises StoreError if the store can't be used at the start, or if it could not for so long that
    others may do this worker's work: the process must end then, with all that runs in it.
    """
    # DBOS takes most of a second to import: only workers need it
    from dbos import DBOS

    jobs, store = Jobs(parts), parts.caller.store
    local_at_once = _local_at_once(parts)
    DBOS(config=configuration(engine, executor, local_at_once))
    jobs.register()
    engines = _engines(parts)
    _beat(store, executor, engines)
    if set(queues) != set(QUEUES):
        DBOS.listen_queues(list(queues))
    DBOS.launch()
    register_queues(settings, local_at_once)
    seen = _beat(store, executor, engines)
    if parts.upkeep:
        parts.upkeep.start(executor, stop)
    alone, reported = is_embedded(settings), ""
    while not stop.wait(pace.beat):
        if not alone and datetime.now(UTC) - seen > timedelta(seconds=pace.dead):
            raise StoreError("it gave no sign of life for so long that others do its work now")
        try:
            seen = _beat(store, executor, engines)
            if not alone:
                take_over(engine, store, pace.dead)
            reported = _queue_reports(parts, reported, clock())
        except (
            StoreError,
            QueueUnavailable,
        ) as error:  # a short absence costs no call that is being answered
            log.warning("no sign of life: %s", error)
    jobs.stopping.set()
    _wind_up(jobs, pace)
    if parts.upkeep:
        parts.upkeep.end(executor, pace.settle)
    jobs.forgive_running()
    store.end_beats(executor)


def _beat(store: JobStore, executor: str, engines: str) -> datetime:
    now = datetime.now(UTC)
    store.beat(executor, at=now, engines=engines)
    return now


def _queue_reports(parts: Parts, last: str, now: datetime) -> str:
    """Queue the monthly reports that are due, once in the life of each worker: the queue has each
    only once, whoever asks. Returns the month that needs no more looking at."""
    jobs = parts.due_reports(now) if f"{now:%Y-%m}" != last else ()
    for job in jobs:
        parts.queue.enqueue_report(job)
    return f"{now:%Y-%m}" if jobs else last


def _engines(parts: Parts) -> str:
    """What answers this worker's questions."""
    known = parts.caller.asker.engines
    return ", ".join(f"{role} ({known[role].model})" for role in sorted(known))


def _local_at_once(parts: Parts) -> int:
    """Local questions to hand out: what the engine works on, and one to go on with at once. Others
    wait in the queue, where it is nobody's time."""
    local = parts.caller.asker.engines.get("local")
    return local.at_once + 1 if isinstance(local, TakesTurns) else GPU_AT_ONCE


def _wind_up(jobs: Jobs, pace: Pace) -> None:
    """Begin nothing more, and let end what runs: above all calls, which are paid for. A review may
    also wait for a question that nobody begins any more, so not all of them come to their end."""
    from dbos import DBOS

    patience = {"workflow_completion_timeout_sec": pace.grace}
    ending = threading.Thread(target=DBOS.destroy, kwargs=patience, daemon=True)
    ending.start()
    quiet = time.monotonic()
    while ending.is_alive() and time.monotonic() - quiet < pace.settle:
        ending.join(0.1)
        if jobs.calling:
            quiet = time.monotonic()


def take_over(engine: Engine, store: JobStore, dead_seconds: float) -> int:
    """Queue again what workers were doing that are gone; how much there was. PostgreSQL only:
    one worker at a time does it, and DBOS by itself only takes up what its own name had begun."""
    from dbos import DBOS

    with errors_in_words(engine), engine.begin() as connection:
        # who freezes here must not keep the lock
        limit = text("SELECT set_config('idle_in_transaction_session_timeout', :limit, true)")
        connection.execute(limit, {"limit": f"{dead_seconds * 1000:.0f}"})
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
def named(settings: Settings, patience: float) -> Iterator[str]:
    """The name under which DBOS knows this worker.

    Whoever holds the data folder's lock has the folder's name, and DBOS lets it go on at once with
    what the last one of that name had begun. The lock ends with the process, however that ends.
    On SQLite there is no worker without it: one that still ends is waited for `patience` seconds,
    then StoreError is raised.
    """
    path, embedded = Path(settings.data_dir, "worker.lock"), is_embedded(settings)
    private_folder(path.parent)
    with path.open("a+") as file:
        mine = _locked(file, 0.0)
        if embedded and not mine:
            log.info("another worker has not ended yet: waiting up to %.0f s", patience)
            mine = _locked(file, patience)
        if embedded and not mine:
            raise StoreError(
                f"another reviewbot worker uses {settings.data_dir}: end it, or give this one"
                " a folder of its own (REVIEWBOT_DATA_DIR); several need PostgreSQL"
            )
        name = _kept(file) if mine else str(uuid.uuid4())
        yield "local" if embedded else f"{socket.gethostname()[:80]}:{name}"


def _locked(file: IO[str], patience: float) -> bool:
    began = time.monotonic()
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() - began >= patience:
                return False
            time.sleep(0.1)
        else:
            return True


def _kept(file: IO[str]) -> str:
    """The id in the file, or a new one."""
    file.seek(0)
    known = file.read(64).strip()
    if not known:
        known = str(uuid.uuid4())
        file.write(known)
        file.flush()
    return known

"""What one worker works with, made of the settings."""

import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Thread

from sqlalchemy import Engine

from reviewbot import wiring
from reviewbot.config.settings import Settings
from reviewbot.errors import EngineError
from reviewbot.github.app import GitHubApp
from reviewbot.pipeline import Setup, effective_policy
from reviewbot.privacy.secrets import find_secrets
from reviewbot.review.engine import Engine as ReviewEngine
from reviewbot.routing.model import Tier
from reviewbot.service.cleaning import CLEAN, Cleaning
from reviewbot.service.collecting import Collector
from reviewbot.service.commanding import Commands
from reviewbot.service.durable import Parts
from reviewbot.service.github_host import GitHubHost
from reviewbot.service.jobs import ReviewJob
from reviewbot.service.monthly import Monthly
from reviewbot.service.parts import make_parts
from reviewbot.service.queue import DbosQueue
from reviewbot.service.recovering import POLL, RECOVER, Recovery
from reviewbot.service.sweeping import SWEEP, Sweep
from reviewbot.service.upkeep import Chore, Upkeep
from reviewbot.store.cleaning import open_cleaning_store
from reviewbot.store.pulls import PullStore, open_pull_store

#: Longest wait for a model to load, seconds: 20 GB from a slow disk.
LOAD_SECONDS = 600.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rhythm:
    """How often the service's own work is done."""

    look: float = 5.0
    """Seconds between looks whether something is due."""
    deliveries: timedelta = timedelta(minutes=5)
    poll: timedelta = timedelta(seconds=20)
    """The same, where there are no webhooks."""
    sweep: timedelta = timedelta(hours=1)
    clean: timedelta = timedelta(days=1)
    forget: timedelta = timedelta(minutes=1)
    """The same, where nothing is kept longer than its job."""


def worker_parts(settings: Settings, engine: Engine, rhythm: Rhythm = Rhythm()) -> Parts:
    """Raises SettingsError, naming the variable, for what is missing or wrong."""
    app, key = wiring.github_app(settings), wiring.marker_key(settings)
    pulls, queue = open_pull_store(settings.database), DbosQueue(engine)
    prepared = replace(wiring.setup(settings), tolerant=True)
    monthly = Monthly(
        settings, app, pulls, key, lambda fetched: effective_policy(prepared, fetched).policy
    )
    host = GitHubHost(
        app=app,
        marker_key=key,
        policy_of=lambda fetched: effective_policy(prepared, fetched).policy,
        is_paused=pulls.is_paused,
        commands=Commands(app, pulls, queue, key).run,
        reports=monthly.run,
        collect=Collector(app, pulls, key).run,
        resolves_threads=settings.resolve_threads,
    )
    parts = make_parts(settings, engine, host)
    local = parts.caller.asker.engines.get("local")
    Thread(target=_warm_up, args=(local,), daemon=True).start()

    def setup(job: ReviewJob) -> Setup:
        return replace(
            parts.setup(job),
            automatic=job.automatic,
            tolerant=True,
            tier=Tier(job.tier) if job.tier else None,
            dismissed=pulls.dismissed(job.repository_id, job.number),
        )

    upkeep = _upkeep(settings, app, queue, pulls, rhythm)
    return replace(parts, setup=setup, due_reports=monthly.due, upkeep=upkeep)


def _upkeep(
    settings: Settings, app: GitHubApp, queue: DbosQueue, pulls: PullStore, rhythm: Rhythm
) -> Upkeep:
    """What the service does by itself."""
    store = open_cleaning_store(settings.database)
    polls = settings.delivery == "poll"
    recovery = Recovery(app, queue, store, failed_only=not polls)
    name, every = (POLL, rhythm.poll) if polls else (RECOVER, rhythm.deliveries)
    deliveries = Chore(name, every, recovery.work, at_start=True)
    sweep = Chore(SWEEP, rhythm.sweep, Sweep(app, queue, store, pulls.is_paused).work)
    cleaning = Cleaning(queue.client, store, settings.retention_days)
    clean = Chore(CLEAN, rhythm.clean if settings.retention_days else rhythm.forget, cleaning.work)
    return Upkeep(store, (deliveries, sweep, clean), rhythm.look)


def _warm_up(local: ReviewEngine | None) -> None:
    """Load what is loaded where it is used: the first review would wait seconds for it."""
    import anthropic  # noqa: F401
    import github  # noqa: F401

    from reviewbot.engines.llama.engine import LlamaEngine

    find_secrets("")
    if isinstance(local, LlamaEngine):
        try:
            local.start(timeout=LOAD_SECONDS)
        except EngineError as error:
            log.error("%s", error)

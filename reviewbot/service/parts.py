"""Settings → what the jobs of one worker work with."""

from sqlalchemy import Engine

from reviewbot import crews, wiring
from reviewbot.config.settings import Settings
from reviewbot.engines.analyzers import LocalAnalyzers
from reviewbot.service.calling import Caller
from reviewbot.service.durable import Host, Parts
from reviewbot.service.queue import DbosQueue
from reviewbot.store.jobs import open_job_store


def make_parts(settings: Settings, jobs_database: Engine, host: Host) -> Parts:
    """Everything but the host, made once for all jobs.

    Raises SettingsError, DocumentError or PriceError for what the operator gave, StoreError if
    the database can't be used.
    """
    crew = crews.engines(settings)
    setup = wiring.setup(settings, crew)
    store = open_job_store(settings.database)
    caller = Caller(store, wiring.asker(settings, crew, store, setup.prices))
    queue = DbosQueue(jobs_database)
    return Parts(host, caller, LocalAnalyzers(), queue, setup=lambda _job: setup)

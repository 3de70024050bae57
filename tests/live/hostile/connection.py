"""One connection that is used as no client should use it."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import time
from types import TracebackType

PATIENCE_SECONDS = 15.0  # a listener of PCM that takes nothing is let go after ten
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Hostile:
    """A plain blocking socket to the daemon; leaving its ``with`` closes it.

    Attributes:
        received: everything that came so far.
        ended: the daemon has closed or reset the connection.
    """

    def __init__(self, port: int, *, receive_buffer_bytes: int | None = None) -> None:
        """Connect."""
        self.received = b""
        self.ended = False
        self.port = port
        self._socket = socket.socket()
        if receive_buffer_bytes is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        self._socket.settimeout(PATIENCE_SECONDS)
        self._socket.connect(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Hostile:
        return self

    def __exit__(self, _type: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self._socket.close()

    def send(self, data: bytes) -> bool:
        """Whether the daemon still takes ``data``; what it said before it stopped can be read all the same."""
        try:
            self._socket.sendall(data)
        except (ConnectionError, TimeoutError):
            return False
        return True

    def send_urgent(self, byte: bytes) -> None:
        """Send one byte out of band (RFC 6093)."""
        self._socket.send(byte, socket.MSG_OOB)

    def trickle(self, data: bytes, *, pause_seconds: float) -> None:
        """Send byte by byte with pauses, until the daemon has had enough of it."""
        for byte in data:
            if not self.send(bytes([byte])) or self.read(pause_seconds):
                return

    def flood(self, data: bytes, *, seconds: float) -> int:
        """Send ``data`` over and over as fast as it is taken; how often it was."""
        ends_at, times = time.monotonic() + seconds, 0
        self._socket.settimeout(seconds)
        while time.monotonic() < ends_at and self.send(data):
            times += 1
        self._socket.settimeout(PATIENCE_SECONDS)
        return times

    def read(self, within_seconds: float, size: int = 65_536) -> bytes:
        """What comes next; nothing if nothing comes in time, or if the daemon has ended the connection."""
        if self.ended:
            return b""
        self._socket.settimeout(within_seconds)
        try:
            data = self._socket.recv(size)
        except TimeoutError:
            return b""
        except ConnectionError:
            data = b""
        finally:
            self._socket.settimeout(PATIENCE_SECONDS)
        self.ended = not data
        self.received += data
        return data

    def read_until(self, wanted: bytes, within_seconds: float = 5.0) -> bool:
        """Whether ``wanted`` came in time."""
        ends_at = time.monotonic() + within_seconds
        while wanted not in self.received and (left := ends_at - time.monotonic()) > 0 and not self.ended:
            self.read(left)
        return wanted in self.received

    def read_all(self, within_seconds: float = PATIENCE_SECONDS) -> bytes:
        """Everything that came until the daemon ended the connection.

        Raises:
            TimeoutError: it did not in time.
        """
        ends_at = time.monotonic() + within_seconds
        while not self.ended:
            if (left := ends_at - time.monotonic()) <= 0:
                raise TimeoutError(f"the daemon still holds the connection after {within_seconds} s")
            self.read(left)
        return self.received

    def half_close(self) -> None:
        """Say that nothing more comes."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """End it without a goodbye."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._socket.close()
        self.ended = True


def status_of(answer: bytes) -> int:
    """The status of an answer; 0 where there was none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.") else 0


def is_refusal(answer: bytes) -> bool:
    """Whether an answer says no in the daemon's own form."""
    try:
        error = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
    except (ValueError, KeyError, TypeError):
        return False
    return set(error) == {"code", "message", "timestamp", "details"}

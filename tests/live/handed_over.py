"""Listeners beside a daemon that hands over: what they hear, when, and which process goes on."""

from __future__ import annotations

import os
import re
import signal
import socket
import threading
import time

HANDED_OVER = re.compile(r"handed over.*?process=(\d+)")


class Ear:
    """Takes everything that comes over one connection, in a thread of its own."""

    def __init__(self, port, form, *, headers=""):
        self.heard = bytearray()
        self.arrivals = []
        self.closed = False
        self._connection = socket.create_connection(("127.0.0.1", port), timeout=10)
        request = f"GET /stream.{form} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{headers}\r\n"
        self._connection.sendall(request.encode())
        self._connection.settimeout(0.2)
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self):
        while not self._leave.is_set():
            try:
                data = self._connection.recv(262_144)
            except TimeoutError:
                continue
            except OSError:
                data = b""
            if not data:
                self.closed = True
                return
            self.heard += data
            self.arrivals.append(time.monotonic())

    def leave(self):
        """Hang up."""
        self._leave.set()
        self._thread.join()
        self._connection.close()

    @property
    def body(self):
        """What came after the head."""
        return bytes(self.heard).partition(b"\r\n\r\n")[2]

    def longest_gap_seconds(self):
        """Between two arrivals."""
        return max(
            (later - earlier for earlier, later in zip(self.arrivals, self.arrivals[1:], strict=False)), default=0.0
        )


def hand_over(daemon, *, within_seconds=180.0):
    """Ask ``daemon`` to, and wait until another process goes on; that one's id."""
    daemon.process.send_signal(signal.SIGUSR2)
    daemon.process.wait(timeout=within_seconds)
    return last_successor(daemon)


def last_successor(daemon):
    """The process that went on last, by its id."""
    return int(HANDED_OVER.findall(daemon.log_path.read_text())[-1])


def end(process_id, *, within_seconds=10.0):
    """Stop the process that went on, by its id."""
    os.kill(process_id, signal.SIGTERM)
    ends_at = time.monotonic() + within_seconds
    while time.monotonic() < ends_at:
        try:
            os.kill(process_id, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    os.kill(process_id, signal.SIGKILL)

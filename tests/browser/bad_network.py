"""A network between the page and the daemon that can be made bad: packets come late, connections break."""

import contextlib
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

READ_BYTES = 65_536
LISTEN_BACKLOG = 16


class BadNetwork:
    """A TCP relay on a port of its own; behaves until it is told not to.

    Attributes:
        port: where the page connects to.
        late_share: of what the daemon sends, so much comes ``late_seconds`` late, and all behind it as well.
    """

    def __init__(self, daemon_port: int) -> None:
        self.late_share = 0.0
        self.late_seconds = 0.15
        self._daemon_port = daemon_port
        self._chance = random.Random(1)
        self._broken_until = 0.0
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=LISTEN_BACKLOG)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut(self, seconds: float) -> None:
        """Break all connections, and let none through for so long."""
        self._broken_until = time.monotonic() + seconds
        for one in list(self._open):
            self._drop(one)

    def close(self) -> None:
        """Take it all down."""
        self._broken_until = float("inf")
        self._listener.close()
        self.cut(float("inf"))

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                page, _ = self._listener.accept()
                if time.monotonic() < self._broken_until:
                    page.close()
                    continue
                daemon = socket.create_connection(("127.0.0.1", self._daemon_port))
                for one in (page, daemon):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open |= {page, daemon}
                threading.Thread(target=self._relay, args=(page, daemon, False), daemon=True).start()
                threading.Thread(target=self._relay, args=(daemon, page, True), daemon=True).start()

    def _relay(self, source: socket.socket, target: socket.socket, may_be_late: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(READ_BYTES):
                if may_be_late and self._chance.random() < self.late_share:
                    time.sleep(self.late_seconds)
                target.sendall(data)
        self._drop(source)
        self._drop(target)

    def _drop(self, one: socket.socket) -> None:
        self._open.discard(one)
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


@contextmanager
def bad_network(daemon_port: int) -> Iterator[BadNetwork]:
    """One for the time of the block."""
    network = BadNetwork(daemon_port)
    try:
        yield network
    finally:
        network.close()

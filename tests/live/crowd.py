"""A crowd of listeners that costs little to be: connections of one epoll loop, in a process of its own.

``python -m tests.live.crowd PORT SECONDS WHAT=COUNT ...`` connects them in that order, lets them settle, counts for
``SECONDS``, and prints a line of JSON at each of three moments: ``in`` (all are served, or will not be), ``began``
and ``ended``. ``WHAT`` is a format over HTTP (``opus``), a path (``/mount.mp3``) or a WebSocket subprotocol
(``auralis.v1.pcm16``). What arrives is counted and thrown away unread by the kernel, so that two thousand listeners
leave the machine to the server; of every tenth WebSocket listener the header of each packet is looked at.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import select
import socket
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MOST_AT_ONCE = 8_000
MOST_SECONDS = 1_200
SERVED_WITHIN_SECONDS = 30.0
LATE_AFTER_SECONDS = 0.2
"""Bytes that come later than this after those before, two packets, are late."""

SAMPLED_EVERY = 10
STALLED_RECEIVE_BYTES = 4_096
EVENTS_AT_ONCE = 64  # the clock is read once for so many
HEADER = struct.Struct("<2sBBIQdHBBI")
PACKET_FRAMES, SAMPLE_RATE_HZ = 4_410, 44_100
_ROOM = bytearray(1 << 20)


@dataclass(slots=True)
class Ear:
    """One connection; its figures are those since they were last set to nothing."""

    what: str
    connection: socket.socket
    began_at: float
    sampled: bool = False
    stalled: bool = False
    requested: bool = False
    head: bytes | None = b""
    first_byte_seconds: float | None = None
    last_at: float = 0.0
    received: int = 0
    late_bytes: int = 0
    longest_gap_seconds: float = 0.0
    lost: str | None = None


class Crowd:
    """Everybody who listens, and the loop that lets them."""

    def __init__(self, port: int, *, leave_after_seconds: float | None = None) -> None:
        self.ears: list[Ear] = []
        self.lateness: list[float] = []
        self.most_at_once = 0
        self._port = port
        self._leave_after_seconds = leave_after_seconds
        self._waiting: dict[int, Ear] = {}  # for their first byte
        self._open: dict[int, Ear] = {}
        self._leaving: deque[Ear] = deque()
        self._epoll = select.epoll()

    def join(self, what: str, *, stalled: bool) -> None:
        """Connect one more; nothing is waited for."""
        connection = socket.socket()
        connection.setblocking(False)
        if stalled:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, STALLED_RECEIVE_BYTES)
        sampled = what.startswith("auralis.") and len(self.ears) % SAMPLED_EVERY == 0
        ear = Ear(what=what, connection=connection, began_at=time.monotonic(), sampled=sampled, stalled=stalled)
        with contextlib.suppress(BlockingIOError):
            connection.connect(("127.0.0.1", self._port))
        self.ears.append(ear)
        self._open[connection.fileno()] = self._waiting[connection.fileno()] = ear
        self._leaving.append(ear)
        self.most_at_once = max(self.most_at_once, len(self._open))
        self._epoll.register(connection.fileno(), select.EPOLLOUT)

    def join_all(self, wanted: Sequence[str], *, per_second: float, stalled: int) -> None:
        """Connect everybody, at a rate or all at once, and return when each has its first byte or will not get it."""
        began_at = time.monotonic()
        for number, what in enumerate(wanted):
            while per_second and time.monotonic() < began_at + number / per_second:
                self.listen(0.002)
            self.join(what, stalled=number < stalled)
            if not per_second and number % 200 == 199:
                self.listen(0)
        ends_at = time.monotonic() + SERVED_WITHIN_SECONDS
        while self._waiting and time.monotonic() < ends_at:
            self.listen(0.05)

    def forget(self) -> None:
        """Begin to count."""
        self.lateness.clear()
        for ear in self.ears:
            ear.received, ear.late_bytes, ear.longest_gap_seconds = 0, 0, 0.0

    def listen(self, seconds: float) -> None:
        """Take what comes."""
        ends_at = time.monotonic() + seconds
        while True:
            left = ends_at - time.monotonic()
            for descriptor, _ in self._epoll.poll(max(0.0, left), EVENTS_AT_ONCE):
                self._serve(descriptor)
            self._let_go()
            if left <= 0:
                return

    def close(self) -> None:
        """Hang up; who waits for sound to the last has the longest gap of all."""
        now = time.monotonic()
        for ear in self._open.values():
            if ear.last_at and not ear.stalled:
                ear.longest_gap_seconds = max(ear.longest_gap_seconds, now - ear.last_at)
            ear.connection.close()
        self._open.clear()

    def _let_go(self) -> None:
        if self._leave_after_seconds is None:
            return
        too_long_ago = time.monotonic() - self._leave_after_seconds
        while self._leaving and self._leaving[0].began_at < too_long_ago:
            self._drop(self._leaving.popleft(), None)

    def _drop(self, ear: Ear, why: str | None) -> None:
        descriptor = ear.connection.fileno()
        if descriptor >= 0:
            ear.lost = why
            self._open.pop(descriptor)
            self._waiting.pop(descriptor, None)
            ear.connection.close()

    def _serve(self, descriptor: int) -> None:
        ear = self._open.get(descriptor)
        if ear is None:
            return
        try:
            if not ear.requested:
                ear.connection.sendall(request(ear.what, self._port))
                ear.requested = True
                self._epoll.modify(descriptor, select.EPOLLIN)
            elif ear.head is not None:
                self._read_head(ear, descriptor)
            elif ear.sampled:
                data = ear.connection.recv(1 << 20)
                self._heard(ear, len(data))
                self._look_at(data)
            else:
                self._heard(ear, ear.connection.recv_into(_ROOM, len(_ROOM), socket.MSG_TRUNC))
        except BlockingIOError:
            return
        except OSError as error:
            self._drop(ear, error.strerror or "error")

    def _read_head(self, ear: Ear, descriptor: int) -> None:
        assert ear.head is not None
        data = ear.connection.recv(4_096)
        if not data:
            self._drop(ear, "closed")
            return
        ear.head += data
        head, found, rest = ear.head.partition(b"\r\n\r\n")
        if not found:
            return
        if head.split(None, 2)[1] not in (b"200", b"101"):
            self._drop(ear, head.split(b"\r\n")[0].decode(errors="replace"))
            return
        ear.head = None
        if rest:
            self._heard(ear, len(rest))
        if ear.stalled:  # and never reads again
            self._waiting.pop(descriptor, None)
            self._epoll.unregister(descriptor)

    def _heard(self, ear: Ear, size: int) -> None:
        if not size:
            self._drop(ear, "closed")
            return
        now = time.monotonic()
        if ear.first_byte_seconds is None:
            ear.first_byte_seconds = now - ear.began_at
            self._waiting.pop(ear.connection.fileno(), None)
        else:
            gap = now - ear.last_at
            ear.longest_gap_seconds = max(ear.longest_gap_seconds, gap)
            if gap > LATE_AFTER_SECONDS:
                ear.late_bytes += size
        ear.last_at = now
        ear.received += size

    def _look_at(self, data: bytes) -> None:
        """How late a packet is that begins with these bytes, as it does where the listener keeps up."""
        if len(data) < 4 + HEADER.size or data[0] != 0x82 or data[1] != 126 or data[4:6] != b"Au":
            return
        _, _, _, _, position, due, *_ = HEADER.unpack_from(data, 4)
        # The first Opus packet of a write begins before the chunk that the write was due with.
        self.lateness.append(time.monotonic() - due - (-position % PACKET_FRAMES) / SAMPLE_RATE_HZ)


def request(what: str, port: int) -> bytes:
    """What a listener asks for."""
    if what.startswith("auralis."):
        return (
            f"GET /ws/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: {what}\r\n\r\n"
        ).encode()
    path = what if what.startswith("/") else f"/stream.{what}"
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: crowd\r\n\r\n".encode()


def figures(crowd: Crowd) -> dict:
    """What came of it, as JSON; ``gaps_seconds`` has the longest of each who reads."""
    readers = [ear for ear in crowd.ears if not ear.stalled]
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "listeners": len(crowd.ears),
        "served": sum(ear.first_byte_seconds is not None for ear in crowd.ears),
        "most_at_once": crowd.most_at_once,
        "lost": sum(ear.lost is not None for ear in readers),
        "why_lost": sorted({ear.lost for ear in readers if ear.lost is not None}),
        "stalled_lost": sum(ear.lost is not None for ear in crowd.ears if ear.stalled),
        "first_byte_seconds": [ear.first_byte_seconds for ear in readers if ear.first_byte_seconds is not None],
        "gaps_seconds": [ear.longest_gap_seconds for ear in readers if ear.last_at],
        "received_bytes": sum(ear.received for ear in readers),
        "late_bytes": sum(ear.late_bytes for ear in readers),
        "lateness_seconds": crowd.lateness,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
    }


@contextlib.contextmanager
def crowd_of(port: int, seconds: float, wanted: dict[str, int], **options: float) -> Iterator[subprocess.Popen[str]]:
    """Run this module as a process of its own, which is ended with the block."""
    pairs = [f"{what}={count}" for what, count in wanted.items()]
    more = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    command = [sys.executable, "-m", "tests.live.crowd", str(port), str(seconds), *pairs, *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def told(process: subprocess.Popen[str], moment: str) -> dict:
    """What the crowd says at ``moment``.

    Raises:
        RuntimeError: it ended before.
    """
    assert process.stdout is not None
    for line in process.stdout:
        said = json.loads(line)
        if said["moment"] == moment:
            return said
    raise RuntimeError(f"the crowd ended with {process.wait()} before {moment}")


def allow_descriptors() -> None:
    """As many as this user may have, for this process and those it starts."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main() -> None:
    """Listen as the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("wanted", nargs="+", metavar="WHAT=COUNT")
    parser.add_argument("--per-second", type=float, default=0.0, help="how fast they come; 0 is all at once")
    parser.add_argument("--settle", type=float, default=0.0, help="seconds between the last arrival and the count")
    parser.add_argument("--stalled", type=int, default=0, help="the first so many never read on")
    parser.add_argument("--leave-after", type=float, help="seconds after which each leaves")
    given = parser.parse_args()
    pairs = [pair.rpartition("=") for pair in given.wanted]
    wanted = [what for what, _, count in pairs for _ in range(int(count))]
    at_once = len(wanted) if given.leave_after is None else given.per_second * given.leave_after
    if at_once > MOST_AT_ONCE or given.seconds + given.settle > MOST_SECONDS:
        raise SystemExit(f"at most {MOST_AT_ONCE} at once for {MOST_SECONDS} s")
    allow_descriptors()
    crowd = Crowd(given.port, leave_after_seconds=given.leave_after)
    crowd.join_all(wanted, per_second=given.per_second, stalled=given.stalled)
    print(json.dumps({"moment": "in", **figures(crowd)}), flush=True)
    crowd.listen(given.settle)
    crowd.forget()
    print(json.dumps({"moment": "began"}), flush=True)
    crowd.listen(given.seconds)
    print(json.dumps({"moment": "ended"}), flush=True)
    crowd.close()
    print(json.dumps({"moment": "counted", **figures(crowd)}), flush=True)


if __name__ == "__main__":
    main()

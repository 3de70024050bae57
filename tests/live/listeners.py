"""Many real listeners on loopback sockets, in a process of their own, bounded in number and time.

``python -m tests.live.listeners PORT SECONDS FORM=COUNT ...`` prints one JSON line. Forms are
the HTTP formats (``opus``, ``mp3``, ``flac``, ``aac``, ``wav``), the WebSocket subprotocols
(``auralis.v1.opus``, ``auralis.v1.pcm16``) and ``auralis.v0.json``; ``opus@rain`` is that of the station ``rain``.
"""

from __future__ import annotations

import base64
import json
import os
import selectors
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

MOST_LISTENERS = 5_000
MOST_SECONDS = 3_700
HEADER = struct.Struct("<2sBBIQdHBBI")
BED = 2


@dataclass(slots=True)
class Listener:
    """One connection and what came over it; leaving its ``with`` closes it."""

    form: str
    connection: socket.socket
    connected_at: float
    websocket: bool
    first_byte_seconds: float | None = None
    last_byte_at: float = 0.0
    received: int = 0
    longest_gap_seconds: float = 0.0
    buffered: bytearray = field(default_factory=bytearray)
    head_seen: bool = False
    sequence: int | None = None
    first_sequence: int | None = None
    position: int = 0
    epoch: int | None = None
    jumps: int = 0
    packets: int = 0
    bed_packets: int = 0
    live_position: int = 0
    lateness: list[float] = field(default_factory=list)
    closed: bool = False

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()


def connect(port: int, form: str, *, query: str = "") -> Listener:
    """Open one connection and ask for ``form``; ``query`` goes to a WebSocket's address, ``?`` and all."""
    form, _, station = form.partition("@")
    websocket = form.startswith("auralis.")
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    began = time.monotonic()
    if websocket:
        key = base64.b64encode(os.urandom(16)).decode()
        request = (
            f"GET /ws/stream{query} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {form}\r\n\r\n"
        )
    else:
        path = f"/stations/{station}/stream.{form}" if station else f"/stream.{form}"
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
    connection.sendall(request.encode())
    connection.setblocking(False)
    return Listener(form=form, connection=connection, connected_at=began, websocket=websocket)


def hear(listener: Listener, seconds: float, enough: Callable[[Listener], bool] = lambda _listener: False) -> Listener:
    """Read on for so long, or until it is enough or the end."""
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at and not enough(listener) and not listener.closed:
        read(listener, time.monotonic())
        time.sleep(0.005)
    return listener


def read(listener: Listener, now: float) -> None:
    """Take what has come and note when."""
    try:
        data = listener.connection.recv(262_144)
    except BlockingIOError:
        return
    except OSError:
        data = b""
    if not data:
        listener.closed = True
        return
    if listener.head_seen:
        take_audio(listener, data, now)
        return
    listener.buffered += data
    head, found, rest = listener.buffered.partition(b"\r\n\r\n")
    if found:
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 101", b"HTTP/1.0 200")):
            raise SystemExit(f"refused: {bytes(head[:200])!r}")
        listener.head_seen = True
        listener.buffered = bytearray()
        if rest:
            take_audio(listener, bytes(rest), now)


def take_audio(listener: Listener, data: bytes, now: float) -> None:
    """Count audio bytes; look into WebSocket packets."""
    if not listener.websocket:
        note_arrival(listener, now, len(data))
        return
    listener.buffered += data
    while (message := next_message(listener.buffered)) is not None:
        opcode, payload = message
        if opcode == 1:
            note_text(listener, payload, now)
        elif opcode == 2:
            note_packet(listener, payload, now)
        elif opcode == 8:
            listener.closed = True


def note_arrival(listener: Listener, now: float, size: int) -> None:
    """Bytes of sound came."""
    if listener.first_byte_seconds is None:
        listener.first_byte_seconds = now - listener.connected_at
    elif listener.last_byte_at:
        listener.longest_gap_seconds = max(listener.longest_gap_seconds, now - listener.last_byte_at)
    listener.last_byte_at = now
    listener.received += size


def note_text(listener: Listener, payload: bytes, now: float) -> None:
    """A JSON message: sound in the v0 form, else what is said beside it."""
    message = json.loads(payload)
    if message["type"] == "audio_chunk":
        note_arrival(listener, now, len(payload))
        note_sequence(listener, message["sequence"], 0)
    elif message["type"] == "hello":
        listener.live_position = message["live_position"]


def note_packet(listener: Listener, payload: bytes, now: float) -> None:
    """A binary packet: its order, its lateness, whether it is the bed."""
    _, _, _, sequence, position, due, _, flags, _, epoch = HEADER.unpack_from(payload)
    note_arrival(listener, now, len(payload))
    note_sequence(listener, sequence, epoch)
    listener.packets += 1
    listener.bed_packets += bool(flags & BED)
    listener.position = position
    first_of_its_write = (position // 882) % 5 == 0  # five Opus frames leave together, when the first is due
    if position >= listener.live_position and first_of_its_write and listener.received > 20 * len(payload):
        listener.lateness.append(now - due)


def note_sequence(listener: Listener, sequence: int, epoch: int) -> None:
    """Count every packet that is not the one after the last."""
    if listener.sequence is not None and (epoch != listener.epoch or sequence != (listener.sequence + 1) % 2**32):
        listener.jumps += 1
    if listener.first_sequence is None:
        listener.first_sequence = sequence
    listener.sequence, listener.epoch = sequence, epoch


def next_message(buffered: bytearray) -> tuple[int, bytes] | None:
    """Take one unfragmented server frame off the front, if it is there whole."""
    if len(buffered) < 2:
        return None
    size, offset = buffered[1] & 127, 2
    if size > 125:
        offset = 4 if size == 126 else 10
        if len(buffered) < offset:
            return None
        size = int.from_bytes(buffered[2:offset], "big")
    if len(buffered) < offset + size:
        return None
    payload = bytes(buffered[offset : offset + size])
    opcode = buffered[0] & 15
    del buffered[: offset + size]
    return opcode, payload


def listen(port: int, seconds: float, wanted: dict[str, int]) -> list[Listener]:
    """Connect everybody, listen for ``seconds``, and let go."""
    selector = selectors.DefaultSelector()
    listeners: list[Listener] = []
    for form, count in wanted.items():
        for _ in range(count):
            listener = connect(port, form)
            selector.register(listener.connection, selectors.EVENT_READ, listener)
            listeners.append(listener)
            drain(selector, 0)
    ends_at = time.monotonic() + seconds
    while (left := ends_at - time.monotonic()) > 0:
        drain(selector, min(left, 1.0))
    for listener in listeners:
        listener.connection.close()
    return listeners


def drain(selector: selectors.BaseSelector, timeout_seconds: float) -> None:
    """Read from whoever has something."""
    for key, _ in selector.select(timeout_seconds):
        listener: Listener = key.data
        read(listener, time.monotonic())
        if listener.closed:
            selector.unregister(listener.connection)


def report(listeners: list[Listener]) -> dict:
    """The figures, as JSON shows them."""
    return {
        "listeners": [
            {
                "form": one.form,
                "first_byte_seconds": one.first_byte_seconds,
                "received_bytes": one.received,
                "longest_gap_seconds": one.longest_gap_seconds,
                "packets": one.packets,
                "bed_packets": one.bed_packets,
                "jumps": one.jumps,
                "closed": one.closed,
            }
            for one in listeners
        ],
        "lateness_seconds": [late for one in listeners for late in one.lateness],
    }


def start_listeners(port: int, seconds: float, wanted: dict[str, int]) -> subprocess.Popen[str]:
    """Run this module as a process of its own; its output is ``report`` as one JSON line."""
    pairs = [f"{form}={count}" for form, count in wanted.items()]
    command = [sys.executable, "-m", "tests.live.listeners", str(port), str(seconds), *pairs]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finished(process: subprocess.Popen[str]) -> dict:
    """Wait for the listeners and return their report."""
    output, _ = process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"the listeners failed with {process.returncode}")
    return json.loads(output)


def main() -> None:
    """Listen as the command line says."""
    port, seconds = int(sys.argv[1]), min(float(sys.argv[2]), MOST_SECONDS)
    wanted = {form: int(count) for form, _, count in (pair.partition("=") for pair in sys.argv[3:])}
    if sum(wanted.values()) > MOST_LISTENERS:
        raise SystemExit(f"at most {MOST_LISTENERS} listeners")
    print(json.dumps(report(listen(port, seconds, wanted))))


if __name__ == "__main__":
    main()

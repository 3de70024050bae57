"""Two well-behaved listeners who play on while others misbehave, and what the daemon says of itself meanwhile."""

from __future__ import annotations

import selectors
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from tests.live.listeners import HEADER, connect, next_message
from tests.live.running_daemon import RunningDaemon

MOST_PACKETS_KEPT = 600  # a minute
LOOP_LAG = "auralisd_loop_lag_seconds"


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet of the WebSocket listener."""

    arrived_at: float
    sequence: int
    position: int
    pcm: bytes


class Witness:
    """A player of WAV and one of PCM over a WebSocket, read by a thread for as long as the ``with`` lasts.

    All the sound the one hears must be what the other hears, byte for byte.
    """

    def __init__(self, port: int) -> None:
        """Connect both."""
        self._packets: deque[Packet] = deque(maxlen=MOST_PACKETS_KEPT)
        self._wav: deque[tuple[float, bytes]] = deque(maxlen=20 * MOST_PACKETS_KEPT)
        self._lost: list[str] = []
        self._ended = threading.Event()
        self._websocket, self._player = connect(port, "auralis.v1.pcm16"), connect(port, "wav")
        self._thread = threading.Thread(target=self._read, name="witness")

    def __enter__(self) -> Witness:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._websocket.connection.close()
        self._player.connection.close()

    def packets_since(self, moment: float) -> list[Packet]:
        """What came over the WebSocket."""
        return [packet for packet in list(self._packets) if packet.arrived_at >= moment]

    def wav_between(self, begin: float, end: float) -> bytes:
        """What came to the player of WAV."""
        return b"".join(data for arrived_at, data in list(self._wav) if begin <= arrived_at < end)

    @property
    def lost(self) -> list[str]:
        """Which of the connections have ended."""
        return list(self._lost)

    def _read(self) -> None:
        with selectors.DefaultSelector() as selector:
            for listener in (self._websocket, self._player):
                selector.register(listener.connection, selectors.EVENT_READ, listener)
            while not self._ended.is_set():
                for key, _ in selector.select(0.2):
                    try:
                        data = key.data.connection.recv(262_144)
                    except ConnectionError:
                        data = b""
                    if not data:
                        selector.unregister(key.fileobj)
                        self._lost.append(key.data.form)
                    elif key.data is self._player:
                        self._wav.append((time.monotonic(), data))
                    else:
                        self._take(data, time.monotonic())

    def _take(self, data: bytes, now: float) -> None:
        listener = self._websocket
        listener.buffered += data
        if not listener.head_seen:
            _head, found, rest = listener.buffered.partition(b"\r\n\r\n")
            if not found:
                return
            listener.buffered, listener.head_seen = bytearray(rest), True
        while (message := next_message(listener.buffered)) is not None:
            opcode, payload = message
            if opcode == 2:
                _, _, _, sequence, position, *_ = HEADER.unpack_from(payload)
                self._packets.append(Packet(now, sequence, position, payload[HEADER.size :]))
            elif opcode == 8:
                self._lost.append(f"{listener.form} {payload!r}")


def descriptors(daemon: RunningDaemon) -> int:
    """How many the process holds open."""
    return len(list(Path(f"/proc/{daemon.process.pid}/fd").iterdir()))


def loop_passes(metrics_text: str) -> dict[float, float]:
    """How many passes of the event loop took at most so many seconds, from the metrics as Prometheus reads them."""
    bucket = f'{LOOP_LAG}_bucket{{le="'
    passes = {}
    for line in metrics_text.splitlines():
        if line.startswith(bucket):
            bound, _, count = line.removeprefix(bucket).partition('"} ')
            passes[float(bound)] = float(count)
    return passes


def lag_p99_seconds(before: dict[float, float], after: dict[float, float]) -> float:
    """99 % of the passes between two readings took at most so long, interpolated within the bucket."""
    passes = {bound: after[bound] - before[bound] for bound in sorted(after)}
    wanted, low, below = 0.99 * max(passes.values()), 0.0, 0.0
    for bound, count in passes.items():
        if count >= wanted:
            return low if bound == float("inf") else low + (bound - low) * (wanted - below) / max(1.0, count - below)
        low, below = bound, count
    return low

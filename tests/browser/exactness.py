"""Whether the page plays the very samples the daemon made: both are recorded and laid side by side."""

import io
import threading
import urllib.request
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from daemon_process import DaemonProcess
from listening import Recording
from numpy.typing import NDArray

RATE_HZ = 44_100
WAV_HEADER_BYTES = 44
FRAME_BYTES = 4
READ_BYTES = 17_640
SCALE = 32_768.0
BLOCK_FRAMES = 512
DECIMATION = 8
WINDOW = RATE_HZ // DECIMATION // 10
ALIKE = 0.95

Frames = NDArray[np.int16]


class DaemonsSamples:
    """What the daemon streams as WAV while this listens: int16 ``(frames, 2)``."""

    def __init__(self, daemon: DaemonProcess, most_seconds: float) -> None:
        self._most_bytes = int(most_seconds * RATE_HZ) * FRAME_BYTES
        self._pcm = bytearray()
        self._ended = threading.Event()
        self._response = urllib.request.urlopen(f"{daemon.url}/stream.wav", timeout=30)
        with wave.open(io.BytesIO(self._response.read(WAV_HEADER_BYTES))) as header:
            assert (header.getframerate(), header.getnchannels(), header.getsampwidth()) == (RATE_HZ, 2, 2)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while not self._ended.is_set() and len(self._pcm) < self._most_bytes:
            self._pcm += self._response.read(READ_BYTES)
        self._response.close()

    def end(self) -> None:
        """Listen no longer."""
        self._ended.set()

    @property
    def bytes(self) -> bytes:
        """All so far, interleaved."""
        return bytes(self._pcm)


@contextmanager
def daemons_samples(daemon: DaemonProcess, most_seconds: float = 90.0) -> Iterator[DaemonsSamples]:
    """The daemon's own samples for the time of the block."""
    samples = DaemonsSamples(daemon, most_seconds)
    try:
        yield samples
    finally:
        samples.end()


@dataclass(frozen=True, slots=True)
class Match:
    """Where a block of the recording was found in what the daemon made, both in frames."""

    heard_at: int
    made_at: int


def matches(recording: Recording, made: bytes) -> list[Match]:
    """Find each block of the recording that is in ``made`` to the last bit, in the order it was heard."""
    scaled = recording.sound.astype(np.float64) * SCALE
    exact = np.all(scaled == np.rint(scaled), axis=0)
    heard: Frames = np.ascontiguousarray(np.clip(np.rint(scaled), -SCALE, SCALE - 1).T.astype("<i2"))
    found: list[Match] = []
    expected = 0
    for start in range(0, len(heard) - BLOCK_FRAMES, BLOCK_FRAMES):
        block = heard[start : start + BLOCK_FRAMES]
        if not exact[start : start + BLOCK_FRAMES].all() or not block.any():
            continue
        needle = block.tobytes()
        at = expected if made[expected : expected + len(needle)] == needle else made.find(needle)
        if at >= 0 and at % FRAME_BYTES == 0:
            found.append(Match(heard_at=start, made_at=at // FRAME_BYTES))
            expected = at + len(needle)
    return found


def missing_seconds(recording: Recording, made: bytes) -> float:
    """Return the longest stretch of ``made`` that was never heard between two that were, however late.

    Tenths of a second of the recording are sought in what the daemon made by cross-correlation, so that it does not
    matter whether they were played a trifle faster, repeated or faded.
    """
    coarse = _coarse(np.frombuffer(made, dtype="<i2").reshape(-1, 2).T, RATE_HZ)
    heard = _coarse(recording.after_fade_in() * SCALE, recording.rate_hz)
    size = 1 << (len(coarse) + WINDOW).bit_length()
    spectrum = np.fft.rfft(coarse, size)
    energy = np.cumsum(np.concatenate(([0.0], coarse * coarse)))
    energy = energy[WINDOW:] - energy[:-WINDOW]
    furthest, missing = None, 0
    for start in range(0, len(heard) - WINDOW, WINDOW):
        window = heard[start : start + WINDOW]
        alike = np.fft.irfft(spectrum * np.conj(np.fft.rfft(window, size)), size)[: len(energy)]
        alike /= np.sqrt((energy + 1.0) * (np.sum(window * window) + 1.0))
        at = int(np.argmax(alike))
        if alike[at] < ALIKE:
            continue
        if furthest is not None:
            missing = max(missing, at - furthest)
        furthest = max(furthest or 0, at + WINDOW)
    assert furthest is not None, "nothing of the recording is the daemon's"
    return missing * DECIMATION / RATE_HZ


def _coarse(sound: NDArray[Any], rate_hz: int) -> NDArray[np.float64]:
    """Both channels together at an eighth of the programme's rate, whatever their own: enough to tell places apart."""
    mono = sound[0].astype(np.float64) + sound[1]
    whole = len(mono) // DECIMATION * DECIMATION
    coarse: NDArray[np.float64] = mono[:whole].reshape(-1, DECIMATION).mean(axis=1)
    if rate_hz == RATE_HZ:
        return coarse
    at = np.arange(int(len(coarse) * RATE_HZ / rate_hz)) * (rate_hz / RATE_HZ)
    return np.interp(at, np.arange(len(coarse)), coarse)


def longest_run_seconds(found: list[Match]) -> float:
    """Return how long, at the longest, every frame was heard as it was made, one after the other."""
    longest = run = 0
    for before, after in pairwise(found):
        follows = after.heard_at - before.heard_at == after.made_at - before.made_at == BLOCK_FRAMES
        run = run + BLOCK_FRAMES if follows else 0
        longest = max(longest, run)
    return longest / RATE_HZ

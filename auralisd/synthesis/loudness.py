"""Loudness, held by a slow servo over a finite window (ITU-R BS.1770-5 weighting).

The servo listens to what the voices make before layer gains and level, so that a layer turned off stays a
change and is not filled up. It looks back 60 s, and what it has not heard yet counts as on target.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final

import numpy as np

from auralisd.synthesis.gain_line import GainLine
from auralisd.synthesis.grid import SPAN_FRAMES, Chunk, Floats
from auralisd.units import SAMPLE_RATE_HZ

TARGET_LUFS: Final = -18.0
WINDOW_SECONDS: Final = 60
LARGEST_DB: Final = 6.0
SLEW_DB_PER_SECOND: Final = 0.05
_GATE_LU: Final = 10.0
_OFFSET_LU: Final = -0.691


def k_weighting_power(frequencies_hz: Floats) -> Floats:
    """Power response of the K filter at ``frequencies_hz`` for 44.1 kHz (BS.1770-5, annex 1)."""
    return np.asarray(
        _section_power(frequencies_hz, 1681.974450955533, 0.7071752369554196, shelf_db=3.999843853973347)
        * _section_power(frequencies_hz, 38.13547087602444, 0.5003270373238773, shelf_db=None)
    )


def _section_power(frequencies_hz: Floats, corner_hz: float, q: float, *, shelf_db: float | None) -> Floats:
    k = np.tan(np.pi * corner_hz / SAMPLE_RATE_HZ)
    if shelf_db is None:
        numerator = np.array([1.0, -2.0, 1.0]) * (1.0 + k / q + k * k)  # the standard leaves it unscaled
    else:
        high = 10.0 ** (shelf_db / 20.0)
        band = high**0.4996667741545416
        numerator = np.array([high + band * k / q + k * k, 2.0 * (k * k - high), high - band * k / q + k * k])
    denominator = np.array([1.0 + k / q + k * k, 2.0 * (k * k - 1.0), 1.0 - k / q + k * k])
    z = np.exp(-2j * np.pi * frequencies_hz / SAMPLE_RATE_HZ)
    response = np.polyval(numerator[::-1], z) / np.polyval(denominator[::-1], z)
    return np.asarray(np.abs(response) ** 2)


def lufs(power: float) -> float:
    """Loudness of a K-weighted ``power``, both channels together; -100 at the least."""
    return max(_OFFSET_LU + 10.0 * math.log10(max(power, 1e-30)), -100.0)


class SpanMeter:
    """K-weighted power of each span of 100 ms, both channels together."""

    def __init__(self) -> None:
        """Nothing heard."""
        frequencies = np.arange(SPAN_FRAMES // 2 + 1) * SAMPLE_RATE_HZ / SPAN_FRAMES
        self._weights = 2.0 * k_weighting_power(frequencies) / SPAN_FRAMES**2
        self._frame = np.zeros((2, SPAN_FRAMES), dtype=np.float32)

    def power(self, chunk: Chunk, sound: np.ndarray) -> float | None:
        """Take in ``sound``, float32 ``(2, frames)``; the power of the span that ends with it, None inside a span."""
        self._frame[:, chunk.offset : chunk.offset + chunk.frames] = sound
        if not chunk.completes_span:
            return None
        spectrum = np.fft.rfft(self._frame)
        power = spectrum.real**2 + spectrum.imag**2
        return float(power.sum(axis=0) @ self._weights)


class LoudnessServo:
    """Follows the loudness of the last minute and gives the gain that brings it to target."""

    def __init__(self) -> None:
        """Nothing heard: gain 1."""
        self._meter = SpanMeter()
        self._second: list[float] = []
        self._powers: deque[float] = deque(maxlen=WINDOW_SECONDS)
        self._line = GainLine(over_frames=SAMPLE_RATE_HZ)

    @property
    def gain_db(self) -> float:
        """Where the gain is going."""
        return self._line.to_db

    def gains(self, points: Floats) -> Floats:
        """Linear gain at absolute frames ``points``: a line in dB over the second after each decision."""
        return self._line.gains(points)

    def listen(self, chunk: Chunk, reference: np.ndarray) -> None:
        """Take in ``reference``, float32 ``(2, frames)``; decide anew at each full second."""
        power = self._meter.power(chunk, reference)
        if power is None:
            return
        self._second.append(power)
        if chunk.end % SAMPLE_RATE_HZ == 0:
            self._powers.append(sum(self._second) / len(self._second))
            self._second.clear()
            self._decide(chunk.end)

    def _decide(self, at_frames: int) -> None:
        wanted_db = np.clip(TARGET_LUFS - self._window_lufs(), -LARGEST_DB, LARGEST_DB)
        self._line.turn(wanted_db, most_db=SLEW_DB_PER_SECOND, at_frames=at_frames)

    def _window_lufs(self) -> float:
        """Gated loudness of the window; seconds not heard yet count as on target."""
        target = 10.0 ** ((TARGET_LUFS - _OFFSET_LU) / 10.0)
        powers = np.full(WINDOW_SECONDS, target)
        powers[: len(self._powers)] = self._powers
        gate = powers.mean() * 10.0 ** (-_GATE_LU / 10.0)
        return float(_OFFSET_LU + 10.0 * np.log10(powers[powers >= gate].mean()))

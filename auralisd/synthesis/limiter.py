"""A look-ahead limiter that keeps the true peak below its ceiling and is idle most of the time.

Detection is on the four-times oversampled signal (ITU-R BS.1770-5, annex 2). The gain is the smallest one
wanted, held and averaged over the look-ahead, so it arrives before the peak and never jumps.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch

from auralisd.synthesis.grid import SEGMENT_FRAMES, SPAN_FRAMES, Floats
from auralisd.units import CHANNELS, db_to_gain

CEILING_DBTP: Final = -1.4  # 0.4 dB below what is promised: four-fold detection reads that much too low at 16 kHz
LOOK_AHEAD_SEGMENTS: Final = 5
LOOK_AHEAD_FRAMES: Final = LOOK_AHEAD_SEGMENTS * SEGMENT_FRAMES  # 7 ms
_RELEASE: Final = 0.0057  # share of the way back per segment: 250 ms
_OVERSAMPLING: Final = 4
_TAPS: Final = 24
_LARGEST_OVERSHOOT: Final = 2.2  # sum of the interpolator's magnitudes: no true peak is further above a sample
_HELD: Final = LOOK_AHEAD_SEGMENTS + 2
_MEMORY: Final = LOOK_AHEAD_SEGMENTS + _HELD


def _interpolator() -> torch.Tensor:
    """A segment and its neighbours to its four-times oversampled values: float32 ``(86, 252)``."""
    half = _TAPS * _OVERSAMPLING // 2
    steps = (np.arange(2 * half) - half + 0.5) / _OVERSAMPLING
    kernel = np.sinc(steps) * np.kaiser(2 * half, 7.0)
    phases = kernel.reshape(_TAPS, _OVERSAMPLING)
    phases = phases / phases.sum(axis=0)
    matrix = np.zeros((SEGMENT_FRAMES + _TAPS - 1, SEGMENT_FRAMES, _OVERSAMPLING))
    for frame in range(SEGMENT_FRAMES):
        matrix[frame : frame + _TAPS, frame] = phases
    return torch.from_numpy(matrix.reshape(len(matrix), -1).astype(np.float32))


class TruePeakLimiter:
    """Delays its input by ``LOOK_AHEAD_FRAMES`` and keeps its true peak at or below the ceiling.

    Attributes:
        line: the look-ahead, then the newest chunk: float32 ``(2, LOOK_AHEAD_FRAMES + SPAN_FRAMES)``.
    """

    def __init__(self, ceiling_dbtp: float = CEILING_DBTP) -> None:
        """At rest, with silence in the look-ahead."""
        self._ceiling = db_to_gain(ceiling_dbtp)
        self._matrix = _interpolator()
        self.line = torch.zeros((CHANNELS, LOOK_AHEAD_FRAMES + SPAN_FRAMES))
        self._loudest = 0.0
        self._wanted = np.ones(_MEMORY)
        self._ramp = torch.arange(1, SEGMENT_FRAMES + 1, dtype=torch.float32) / SEGMENT_FRAMES
        self._last_gain = 1.0

    @property
    def reduction_db(self) -> float:
        """How far it turns down just now, 0 when idle."""
        return float(-20.0 * np.log10(self._last_gain))

    def limited(self, sound: torch.Tensor) -> torch.Tensor:
        """The sound of ``LOOK_AHEAD_FRAMES`` ago, limited: float32 ``(2, frames)`` in and out."""
        frames = sound.shape[1]
        self.line[:, LOOK_AHEAD_FRAMES : LOOK_AHEAD_FRAMES + frames] = sound
        limited = self.limited_line(frames, max(-float(sound.min()), float(sound.max()))).clone()
        self.move_on(frames)
        return limited

    def limited_line(self, frames: int, loudest: float) -> torch.Tensor:
        """The same for ``frames`` that lie in ``line`` already; what is not limited is a view of it.

        ``move_on`` makes room for the next.

        Args:
            frames: how many, behind the look-ahead.
            loudest: their largest magnitude.
        """
        line = self.line[:, : LOOK_AHEAD_FRAMES + frames]
        quiet = max(loudest, self._loudest) < self._ceiling / _LARGEST_OVERSHOOT
        self._loudest = loudest
        gains = self._gains(np.zeros(frames // SEGMENT_FRAMES) if quiet else self._peaks(line))
        delayed = line[:, :frames]
        if gains is None:
            return delayed
        rows = delayed.reshape(CHANNELS, -1, SEGMENT_FRAMES)
        start = torch.from_numpy(gains[:-1].astype(np.float32))[:, None]
        change = torch.from_numpy(np.diff(gains).astype(np.float32))[:, None]
        return (rows * torch.addcmul(start, change, self._ramp)).reshape(CHANNELS, frames)

    def move_on(self, frames: int) -> None:
        """What was new becomes the past of the next call."""
        line = self.line.numpy()
        line[:, :LOOK_AHEAD_FRAMES] = line[:, frames : frames + LOOK_AHEAD_FRAMES].copy()

    def _peaks(self, line: torch.Tensor) -> Floats:
        """True peak of each new segment, looking up to twelve frames back."""
        newest = line[:, LOOK_AHEAD_FRAMES - _TAPS + 1 :]
        windows = newest.unfold(1, SEGMENT_FRAMES + _TAPS - 1, SEGMENT_FRAMES)
        oversampled = windows.reshape(-1, windows.shape[2]) @ self._matrix
        peaks = torch.maximum(oversampled.amax(dim=1), -oversampled.amin(dim=1))
        return peaks.view(CHANNELS, -1).amax(dim=0).double().numpy()

    def _gains(self, peaks: Floats) -> Floats | None:
        """Gain at the grid points of the delayed sound, one more than segments; None for all ones."""
        needed = np.minimum(1.0, self._ceiling / np.maximum(peaks, 1e-9))
        if self._wanted.min() == 1.0 and needed.min() == 1.0:
            return None
        wanted = np.empty(len(needed))
        last = self._wanted[-1]
        for index, need in enumerate(needed):
            risen = last + (1.0 - last) * _RELEASE
            last = min(need, 1.0 if risen > 0.9999 else risen)
            wanted[index] = last
        line = np.concatenate((self._wanted, wanted))
        self._wanted = line[-_MEMORY:]
        held = np.lib.stride_tricks.sliding_window_view(line, _HELD).min(axis=1)
        gains = np.lib.stride_tricks.sliding_window_view(held, LOOK_AHEAD_SEGMENTS).mean(axis=1)
        gains = gains[-len(needed) - 1 :]
        self._last_gain = float(gains[-1])
        return gains

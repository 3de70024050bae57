"""Finds clicks: samples where the waveform bends far more sharply than anywhere around them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SHARPEST_OVER_AROUND = 10.0
"""How far above the median of its surroundings a bend is a click; music of pads, keys and strokes stays below 8."""

SMALLEST_BEND = 0.02  # a step of 0.002 of full scale, -54 dB: a smaller one is masked by the music
_AROUND_FRAMES = 2_205
_STEP_FRAMES = 4_410 * 50


def clicks(sound: NDArray[np.float64]) -> list[int]:
    """Frames of ``sound``, ``(frames, 2)`` with full scale 1, that click; those within 10 ms are one."""
    found: list[int] = []
    for channel in sound.T:
        for begin in range(0, len(channel), _STEP_FRAMES):
            piece = channel[max(0, begin - _AROUND_FRAMES) : begin + _STEP_FRAMES + _AROUND_FRAMES]
            found += [index + max(0, begin - _AROUND_FRAMES) for index in _bends(piece)]
    apart: list[int] = []
    for frame in sorted(found):
        if not apart or frame - apart[-1] > 441:
            apart.append(frame)
    return apart


def _bends(piece: NDArray[np.float64]) -> list[int]:
    bend = np.abs(np.diff(piece, n=6))
    whole = len(bend) // _AROUND_FRAMES * _AROUND_FRAMES
    if not whole:
        return []
    around = np.median(bend[:whole].reshape(-1, _AROUND_FRAMES), axis=1)
    wide = np.maximum.reduce([around, np.roll(around, 1), np.roll(around, -1)])
    limit = np.maximum(SHARPEST_OVER_AROUND * wide, SMALLEST_BEND)
    return np.flatnonzero(bend[:whole] > np.repeat(limit, _AROUND_FRAMES)).tolist()

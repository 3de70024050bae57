"""Finds clicks: places where the waveform bends far more sharply than anywhere around them.

The sharp edge of a bright saw bends as much, but does so in every period: a click stands alone. What repeats more often
than every 50 ms, such as the zipper of a stepped gain, is therefore not found here; the tests of the gains look for it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SHARPEST_OVER_AROUND = 10.0
"""How far above the median of its surroundings a bend is a click; music of pads, keys and strokes stays below 8."""

SHARPEST_OVER_NEXT = 2.0
"""How far above the next sharpest bend on either side."""

SMALLEST_BEND = 0.02  # a step of 0.002 of full scale, -54 dB: a smaller one is masked by the music
_AROUND_FRAMES = 2_205
_ONE_CLICK_FRAMES = 441  # 10 ms: what bends closer together is one
_STEP_FRAMES = 4_410 * 50


def clicks(sound: NDArray[np.float64]) -> list[int]:
    """Frames of ``sound``, ``(frames, 2)`` with full scale 1, that click."""
    found: set[int] = set()
    for channel in sound.T:
        for begin in range(0, len(channel), _STEP_FRAMES):
            first = max(0, begin - 2 * _AROUND_FRAMES)
            bend = np.abs(np.diff(channel[first : begin + _STEP_FRAMES + 2 * _AROUND_FRAMES], n=6))
            found |= {first + index for index in _candidates(bend) if _stands_alone(bend, index)}
    return _apart(sorted(found))


def _candidates(bend: NDArray[np.float64]) -> list[int]:
    """The sharpest of each group of bends that are sharper than their surroundings."""
    whole = len(bend) // _AROUND_FRAMES * _AROUND_FRAMES
    if not whole:
        return []
    around = np.median(bend[:whole].reshape(-1, _AROUND_FRAMES), axis=1)
    wide = np.maximum.reduce([around, np.roll(around, 1), np.roll(around, -1)])
    limit = np.maximum(SHARPEST_OVER_AROUND * wide, SMALLEST_BEND)
    sharp = _apart(np.flatnonzero(bend[:whole] > np.repeat(limit, _AROUND_FRAMES)).tolist())
    return [at + int(bend[at : at + _ONE_CLICK_FRAMES].argmax()) for at in sharp]


def _stands_alone(bend: NDArray[np.float64], at: int) -> bool:
    near = _ONE_CLICK_FRAMES // 2
    before = bend[max(0, at - _AROUND_FRAMES) : max(0, at - near)]
    after = bend[at + near : at + _AROUND_FRAMES]
    return bool(bend[at] > SHARPEST_OVER_NEXT * max(before.max(initial=0.0), after.max(initial=0.0)))


def _apart(frames: list[int]) -> list[int]:
    kept: list[int] = []
    for frame in frames:
        if not kept or frame - kept[-1] > _ONE_CLICK_FRAMES:
            kept.append(frame)
    return kept

"""Chance as a function: every draw is a hash of where it is needed, nothing is remembered.

So a note sounds the same whether the hours before it were played or skipped. ``Draws`` gives numbers for
one note; ``Walks`` gives slow smooth random movement for many voices at once, at any moment, in any order.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from auralisd.synthesis.grid import Floats, Integers
from auralisd.units import SAMPLE_RATE_HZ

_MASK: Final = (1 << 64) - 1
_LATTICE: Final = 1 << 16
PERIOD_FRAMES: Final = np.array((7.31, 17.93, 41.77)) * SAMPLE_RATE_HZ
WEIGHTS: Final = np.array((0.45, 0.35, 0.35))
OCTAVE_KEYS: Final = np.array((0, 7_919, 15_838))


def hashed(*keys: int | str) -> int:
    """64 well-mixed bits from ``keys`` (splitmix64 finaliser, Steele, Lea and Flood 2014)."""
    state = 0x9E3779B97F4A7C15
    for key in keys:
        number = int.from_bytes(key.encode(), "little") if isinstance(key, str) else key
        while True:
            state = _mixed(state ^ (number & _MASK))
            number >>= 64
            if number in (0, -1):
                break
    return state


def _mixed(state: int) -> int:
    state = (state + 0x9E3779B97F4A7C15) & _MASK
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
    return state ^ (state >> 31)


def generator(*keys: int | str) -> np.random.Generator:
    """A numpy generator of its own for ``keys``, for tables that are made once."""
    return np.random.Generator(np.random.Philox(key=hashed(*keys)))


class Draws:
    """Numbers that belong to one note: the k-th draw is always the same number."""

    __slots__ = ("_count", "_key")

    def __init__(self, *keys: int | str) -> None:
        """Bind the draws to ``keys``, usually (seed, layer, note_id)."""
        self._key = hashed(*keys)
        self._count = 0

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """The next number, uniform in ``[low, high)``."""
        self._count += 1
        return low + (high - low) * (_mixed(self._key + self._count) >> 11) * 2.0**-53

    def integer(self, below: int) -> int:
        """The next whole number in ``[0, below)``."""
        return int(self.uniform() * below)


class Walks:
    """Smooth random movement in -1..1: three octaves of value noise at incommensurate periods.

    A walk is read at ``time / period + key`` on a ring of 65,536 random numbers, joined by quintic
    smoothstep, so its first two derivatives are continuous and nothing accumulates.

    Attributes:
        ring: float64 ``(65536,)``, -1 to 1.
    """

    def __init__(self, seed: int) -> None:
        """Draw the ring for ``seed``."""
        self.ring = generator(seed, "walks").uniform(-1.0, 1.0, _LATTICE)

    def at(self, frames: Floats, keys: Integers) -> Floats:
        """Walks ``keys`` (integers, any shape) at absolute ``frames``; the two broadcast. About -1..1."""
        periods = PERIOD_FRAMES.reshape(-1, *(1 for _ in range(max(frames.ndim, keys.ndim))))
        offsets = OCTAVE_KEYS.reshape(periods.shape)
        position = frames / periods
        cell = np.floor(position)
        x = position - cell
        index = cell.astype(np.int64) + offsets + keys
        before = self.ring.take(index & (_LATTICE - 1))
        after = self.ring.take((index + 1) & (_LATTICE - 1))
        weight = x * x * x * (x * (x * 6.0 - 15.0) + 10.0) * WEIGHTS.reshape(periods.shape)
        level = before * WEIGHTS.reshape(periods.shape)
        return np.asarray((level + (after - before) * weight).sum(axis=0))

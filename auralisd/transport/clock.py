"""The sample clock: which frame is due when.

It multiplies and never accumulates, so it cannot drift; positions never go back.
"""

from __future__ import annotations

import math

from auralisd.units import SAMPLE_RATE_HZ


class SampleClock:
    """Ties programme frames to the seconds of one steady clock (Trio's, real or virtual)."""

    def __init__(self, *, position: int, at_seconds: float) -> None:
        """``position`` is due at ``at_seconds``."""
        self._position = position
        self._at_seconds = at_seconds

    def due_seconds(self, position: int) -> float:
        """When ``position`` is due."""
        return self._at_seconds + (position - self._position) / SAMPLE_RATE_HZ

    def position_at(self, now_seconds: float) -> int:
        """The frame that is due at ``now_seconds``, never before the frame the clock started with."""
        elapsed = max(0.0, now_seconds - self._at_seconds)
        return self._position + math.floor(elapsed * SAMPLE_RATE_HZ)

    def hold_back(self, seconds: float) -> None:
        """Make everything due ``seconds`` later: the process stood still and the music with it."""
        self._at_seconds += seconds

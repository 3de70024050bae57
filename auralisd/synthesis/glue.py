"""Glue: a passage that strays from the loudness around it is drawn most of the way back.

It is the upward and downward compression of a mix bus, 4:1 beyond a knee, on a second at a time: music keeps its
rise and fall, and a rest in a dark place does not become a hole. It judges the mix by its own last minute, so what a
listener turned down is answered by a little for that minute and then not at all.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Final

import torch

from auralisd.synthesis.gain_line import GainLine
from auralisd.synthesis.grid import SPAN_FRAMES, Chunk, Floats
from auralisd.synthesis.loudness import SpanMeter, lufs

KNEE_LU: Final = 1.5
RATIO: Final = 4.0
LARGEST_DB: Final = 9.0
SLEW_DB_PER_SECOND: Final = 6.0
WINDOW_SECONDS: Final = 45
_SPANS_PER_SECOND: Final = 10
_NOW_SPANS: Final = _SPANS_PER_SECOND
_STEP_DB: Final = SLEW_DB_PER_SECOND / _SPANS_PER_SECOND


class Glue:
    """Follows the mix and gives the gain of the next 100 ms."""

    def __init__(self) -> None:
        """Nothing heard: gain 1, and so it stays for ten seconds."""
        self._meter = SpanMeter()
        self._powers: deque[float] = deque(maxlen=WINDOW_SECONDS * _SPANS_PER_SECOND)
        self._line = GainLine(over_frames=SPAN_FRAMES)

    @property
    def gain_db(self) -> float:
        """Where the gain is going."""
        return self._line.to_db

    def gains(self, points: Floats) -> Floats:
        """Linear gain at absolute frames ``points``: a line in dB over each 100 ms."""
        return self._line.gains(points)

    def listen(self, chunk: Chunk, mix: torch.Tensor) -> None:
        """Take in ``mix``, float32 ``(2, frames)``; decide anew at the end of each span."""
        power = self._meter.power(chunk, mix.numpy())
        if power is None:
            return
        self._powers.append(power)
        if len(self._powers) >= 10 * _SPANS_PER_SECOND:
            self._line.turn(wanted_db(self._strayed_lu()), most_db=_STEP_DB, at_frames=chunk.end)

    def _strayed_lu(self) -> float:
        """The last second against the last minute."""
        now = sum(islice(reversed(self._powers), _NOW_SPANS)) / _NOW_SPANS
        return lufs(now) - lufs(sum(self._powers) / len(self._powers))


def wanted_db(strayed_lu: float) -> float:
    """The gain that answers a passage ``strayed_lu`` over the minute's loudness."""
    beyond = max(abs(strayed_lu) - KNEE_LU, 0.0)
    gain_db = min(beyond * (1.0 - 1.0 / RATIO), LARGEST_DB)
    return -gain_db if strayed_lu > 0.0 else gain_db

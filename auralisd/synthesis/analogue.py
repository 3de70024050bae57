"""A virtual-analogue voice: three detuned saws through a resonant two-pole low-pass whose cutoff moves.

The saws are ramps whose edges are rounded over four samples by an integrated cubic B-spline (Valimaki,
Pekonen and Nam, "Perceptually informed synthesis of bandlimited classical waveforms using integrated
polynomial interpolation", 2012), so only the few samples near an edge cost more than a straight line.

``poles`` has the low-pass. Phases are functions of absolute time in float64; the pole's state alone is carried.
This is the torch path; ``kernel`` does the same in compiled code.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from auralisd.synthesis.filters import QUIETEST
from auralisd.synthesis.grid import SEGMENT_FRAMES, SEGMENTS_PER_SPAN, Floats
from auralisd.synthesis.poles import PoleFilter, PoleLines, lines_of

SAWS: Final = 3
REACH: Final = 2
"""Samples on either side of an edge that are rounded."""

_TOGETHER: Final = 64  # more gain nothing, and the room stays below 5 MB
_COLUMNS: Final = 896  # segments times voices filtered at once: 1.3 MB, near the processor, in calls that are worth it
_KEPT: Final = 4  # filters by size: those of whole chunks and of what is left over
_LEAD_ROWS: Final = 2 * REACH  # rows for what edges near a segment's start did before it
_ROWS: Final = _LEAD_ROWS + SEGMENT_FRAMES + 2 * REACH

type States = npt.NDArray[np.float32]
"""Real and imaginary part of each voice's pole: ``(2, voices)``."""


class TorchVoices:
    """The voices in torch alone, with room to work in that is kept: fresh memory would cost more than the sums."""

    def __init__(self) -> None:
        """Room for 64 voices at once; more are taken in turns."""
        columns = SEGMENTS_PER_SPAN * _TOGETHER
        self._edges = torch.zeros(_ROWS * columns)
        self._filters: dict[tuple[int, int], PoleFilter] = {}

    def sound(self, cycles: Floats, cutoff_hz: Floats, q: Floats, states: States) -> torch.Tensor:
        """A chunk of each voice; ``states`` are moved on in place.

        Args:
            cycles: phases at the grid points, rising, float64 ``(voices, 3, points)``, in cycles.
            cutoff_hz: float64 ``(voices, points)``.
            q: resonance, float64 ``(voices,)``.
            states: float32 ``(2, voices)``, zeros at rest.

        Returns:
            float32 ``(points - 1, voices, 63)`` on the CPU, with an RMS of about 1 where the filter is open.
        """
        parts = []
        for first in range(0, len(q), _TOGETHER):
            few = slice(first, first + _TOGETHER)
            parts.append(self._few(cycles[few], cutoff_hz[few], q[few], states[:, few]))
            if few.stop < len(q):
                parts[-1] = parts[-1].clone()
        return torch.cat(parts, dim=1) if len(parts) > 1 else parts[0]

    def _few(self, cycles: Floats, cutoff_hz: Floats, q: Floats, states: States) -> torch.Tensor:
        """At most 64 voices; the answer is overwritten by the next call."""
        voices, points = cutoff_hz.shape
        segments = points - 1
        sound = self._saws(cycles)
        together = max(1, min(_COLUMNS // voices, segments))
        width = together * voices
        state = torch.complex(torch.from_numpy(states[0]), torch.from_numpy(states[1]))
        for part, lines in zip(torch.split(sound, width, 1), _cut(lines_of(cutoff_hz, q), width), strict=True):
            state = self._filter(part.shape[1] // voices, voices).filter(part, lines, state)
        _rest(state, states)
        return sound.view(SEGMENT_FRAMES, segments, voices).permute(1, 2, 0)

    def _filter(self, segments: int, voices: int) -> PoleFilter:
        """Filters for so many segments and voices, made when these change."""
        kept = self._filters.get((segments, voices))
        if kept is None:
            if len(self._filters) == _KEPT:
                self._filters.clear()
            kept = self._filters[segments, voices] = PoleFilter(segments, voices)
        return kept

    def _saws(self, cycles: Floats) -> torch.Tensor:
        """The saws of each voice together: float32 ``(63, segments * voices)``.

        What one frame has more than the one before: the slope, and what edges do. Then all of it is summed up, row by
        row, which stays in the cache.
        """
        voices, _, points = cycles.shape
        columns = (points - 1) * voices
        across = np.ascontiguousarray(cycles.transpose(1, 2, 0))
        start = across[:, :-1].reshape(SAWS, columns)
        step = np.diff(across, axis=1).reshape(SAWS, columns) * (1.0 / SEGMENT_FRAMES)
        into = start - np.floor(start - REACH * step)
        level = (2.0 * into - 1.0).sum(axis=0).astype(np.float32)
        slope = (2.0 * step).sum(axis=0).astype(np.float32)
        flat = self._edges[: _ROWS * columns]
        rows = flat.view(_ROWS, columns)
        rows[:_LEAD_ROWS] = 0.0
        rows[_LEAD_ROWS] = torch.from_numpy(level)
        rows[_LEAD_ROWS + 1 :] = torch.from_numpy(slope)
        places, heights = _edges(into, step)
        first = torch.from_numpy(places)
        for below, height in enumerate(torch.from_numpy(heights)):
            flat[below * columns :].index_add_(0, first, height)
        rows[_LEAD_ROWS] += rows[:_LEAD_ROWS].sum(0)
        driven = rows[_LEAD_ROWS : _LEAD_ROWS + SEGMENT_FRAMES]
        for before, row in pairwise(driven.unbind(0)):
            row.add_(before)
        return driven


def _cut(lines: PoleLines, width: int) -> Iterator[PoleLines]:
    """``lines`` in pieces of ``width`` columns."""
    columns = len(lines.direct)
    pieces = (torch.split(part, width * (len(part) // columns)) for part in lines)
    return map(PoleLines._make, zip(*pieces, strict=True))


def _rest(state: torch.Tensor, states: States) -> None:
    """Write ``state``, complex64 ``(voices,)``, into ``states``; what has died away becomes 0."""
    values = state.numpy()
    heard = np.abs(values.real) + np.abs(values.imag) > QUIETEST
    states[0], states[1] = np.where(heard, values.real, 0.0), np.where(heard, values.imag, 0.0)


def _edges(into: Floats, step: Floats) -> tuple[np.ndarray, np.ndarray]:
    """Where the ramps fall, and by how much from one row to the next.

    Args:
        into: how far each saw is into its ramp at the start of each segment, ``(3, columns)``, in cycles.
        step: cycles gone through per frame, the same.

    Returns:
        The first place of each edge in ``(_ROWS, columns)`` made flat, int64 ``(edges,)``; and what happens there and
        in the four rows below, float32 ``(5, edges)``.
    """
    columns = into.shape[1]
    apart = 1.0 / step
    first = ((1.0 - into) * apart).reshape(-1)
    count = ((SEGMENT_FRAMES + REACH - 1 - first) * step.reshape(-1) + 1.0).astype(np.int64)
    apart = apart.reshape(-1)
    saw = np.repeat(np.arange(len(count)), count)
    at = (first - (count.cumsum() - count) * apart + REACH)[saw]
    at += np.arange(len(saw)) * apart[saw]
    row = at.astype(np.int64)  # which none is before
    fallen = _fallen((at - row).astype(np.float32))
    heights = np.empty((2 * REACH + 1, len(at)), dtype=np.float32)
    heights[0] = fallen[0]
    np.subtract(fallen[1:], fallen[:-1], out=heights[1:-1])
    np.subtract(np.float32(-2.0), fallen[-1], out=heights[-1])
    row += _LEAD_ROWS - 2 * REACH + 1
    return row * columns + np.tile(np.arange(columns), SAWS)[saw], heights


def _fallen(late: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """How far a ramp has fallen (0 to -2) in the four samples around its edge: ``(4, edges)``.

    Args:
        late: time of the edge after the second of them, 0 to 1 samples.
    """
    rest = 1.0 - late
    before, after = late * late, rest * rest
    fallen = np.empty((2 * REACH, len(late)), dtype=np.float32)
    np.multiply(after * after, -1.0 / 12.0, out=fallen[0])
    np.subtract(late * (4.0 / 3.0 + before * (0.25 * late - 2.0 / 3.0)), 1.0, out=fallen[1])
    np.subtract(-1.0, rest * (4.0 / 3.0 + after * (0.25 * rest - 2.0 / 3.0)), out=fallen[2])
    np.subtract(before * before * (1.0 / 12.0), 2.0, out=fallen[3])
    return fallen

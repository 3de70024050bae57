"""A virtual-analogue voice: three detuned saws through a resonant two-pole low-pass whose cutoff moves.

The saws are ramps whose edges are rounded over four samples by an integrated cubic B-spline (Valimaki,
Pekonen and Nam, "Perceptually informed synthesis of bandlimited classical waveforms using integrated
polynomial interpolation", 2012), so only the few samples near an edge cost more than a straight line.

The low-pass is the bilinear transform of ``1 / (s^2 + s / q + 1)``, run as one complex pole: ``z' = (1 - mu) z + x``,
``y = d x + Re(kappa z)``. ``mu``, ``kappa`` and ``d`` belong to the cutoff at the grid points and move in straight
lines between them. A disc is convex, so a pole between two stable ones is stable.

Phases are functions of absolute time in float64; the pole's state alone is carried. This is the torch path;
``kernel`` does the same in compiled code.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from auralisd.synthesis.filters import QUIETEST
from auralisd.synthesis.grid import SEGMENT_FRAMES, SEGMENTS_PER_SPAN, Floats
from auralisd.units import SAMPLE_RATE_HZ

SAWS: Final = 3
LOWEST_CUTOFF_HZ: Final = 30.0
HIGHEST_CUTOFF_HZ: Final = 16_000.0
LEAST_Q: Final = 0.55
"""At 0.5 and below the poles are real, and one complex pole is no longer the whole filter."""
REACH: Final = 2
"""Samples on either side of an edge that are rounded."""

_TOGETHER: Final = 128  # more gain nothing, and the room stays below 12 MB
_BLOCKS: Final = 3  # of a segment, that are filtered side by side: fewer calls of more work each
_BLOCK_FRAMES: Final = SEGMENT_FRAMES // _BLOCKS
_LEAD_ROWS: Final = 2 * REACH  # rows for what edges near a segment's start did before it
_ROWS: Final = _LEAD_ROWS + SEGMENT_FRAMES + 2 * REACH

type States = npt.NDArray[np.float32]
"""Real and imaginary part of each voice's pole: ``(2, voices)``."""


class TorchVoices:
    """The voices in torch alone, with room to work in that is kept: fresh memory would cost more than the sums."""

    def __init__(self) -> None:
        """Room for 128 voices at once; more are taken in turns."""
        size = SEGMENT_FRAMES * SEGMENTS_PER_SPAN * _TOGETHER
        self._answers = torch.zeros(size, dtype=torch.complex64)
        self._decays = torch.zeros(size, dtype=torch.complex64)
        self._edges = torch.zeros(_ROWS * SEGMENTS_PER_SPAN * _TOGETHER)
        self._sound = torch.zeros(size)
        self._ramp = torch.arange(SEGMENT_FRAMES, dtype=torch.float32)[:, None]

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
        """At most 128 voices; the answer is overwritten by the next call."""
        voices, points = cutoff_hz.shape
        segments = points - 1
        mu, kappa, direct = (_at_segments(values) for values in pole_lines(cutoff_hz, q))
        driven = self._saws(cycles)
        trail = self._filtered(driven, *mu, states)
        line = self._decays[: trail.numel()].view(trail.shape)  # has served its turn
        each, change = (torch.view_as_real(values).view(-1) for values in kappa)
        torch.addcmul(each, change, self._ramp, out=torch.view_as_real(line).view(SEGMENT_FRAMES, -1))
        trail.mul_(line)
        sound = self._sound[: driven.numel()].view(driven.shape)
        torch.addcmul(*direct, self._ramp, out=sound)
        sound.mul_(driven).add_(torch.view_as_real(trail)[..., 0])
        return sound.view(SEGMENT_FRAMES, segments, voices).permute(1, 2, 0)

    def _filtered(self, driven: torch.Tensor, mu: torch.Tensor, change: torch.Tensor, states: States) -> torch.Tensor:
        """The pole's state at each frame: complex64 ``(63, columns)``; moves ``states`` on.

        A recursion in three steps: blocks of 21 frames side by side, each from rest and with what a state of 1
        becomes; the three blocks of a segment one after the other; the segments one after the other.

        Args:
            driven: float32 ``(63, columns)``.
            mu: complex64 ``(columns,)``, at the start of each segment ...
            change: ... and its change per frame.
            states: as ``sound`` has them.
        """
        columns, voices = driven.shape[1], states.shape[1]
        shape = (_BLOCKS, _BLOCK_FRAMES, columns)
        whole = self._answers[: driven.numel()].view(driven.shape).copy_(driven)
        decays = self._decays[: driven.numel()].view(shape)
        begun = torch.addcmul(1.0 - mu, change, self._ramp[::_BLOCK_FRAMES], value=-1.0)
        pole, answers = torch.empty_like(begun), whole.view(shape).unbind(1)
        rows = decays.unbind(1)
        rows[0].copy_(begun)
        for frame in range(1, _BLOCK_FRAMES):
            torch.sub(begun, change, alpha=frame, out=pole)
            answers[frame].addcmul_(pole, answers[frame - 1])
            torch.mul(pole, rows[frame - 1], out=rows[frame])
        before = self._starts(answers[-1], rows[-1], states)
        whole.view(shape).addcmul_(decays, before.unsqueeze(1))
        return whole

    @staticmethod
    def _starts(answers: torch.Tensor, decays: torch.Tensor, states: States) -> torch.Tensor:
        """The pole's state before each block: complex64 ``(blocks, columns)``; moves ``states`` on.

        Args:
            answers: where each block ends that begins at rest, complex64 ``(blocks, columns)``.
            decays: what becomes of a state of 1, the same.
            states: as ``sound`` has them.
        """
        blocks, columns = answers.shape
        voices = states.shape[1]
        rested = torch.zeros((blocks + 1, columns), dtype=torch.complex64)
        kept = torch.ones((blocks + 1, columns), dtype=torch.complex64)
        for block in range(blocks):
            torch.addcmul(answers[block], decays[block], rested[block], out=rested[block + 1])
            torch.mul(decays[block], kept[block], out=kept[block + 1])
        ends, shares = (last.view(-1, voices).unbind(0) for last in (rested[-1], kept[-1]))
        starts = torch.empty((columns // voices + 1, voices), dtype=torch.complex64)
        starts[0] = torch.complex(torch.from_numpy(states[0]), torch.from_numpy(states[1]))
        each = starts.unbind(0)
        for segment, (end, share) in enumerate(zip(ends, shares, strict=True)):
            torch.addcmul(end, share, each[segment], out=each[segment + 1])
        _rest(each[-1], states)
        return torch.addcmul(rested[:-1], kept[:-1], starts[:-1].view(-1))

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
        base = np.floor(start - REACH * step)
        into = start - base
        level = (2.0 * into - 1.0).sum(axis=0).astype(np.float32)
        slope = (2.0 * step).sum(axis=0).astype(np.float32)
        flat = self._edges[: _ROWS * columns]
        rows = flat.view(_ROWS, columns)
        rows[:_LEAD_ROWS] = 0.0
        rows[_LEAD_ROWS] = torch.from_numpy(level)
        rows[_LEAD_ROWS + 1 :] = torch.from_numpy(slope)
        places, heights = _edges(into.reshape(-1), step.reshape(-1), columns)
        flat.index_add_(0, torch.from_numpy(places), torch.from_numpy(heights))
        rows[_LEAD_ROWS] += rows[:_LEAD_ROWS].sum(0)
        driven = rows[_LEAD_ROWS : _LEAD_ROWS + SEGMENT_FRAMES]
        for before, row in pairwise(driven.unbind(0)):
            row.add_(before)
        return driven


def _rest(state: torch.Tensor, states: States) -> None:
    """Write ``state``, complex64 ``(voices,)``, into ``states``; what has died away becomes 0."""
    values = state.numpy()
    heard = np.abs(values.real) + np.abs(values.imag) > QUIETEST
    states[0], states[1] = np.where(heard, values.real, 0.0), np.where(heard, values.imag, 0.0)


def pole_lines(cutoff_hz: Floats, q: Floats) -> tuple[npt.NDArray[np.complex128], npt.NDArray[np.complex128], Floats]:
    """``mu``, ``kappa`` and ``d`` of the low-pass at each point.

    Args:
        cutoff_hz: ``(voices, points)``, held within 30 Hz and 16 kHz.
        q: ``(voices,)``, at least 0.55; 0.71 is flat, 2 rings.
    """
    warped = np.tan(np.pi / SAMPLE_RATE_HZ * np.clip(cutoff_hz, LOWEST_CUTOFF_HZ, HIGHEST_CUTOFF_HZ))
    damping = 1.0 / np.maximum(q, LEAST_Q)[:, None]
    turning = warped * np.sqrt(4.0 - damping * damping)
    scale = 1.0 + damping * warped + warped * warped
    mu = (damping * warped + 2.0 * warped * warped - 1j * turning) / scale
    pole = (1.0 - warped * warped + 1j * turning) / scale
    gain = warped * warped / scale
    kappa = gain * (2.0 - mu) ** 2 / (1j * pole * (turning / scale))
    direct = gain * scale / (1.0 - damping * warped + warped * warped)
    return mu, kappa, direct


def _at_segments(values: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Value at each segment's start and its change per frame: single precision, ``(segments * voices,)`` each."""
    single = np.complex64 if np.iscomplexobj(values) else np.float32
    start = np.ascontiguousarray(values[:, :-1].T, dtype=single).reshape(-1)
    change = np.ascontiguousarray(np.diff(values, axis=1).T * (1.0 / SEGMENT_FRAMES), dtype=single).reshape(-1)
    return torch.from_numpy(start), torch.from_numpy(change)


def _edges(into: Floats, step: Floats, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the ramps fall, and by how much from one row to the next: places in ``(_ROWS, columns)`` made flat."""
    apart = 1.0 / step
    first = (1.0 - into) * apart
    count = (np.floor((SEGMENT_FRAMES + REACH - 1 - first) * step) + 1.0).astype(np.int64)
    index = np.repeat(np.arange(count.size), count)
    within = np.arange(len(index)) - np.repeat(np.cumsum(count) - count, count)
    at = first[index] + within * apart[index]
    below = np.floor(at)
    heights = np.empty((2 * REACH + 1, len(at)), dtype=np.float32)
    fallen = _fallen((at - below).astype(np.float32))
    heights[0] = fallen[0]
    np.subtract(fallen[1:], fallen[:-1], out=heights[1:-1])
    heights[-1] = np.float32(-2.0) - fallen[-1]
    first_place = (below.astype(np.int64) + (_LEAD_ROWS - REACH + 1)) * columns + index % columns
    places = first_place + columns * np.arange(2 * REACH + 1)[:, None]
    return places.reshape(-1), heights.reshape(-1)


def _fallen(late: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """How far a ramp has fallen (0 to -2) in the four samples around its edge: ``(4, edges)``.

    Args:
        late: time of the edge after the second of them, 0 to 1 samples.
    """
    rest = 1.0 - late
    before, after = late * late, rest * rest
    return np.stack((
        after * after * (-1.0 / 12.0),
        -1.0 + late * (4.0 / 3.0 + before * (0.25 * late - 2.0 / 3.0)),
        -1.0 - rest * (4.0 / 3.0 + after * (0.25 * rest - 2.0 / 3.0)),
        -2.0 + before * before * (1.0 / 12.0),
    ))  # fmt: skip

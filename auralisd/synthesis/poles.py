"""Resonant two-pole low-passes whose cutoff moves, many side by side.

The low-pass is the bilinear transform of ``1 / (s^2 + s / q + 1)``, run as one complex pole: ``z' = (1 - mu) z + x``,
``y = d x + Re(kappa z)``. ``mu``, ``kappa`` and ``d`` belong to the cutoff at the grid points and move in straight
lines between them. A disc is convex, so a pole between two stable ones is stable.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from auralisd.synthesis.grid import SEGMENT_FRAMES, Floats
from auralisd.units import SAMPLE_RATE_HZ

LOWEST_CUTOFF_HZ: Final = 30.0
HIGHEST_CUTOFF_HZ: Final = 16_000.0
LEAST_Q: Final = 0.55
"""At 0.5 and below the poles are real, and one complex pole is no longer the whole filter."""

_BLOCKS: Final = 9  # of a segment, that are filtered side by side
_BLOCK_FRAMES: Final = SEGMENT_FRAMES // _BLOCKS


class PoleLines(NamedTuple):
    """A filter at the start of each segment and its change per frame, one number a column.

    A column is one segment of one voice; those of a segment lie side by side.

    Attributes:
        pole: ``1 - mu``, real and imaginary part in turns, float32 ``(2 * columns,)``; its change ...
        pole_change: ... the same.
        kappa: real and imaginary part in turns, float32 ``(2 * columns,)``; its change ...
        kappa_change: ... the same.
        direct: float32 ``(columns,)``; its change ...
        direct_change: ... the same.
    """

    pole: torch.Tensor
    pole_change: torch.Tensor
    kappa: torch.Tensor
    kappa_change: torch.Tensor
    direct: torch.Tensor
    direct_change: torch.Tensor


class PoleFilter:
    """Filters of some voices for some segments; few enough for all of it to stay near the processor."""

    def __init__(self, segments: int, voices: int) -> None:
        """Room to work in, which is kept: fresh memory would cost more than the sums."""
        columns = segments * voices
        blocks = (_BLOCKS, _BLOCK_FRAMES, columns)
        self._answers = torch.zeros(blocks, dtype=torch.complex64)
        self._decays = torch.zeros(blocks, dtype=torch.complex64)
        self._ramp = torch.arange(SEGMENT_FRAMES, dtype=torch.float32)[:, None]
        self._line = torch.zeros((SEGMENT_FRAMES, columns))
        self._driven = self._answers.view(SEGMENT_FRAMES, columns)
        self._lines = self._decays.view(SEGMENT_FRAMES, columns)
        self._numbers = torch.view_as_real(self._decays).view(SEGMENT_FRAMES, 2 * columns)
        self._sums = torch.view_as_real(self._answers).view(SEGMENT_FRAMES, 2 * columns)
        self._real = torch.view_as_real(self._answers)[..., 0].view(SEGMENT_FRAMES, columns)
        self._answer_rows, self._decay_rows = self._answers.unbind(1), self._decays.unbind(1)
        self._rested = torch.zeros((_BLOCKS + 1, columns), dtype=torch.complex64)
        self._kept = torch.ones((_BLOCKS + 1, columns), dtype=torch.complex64)
        self._before = torch.zeros((_BLOCKS, columns), dtype=torch.complex64)
        self._starts = torch.zeros((segments + 1, voices), dtype=torch.complex64)
        self._block_steps = tuple(
            (self._answer_rows[-1][block], self._decay_rows[-1][block],
             self._rested[block], self._rested[block + 1], self._kept[block], self._kept[block + 1])
            for block in range(_BLOCKS)
        )  # fmt: skip
        ends, shares = (last.view(segments, voices) for last in (self._rested[-1], self._kept[-1]))
        self._segment_steps = tuple(zip(ends, shares, self._starts[:-1], self._starts[1:], strict=True))
        self._each_start = self._starts[:-1].view(columns)

    def filter(self, sound: torch.Tensor, lines: PoleLines, state: torch.Tensor) -> torch.Tensor:
        """Filter ``sound`` where it lies; the state after it, until the next call.

        A recursion in three steps: blocks of seven frames side by side, each from rest and with what a state of 1
        becomes; the nine blocks of a segment one after the other; the segments one after the other.

        Args:
            sound: float32 ``(63, columns)``.
            lines: of the same columns.
            state: of the pole of each voice, complex64 ``(voices,)``.
        """
        self._driven.copy_(sound)
        torch.addcmul(lines.pole, lines.pole_change, self._ramp, out=self._numbers)
        answer, decay = self._answer_rows[0], self._decay_rows[0]
        for next_answer, next_decay in zip(self._answer_rows[1:], self._decay_rows[1:], strict=True):
            answer = next_answer.addcmul_(next_decay, answer)
            decay = next_decay.mul_(decay)
        for end, share, rested, rested_after, kept, kept_after in self._block_steps:
            torch.addcmul(end, share, rested, out=rested_after)
            torch.mul(share, kept, out=kept_after)
        self._starts[0] = state
        for end, share, before, after in self._segment_steps:
            torch.addcmul(end, share, before, out=after)
        torch.addcmul(self._rested[:-1], self._kept[:-1], self._each_start, out=self._before)
        self._decays.mul_(self._before.unsqueeze(1))
        self._sums.add_(self._numbers)
        torch.addcmul(lines.kappa, lines.kappa_change, self._ramp, out=self._numbers)
        self._driven.mul_(self._lines)
        torch.addcmul(lines.direct, lines.direct_change, self._ramp, out=self._line)
        sound.mul_(self._line).add_(self._real)
        return self._starts[-1]


def pole_lines(cutoff_hz: Floats, q: Floats) -> tuple[npt.NDArray[np.complex128], npt.NDArray[np.complex128], Floats]:
    """``mu``, ``kappa`` and ``d`` of the low-pass at each point.

    Args:
        cutoff_hz: ``(voices, points)``, held within 30 Hz and 16 kHz.
        q: ``(voices,)``, at least 0.55; 0.71 is flat, 2 rings.
    """
    poles, kappas, directs = _at_points(cutoff_hz, q[:, None])
    return 1.0 - poles.view(np.complex128)[..., 0], kappas.view(np.complex128)[..., 0], directs


def _at_points(cutoff_hz: Floats, q: Floats) -> tuple[Floats, Floats, Floats]:
    """``1 - mu`` and ``kappa``, real and imaginary part last, and ``d``; in real numbers, which are faster."""
    warped = np.tan(np.pi / SAMPLE_RATE_HZ * np.clip(cutoff_hz, LOWEST_CUTOFF_HZ, HIGHEST_CUTOFF_HZ))
    damping = 1.0 / np.maximum(q, LEAST_Q)
    damped, square = warped * damping, warped * warped
    by_scale = 1.0 / (1.0 + damped + square)
    poles, kappas = np.empty((*warped.shape, 2)), np.empty((*warped.shape, 2))
    real, imag = (1.0 - square) * by_scale, warped * (np.sqrt(4.0 - damping * damping) * by_scale)
    poles[..., 0], poles[..., 1] = real, imag
    # kappa = gain (1 + pole)^2 / (i pole Im pole); its denominator is (-imag^2, real imag)
    gain, beyond = square * by_scale, 1.0 + real
    shared = gain / (imag * (imag * imag + real * real))
    zero_real, zero_imag = beyond * beyond - imag * imag, 2.0 * beyond * imag
    np.multiply(shared, zero_imag * real - zero_real * imag, out=kappas[..., 0])
    np.multiply(shared, -zero_real * real - zero_imag * imag, out=kappas[..., 1])
    return poles, kappas, square / (1.0 - damped + square)


def lines_of(cutoff_hz: Floats, q: Floats) -> PoleLines:
    """The filters between the points of ``pole_lines``, columns by segments."""
    parts: list[torch.Tensor] = []
    for values in _at_points(np.ascontiguousarray(cutoff_hz.T), q):
        rows = values.reshape(len(values), -1)
        lines = rows[:-1], (rows[1:] - rows[:-1]) * (1.0 / SEGMENT_FRAMES)
        parts += (torch.from_numpy(line.astype(np.float32).reshape(-1)) for line in lines)
    return PoleLines(*parts)

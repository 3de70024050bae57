"""Echoes at unmusical times: three filtered, drifting taps, the last one fed back."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import hardshrink

from auralisd.kernel.shelf import Kernel, KernelShelf, address
from auralisd.synthesis.filters import QUIETEST, SegmentFilter, high_pass, low_pass
from auralisd.synthesis.grid import SPAN_FRAMES, Chunk, Integers
from auralisd.synthesis.reverb import moved
from auralisd.units import SAMPLE_RATE_HZ

TAP_SECONDS: Final = (0.617, 1.043, 1.571)
DRIFT_SECONDS: Final = 0.0035
FEEDBACK: Final = 0.34
_TAP_LEFT: Final = (0.62, 0.22, 0.40)
_TAP_RIGHT: Final = (0.20, 0.58, 0.36)
_LINE_FRAMES: Final = 20 * SPAN_FRAMES  # 2 s
_SLACK_FRAMES: Final = 32  # more than a tap drifts in a span
_TAP_SECONDS: Final = np.array(TAP_SECONDS)
_DRIFT_PERIODS_SECONDS: Final = np.array((11.3, 17.9, 23.7))[:, None]

type _Singles = npt.NDArray[np.float32]


class EchoDelay:
    """Mono in, stereo echoes out; after 1.6 s of silence each repeat is 9 dB lower."""

    def __init__(self, device: torch.device, shelf: KernelShelf | None = None) -> None:
        """An empty line."""
        self._shelf = shelf or KernelShelf()
        self.device = device
        self._line = torch.zeros(2 * _LINE_FRAMES, device=device)  # twice, so that any reach back is one slice
        self._place()
        self._filter = SegmentFilter(((*high_pass(260.0, 2), *low_pass(2_600.0, 2)),), device, self._shelf)

    def echoes(self, chunk: Chunk, send: torch.Tensor) -> torch.Tensor:
        """The echoes heard in ``chunk``, float32 ``(2, frames)``; takes ``send``, float32 ``(frames,)``, in."""
        taps = self._taps(chunk)
        fed = (send + FEEDBACK * taps[2]).unsqueeze(0)
        start, written = chunk.start % _LINE_FRAMES, hardshrink(self._filter.filtered(fed)[0], QUIETEST)
        self._line[start : start + chunk.frames] = written
        self._line[start + _LINE_FRAMES : start + _LINE_FRAMES + chunk.frames] = written
        return self._places @ taps

    def move_to(self, device: torch.device) -> None:
        """Take the line to ``device``; the filter begins at rest."""
        self.device = device
        self._line = moved(self._line, device)
        self._place()
        self._filter = SegmentFilter(((*high_pass(260.0, 2), *low_pass(2_600.0, 2)),), device, self._shelf)

    def _place(self) -> None:
        self._places = torch.tensor((_TAP_LEFT, _TAP_RIGHT), device=self.device)
        self._frames = torch.arange(SPAN_FRAMES, dtype=torch.float32, device=self.device)

    def _taps(self, chunk: Chunk) -> torch.Tensor:
        """What the three taps read, float32 ``(3, frames)``; their distance drifts in straight lines."""
        ends = np.array([chunk.span, chunk.span + 1], dtype=np.float64) * SPAN_FRAMES
        turns = 2.0 * np.pi * ends / (SAMPLE_RATE_HZ * _DRIFT_PERIODS_SECONDS)
        swing = 0.5 * (np.sin(turns) + np.sin(0.618 * turns + 1.0))
        distance = (_TAP_SECONDS[:, None] + DRIFT_SECONDS * swing) * SAMPLE_RATE_HZ
        slope = (distance[:, 1] - distance[:, 0]) / SPAN_FRAMES
        first = chunk.start - (distance[:, 0] + slope * chunk.offset)
        whole = np.floor(first).astype(np.int64)
        kernel = self._shelf.kernel
        if kernel is not None and self.device.type == "cpu":
            return self._read(
                kernel, (first - whole).astype(np.float32), (1.0 - slope).astype(np.float32), whole, chunk
            )
        begin, step, apart = (
            torch.from_numpy(values.astype(np.float32)).to(self.device)[:, None]
            for values in (first - whole, 1.0 - slope, whole - whole.min())
        )
        reach = begin + step * self._frames[: chunk.frames]
        floor = reach.floor()
        index = (floor + apart).int().view(-1)
        window = self._window(int(whole.min()), int(whole.max() - whole.min()) + chunk.frames + _SLACK_FRAMES)
        here, there = window.index_select(0, index), window[1:].index_select(0, index)
        return torch.lerp(here, there, (reach - floor).view(-1)).view(reach.shape)

    def _read(self, kernel: Kernel, begins: _Singles, steps: _Singles, whole: Integers, chunk: Chunk) -> torch.Tensor:
        """What ``_taps`` reads, in machine code: from ``whole`` frames and a share ``begins`` on, by ``steps``."""
        taps = torch.empty((len(whole), chunk.frames))
        places = int(whole.min()) % _LINE_FRAMES + whole - whole.min()
        sizes = np.array([len(whole), chunk.frames, len(self._line)], dtype=np.int64)
        kernel.read_taps(
            self._line.data_ptr(), taps.data_ptr(), address(begins), address(steps), address(places), address(sizes)
        )
        return taps

    def _window(self, first: int, frames: int) -> torch.Tensor:
        """``frames`` of the line from absolute frame ``first`` on, a view."""
        begin = first % _LINE_FRAMES
        return self._line[begin : begin + frames]

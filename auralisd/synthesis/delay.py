"""Echoes at unmusical times: three filtered, drifting taps, the last one fed back."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import torch
from torch.nn.functional import hardshrink

from auralisd.kernel.shelf import Kernel, KernelShelf, address
from auralisd.synthesis.filters import QUIETEST, SegmentFilter, high_pass, low_pass
from auralisd.synthesis.grid import SPAN_FRAMES, Chunk, Floats
from auralisd.synthesis.reverb import moved
from auralisd.synthesis.uploads import Uploads
from auralisd.units import SAMPLE_RATE_HZ

TAP_SECONDS: Final = (0.617, 1.043, 1.571)
DRIFT_SECONDS: Final = 0.0035
FEEDBACK: Final = 0.34
REVERB_SHARE: Final = 0.5  # of the echoes
_TAP_LEFT: Final = (0.62, 0.22, 0.40)
_TAP_RIGHT: Final = (0.20, 0.58, 0.36)
_LINE_FRAMES: Final = 20 * SPAN_FRAMES  # 2 s
_SLACK_FRAMES: Final = 32  # more than a tap drifts in a span
_TAP_SECONDS: Final = np.array(TAP_SECONDS)
_DRIFT_PERIODS_SECONDS: Final = np.array((11.3, 17.9, 23.7))[:, None]

_MIX: Final = np.array((*_TAP_LEFT, *_TAP_RIGHT, FEEDBACK, REVERB_SHARE), dtype=np.float32)


class Heard(NamedTuple):
    """What an echo delay gives.

    Attributes:
        echoes: float32 ``(2, frames)``.
        far: what goes to the reverb, that of the voices and some of the echoes: the same.
    """

    echoes: torch.Tensor
    far: torch.Tensor


class EchoDelay:
    """Mono in, stereo echoes out; after 1.6 s of silence each repeat is 9 dB lower."""

    def __init__(self, device: torch.device, shelf: KernelShelf | None = None) -> None:
        """An empty line."""
        self._shelf = shelf or KernelShelf()
        self.device = device
        self._line = torch.zeros(2 * _LINE_FRAMES, device=device)  # twice, so that any reach back is one slice
        self._place()
        self._filter = SegmentFilter(((*high_pass(260.0, 2), *low_pass(2_600.0, 2)),), device, self._shelf)

    def heard(self, chunk: Chunk, buses: torch.Tensor) -> Heard:
        """The echoes heard in ``chunk``; takes in the delay bus of ``buses``, float32 ``(BUSES, frames)``."""
        kernel, numbers = self._shelf.kernel, self._filter.numbers
        if kernel is not None and numbers is not None and self.device.type == "cpu":
            return self._run(kernel, numbers, chunk, buses)
        echoes = self._echoes(chunk, buses[4])
        return Heard(echoes, buses[2:4] + REVERB_SHARE * echoes)

    def _echoes(self, chunk: Chunk, send: torch.Tensor) -> torch.Tensor:
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
        self._uploads = Uploads(self.device)
        self._places = torch.tensor((_TAP_LEFT, _TAP_RIGHT), device=self.device)
        self._frames = torch.arange(SPAN_FRAMES, dtype=torch.float32, device=self.device)

    def _places_of_taps(self, chunk: Chunk) -> tuple[Floats, Floats]:
        """Where the taps begin to read, in absolute frames, and frames gone through per frame: float64 ``(3,)`` each.

        Their distance drifts in straight lines.
        """
        ends = np.array([chunk.span, chunk.span + 1], dtype=np.float64) * SPAN_FRAMES
        turns = 2.0 * np.pi * ends / (SAMPLE_RATE_HZ * _DRIFT_PERIODS_SECONDS)
        swing = 0.5 * (np.sin(turns) + np.sin(0.618 * turns + 1.0))
        distance = (_TAP_SECONDS[:, None] + DRIFT_SECONDS * swing) * SAMPLE_RATE_HZ
        slope = (distance[:, 1] - distance[:, 0]) / SPAN_FRAMES
        return chunk.start - (distance[:, 0] + slope * chunk.offset), 1.0 - slope

    def _taps(self, chunk: Chunk) -> torch.Tensor:
        """What the three taps read, float32 ``(3, frames)``."""
        first, steps = self._places_of_taps(chunk)
        whole = np.floor(first).astype(np.int64)
        begin, step, apart = (
            self._uploads(values.astype(np.float32))[:, None] for values in (first - whole, steps, whole - whole.min())
        )
        reach = begin + step * self._frames[: chunk.frames]
        floor = reach.floor()
        index = (floor + apart).int().view(-1)
        window = self._window(int(whole.min()), int(whole.max() - whole.min()) + chunk.frames + _SLACK_FRAMES)
        here, there = window.index_select(0, index), window[1:].index_select(0, index)
        return torch.lerp(here, there, (reach - floor).view(-1)).view(reach.shape)

    def _run(self, kernel: Kernel, numbers: Floats, chunk: Chunk, buses: torch.Tensor) -> Heard:
        """``heard`` in machine code."""
        buses = buses.contiguous()
        first, steps = self._places_of_taps(chunk)
        whole = np.floor(first).astype(np.int64)
        begun = np.array((first - whole, steps), dtype=np.float32)
        places = int(whole.min()) % _LINE_FRAMES + whole - whole.min()
        order = self._filter.state.shape[1]
        sizes = np.array([len(whole), chunk.frames, _LINE_FRAMES, chunk.start % _LINE_FRAMES, order], dtype=np.int64)
        echoes, far = torch.empty((2, chunk.frames)), torch.empty((2, chunk.frames))
        room = np.empty((len(whole) + 1, chunk.frames), dtype=np.float32)
        kernel.echoed_rows(
            self._line.data_ptr(), buses.data_ptr(), address(begun), address(places), address(_MIX), address(numbers),
            self._filter.state.data_ptr(), echoes.data_ptr(), far.data_ptr(), address(room), address(sizes),
        )  # fmt: skip
        return Heard(echoes, far)

    def _window(self, first: int, frames: int) -> torch.Tensor:
        """``frames`` of the line from absolute frame ``first`` on, a view."""
        begin = first % _LINE_FRAMES
        return self._line[begin : begin + frames]

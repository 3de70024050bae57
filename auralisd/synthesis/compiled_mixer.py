"""``VoiceMixer``'s work in machine code, for renderers on the CPU; ``kernel`` makes and keeps the code."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from auralisd.kernel.layout import BUSES, ROOM_ROWS, SIZES
from auralisd.kernel.shelf import Kernel, address
from auralisd.synthesis.analogue import SAWS
from auralisd.synthesis.chance import OCTAVE_KEYS, PERIOD_FRAMES, WEIGHTS, Walks
from auralisd.synthesis.compiled import KernelRoom
from auralisd.synthesis.grid import SEGMENT_FRAMES, SPAN_FRAMES, Chunk
from auralisd.synthesis.notes import JOIN_FRAMES, STEAL_FRAMES
from auralisd.synthesis.oscillators import TABLE_ROWS, TableBank
from auralisd.synthesis.ramps import RampedControls
from auralisd.synthesis.sounding import DRIFT_WALK, HIGHEST_EDGE_HZ, SAW_PLACES, SAW_STARTS, SWEEP_WALK, Arrays

_CONSTANTS: Final = np.array([
    JOIN_FRAMES, STEAL_FRAMES, DRIFT_WALK, SWEEP_WALK, HIGHEST_EDGE_HZ,
    *SAW_STARTS, *SAW_PLACES, *PERIOD_FRAMES, *OCTAVE_KEYS, *WEIGHTS,
], dtype=np.float64)  # fmt: skip
_START: Final = SIZES.index("start_frames")


class CompiledMixer:
    """All sounding notes of a chunk onto the buses in one call, without the interpreter lock; one per renderer."""

    def __init__(self, kernel: Kernel, bank: TableBank, walks: Walks) -> None:
        """A mixer that runs ``kernel``, reading its tables in ``bank``."""
        self._mix, self._bank = kernel.mixed_strands, bank
        self._voices = KernelRoom()
        self._sizes = np.zeros(len(SIZES), dtype=np.int64)
        self._rows = np.zeros(ROOM_ROWS, dtype=np.float32)
        self._fixed = address(_CONSTANTS), address(walks.ring)
        self._arrays: Arrays | None = None
        self._desk = np.zeros((0, 0))
        self._buses = torch.zeros(0)
        self._kept: tuple[npt.NDArray[Any], ...] = ()
        self._places: tuple[int, ...] = ()

    def mixed(self, chunk: Chunk, arrays: Arrays, controls: RampedControls) -> torch.Tensor:
        """The buses of ``chunk``: float32 ``(BUSES, frames)``, as ``VoiceMixer.mixed``; the next call overwrites it."""
        points = chunk.segments + 1
        if arrays is not self._arrays or self._desk.shape[1] != points:
            self._make_room(arrays, points, len(controls.layer_gains))
        self._desk[0] = controls.brightness
        self._desk[1:] = controls.layer_gains
        self._sizes[_START] = chunk.start
        self._mix(*self._places)
        return self._buses

    def _make_room(self, arrays: Arrays, points: int, layers: int) -> None:
        """Room for these notes and so many grid points, and where everything lies: asked once per change of notes."""
        strands, count = len(arrays.owner), len(arrays.onset)
        self._arrays = arrays
        self._sizes[:] = (
            count, strands, arrays.tables, arrays.sines, arrays.saws, arrays.analogue, points, 0, SPAN_FRAMES,
            TABLE_ROWS, self._bank.pool.numel() // SEGMENT_FRAMES, layers,
        )  # fmt: skip
        self._desk = np.zeros((1 + layers, points))
        self._buses = torch.zeros((BUSES, (points - 1) * SEGMENT_FRAMES))
        levels = np.zeros((strands, 2, points), dtype=np.float32)
        drawn, phases = np.zeros((count + 1, 2, points)), np.zeros((strands, points))
        cutoffs = np.zeros((2 * arrays.analogue + 1, max(points, SAWS)))
        given: tuple[npt.NDArray[Any], ...] = (arrays.notes, arrays.strands, arrays.owner, arrays.onto, self._desk)
        room: tuple[npt.NDArray[Any], ...] = (levels, drawn, phases, cutoffs, self._rows)
        self._kept = (*given, *room)  # as long as their places are
        self._places = (
            *map(address, given), *self._fixed, self._bank.pool.data_ptr(), address(arrays.poles),
            self._buses.data_ptr(), address(self._sizes), *map(address, room), *self._voices.places,
        )  # fmt: skip

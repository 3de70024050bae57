"""``VoiceMixer``'s work in machine code, for renderers on the CPU; ``kernel`` makes and keeps the code."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch

from auralisd.kernel.layout import BUSES
from auralisd.kernel.shelf import Kernel
from auralisd.synthesis.chance import OCTAVE_KEYS, PERIOD_FRAMES, WEIGHTS, Walks
from auralisd.synthesis.compiled import KernelRoom, address, grown
from auralisd.synthesis.grid import SEGMENT_FRAMES, SPAN_FRAMES, Chunk
from auralisd.synthesis.notes import JOIN_FRAMES, STEAL_FRAMES
from auralisd.synthesis.oscillators import TABLE_ROWS, TableBank
from auralisd.synthesis.ramps import RampedControls
from auralisd.synthesis.sounding import DRIFT_WALK, HIGHEST_EDGE_HZ, SAW_PLACES, SAW_STARTS, SWEEP_WALK, Arrays

_CONSTANTS: Final = np.array([
    JOIN_FRAMES, STEAL_FRAMES, DRIFT_WALK, SWEEP_WALK, HIGHEST_EDGE_HZ,
    *SAW_STARTS, *SAW_PLACES, *PERIOD_FRAMES, *OCTAVE_KEYS, *WEIGHTS,
], dtype=np.float64)  # fmt: skip
_ROWS: Final = (BUSES + 2 + 4 + BUSES) * 64


class CompiledMixer:
    """All sounding notes of a chunk onto the buses in one call, without the interpreter lock; one per renderer."""

    def __init__(self, kernel: Kernel, bank: TableBank, walks: Walks) -> None:
        """A mixer that runs ``kernel``, reading its tables in ``bank``."""
        self._mix = kernel.mix
        self._bank, self._walks = bank, walks
        self._voices = KernelRoom()
        self._rows = np.zeros(_ROWS, dtype=np.float32)
        self._levels = np.zeros(0, dtype=np.float32)
        self._phases = self._cutoffs = np.zeros(0)

    def mixed(self, chunk: Chunk, arrays: Arrays, controls: RampedControls) -> torch.Tensor:
        """The buses of ``chunk``: float32 ``(BUSES, frames)``, as ``VoiceMixer.mixed``."""
        points, strands = chunk.segments + 1, len(arrays.owner)
        self._levels = grown(self._levels, 2 * strands * points)
        self._phases = grown(self._phases, strands * points)
        self._cutoffs = grown(self._cutoffs, 2 * max(arrays.analogue, 1) * max(points, 3))
        desk = np.concatenate((controls.brightness[None], controls.layer_gains))
        sizes = np.array([
            len(arrays.onset), strands, arrays.tables, arrays.sines, arrays.saws, arrays.analogue,
            points, chunk.start, SPAN_FRAMES, TABLE_ROWS, self._bank.pool.numel() // SEGMENT_FRAMES, len(desk) - 1,
        ], dtype=np.int64)  # fmt: skip
        buses = torch.empty((BUSES, chunk.frames))
        given = (arrays.notes, arrays.strands, arrays.owner, arrays.onto, desk, _CONSTANTS, self._walks.ring)
        room = (self._levels, self._phases, self._cutoffs, self._rows)
        self._mix(
            *map(address, given), self._bank.pool.data_ptr(), address(arrays.poles), buses.data_ptr(),
            address(sizes), *map(address, room), *self._voices.places,
        )  # fmt: skip
        return buses

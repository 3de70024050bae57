"""The virtual-analogue voices in machine code, where there is some; ``kernel`` makes and keeps it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from auralisd.kernel.machine_code import load
from auralisd.kernel.shelf import Kernel, KernelError, KernelShelf, address
from auralisd.synthesis.analogue import SAWS, States, TorchVoices
from auralisd.synthesis.grid import SEGMENT_FRAMES, Floats

_LANES: Final = 32
_SLOTS: Final = SAWS * _LANES
_SINGLES: Final = (19 + 2 * SEGMENT_FRAMES + 8) * _LANES
_DOUBLES: Final = (2 + 2 * SAWS) * _LANES
_ALIKE: Final = 1e-4  # -80 dB: a wrong result is wrong by far more, a right one by less


class KernelRoom:
    """What the voices need to work in, so that the machine code asks nobody for memory; one per renderer."""

    def __init__(self) -> None:
        """Room for 32 voices side by side."""
        self._arrays = (
            np.zeros(_SINGLES, dtype=np.float32), np.zeros(_DOUBLES),
            np.zeros(2 * _SLOTS), np.zeros(2 * _SLOTS, dtype=np.int64),
        )  # fmt: skip
        self.places = tuple(address(array) for array in self._arrays)
        """Where it lies."""


class CompiledVoices:
    """The voices of ``TorchVoices`` in machine code; one per renderer, since it holds room to work in."""

    def __init__(self, kernel: Kernel) -> None:
        """Voices that run ``kernel``, as ``machine_code.load`` returns it."""
        self._voices = kernel.analogue_voices
        self._room = KernelRoom()
        self._sound = torch.empty(0)  # kept: fresh memory costs more than the sums

    def sound(self, cycles: Floats, cutoff_hz: Floats, q: Floats, states: States) -> torch.Tensor:
        """A chunk of each voice, as ``TorchVoices.sound``; the interpreter lock is free meanwhile.

        The answer is overwritten by the next call.
        """
        voices, points = cutoff_hz.shape
        cycles, cutoff_hz, q = (np.ascontiguousarray(a, dtype=np.float64) for a in (cycles, cutoff_hz, q))
        moved = np.ascontiguousarray(states)
        size = (points - 1) * SEGMENT_FRAMES * voices
        if size > len(self._sound):
            self._sound = torch.empty(size)
        sound = self._sound[:size].view(points - 1, SEGMENT_FRAMES, voices)
        sizes = np.array([voices, points], dtype=np.int64)
        given: tuple[npt.NDArray[Any], ...] = (cycles, cutoff_hz, q, moved)
        self._voices(*map(address, given), sound.data_ptr(), address(sizes), *self._room.places)
        if moved is not states:
            states[:] = moved
        return sound.transpose(1, 2)


def voices_from(shelf: KernelShelf) -> TorchVoices | CompiledVoices:
    """Voices for one renderer, the fastest there are just now."""
    return TorchVoices() if shelf.kernel is None else CompiledVoices(shelf.kernel)


def fill(shelf: KernelShelf, directory: Path) -> bool:
    """Put the kernel kept in ``directory`` on the shelf, or say there why it is not; whether it is there.

    It is only taken once it has played a chunk as torch plays it.
    """
    try:
        kernel = load(directory)
    except KernelError as error:
        shelf.why = f"torch alone: {error}"
        return False
    if not _sounds_like_torch(kernel):
        shelf.why = f"torch alone: the kernel in {directory} does not sound as torch does; delete it"
        return False
    shelf.kernel, shelf.why = kernel, "the compiled kernel"
    return True


def _sounds_like_torch(kernel: Kernel) -> bool:
    generator = np.random.default_rng(0)
    voices, points = _LANES + 3, 6
    steps = generator.uniform(0.05, 3.0, size=(voices, SAWS, 1))
    cycles = generator.uniform(size=(voices, SAWS, 1)) + steps * np.arange(points)
    cutoff_hz = generator.uniform(100.0, 8_000.0, size=(voices, points))
    q = generator.uniform(0.6, 4.0, size=voices)
    states = [np.zeros((2, voices), dtype=np.float32) for _ in range(2)]
    wanted = TorchVoices().sound(cycles, cutoff_hz, q, states[0])
    difference = CompiledVoices(kernel).sound(cycles, cutoff_hz, q, states[1]) - wanted
    return bool(difference.square().mean().sqrt() < _ALIKE * wanted.square().mean().sqrt())

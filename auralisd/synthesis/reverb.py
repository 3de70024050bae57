"""Long stereo reverb: uniformly partitioned FFT convolution (Gardner 1995; Wefers 2015).

The partition is 2205 frames, and the wet sound comes one partition and 4 ms late: that is the pre-delay.
Early partitions are kept to 10 kHz, late ones to 4.5 kHz, where the impulse has nothing above. Slots are
taken by absolute partition number, so the result does not depend on when the reverb was started.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch

from auralisd.kernel.shelf import KernelShelf, address
from auralisd.synthesis.grid import Chunk
from auralisd.synthesis.impulse import (
    EARLY_BINS,
    EARLY_PARTITIONS,
    LATE_BINS,
    LATE_PARTITIONS,
    PARTITION_FRAMES,
    PARTITIONS,
    SPECTRUM_FRAMES,
    Room,
    impulse_bands,
)
from auralisd.synthesis.uploads import Uploads

_HELD_FRAMES: Final = SPECTRUM_FRAMES - PARTITION_FRAMES  # of the past, beside each new partition
FADE_PARTITIONS: Final = 24  # 1.2 s from one impulse to the next
_PARTITIONS_PER_STEP: Final = 16  # of a new impulse, made per partition
_SMALLEST_CHANGE: Final = 0.004


class _Impulse:
    """A transformed impulse, each part doubled so that any rotation of the slots is one slice."""

    def __init__(self, device: torch.device) -> None:
        self.early = torch.zeros((2, 2 * EARLY_PARTITIONS, EARLY_BINS), dtype=torch.complex64, device=device)
        self.late = torch.zeros((2, 2 * LATE_PARTITIONS, LATE_BINS), dtype=torch.complex64, device=device)

    def put(self, first: int, spectra: torch.Tensor) -> None:
        for index in range(spectra.shape[1]):
            partition = first + index
            if partition < EARLY_PARTITIONS:
                _put_doubled(self.early, partition, EARLY_PARTITIONS, spectra[:, index, :EARLY_BINS])
            else:
                _put_doubled(self.late, partition - EARLY_PARTITIONS, LATE_PARTITIONS, spectra[:, index, :LATE_BINS])


def _put_doubled(table: torch.Tensor, partition: int, count: int, spectrum: torch.Tensor) -> None:
    """Entry m of the doubled table is partition ``-m mod count``."""
    table[:, -partition % count] = spectrum
    table[:, -partition % count + count] = spectrum


class Reverb:
    """Stereo in, wet stereo out, one partition later.

    Attributes:
        room: the one that sounds; while a new one fades in, the old one.
        short: whether the next room has to do without its late partitions.
    """

    def __init__(self, space: float, device: torch.device, shelf: KernelShelf | None = None) -> None:
        """Make the impulse for ``space``: about 40 ms, and 60 more for the first room of a process."""
        self._shelf = shelf or KernelShelf()
        self._bands = impulse_bands()
        self._device = device
        self._uploads = Uploads(device)
        self._now = _Impulse(device)
        self._next: _Impulse | None = None  # 2.7 MB, while ``space`` turns
        self.room = self._coming = Room(space)
        self.short = False
        self._now.put(0, self._bands.spectra(self.room, 0, PARTITIONS).to(device))
        self._made = PARTITIONS
        self._faded = 0
        self._early = torch.zeros((2, EARLY_PARTITIONS, EARLY_BINS), dtype=torch.complex64, device=device)
        self._late = torch.zeros((2, LATE_PARTITIONS, LATE_BINS), dtype=torch.complex64, device=device)
        self._products: torch.Tensor | None = None  # kept: fresh memory costs more than the sums
        self._incoming = torch.zeros((2, SPECTRUM_FRAMES), device=device)
        self._outgoing = torch.zeros((2, PARTITION_FRAMES), device=device)
        self._ramp = torch.arange(PARTITION_FRAMES, dtype=torch.float32, device=device) / PARTITION_FRAMES

    def wet(self, chunk: Chunk, send: torch.Tensor, space: float) -> torch.Tensor:
        """The reverb of what came before, for ``chunk``; takes ``send`` in.

        Args:
            chunk: where we are.
            send: float32 ``(2, frames)``.
            space: where the ``space`` control is going; the impulse follows in about 1.6 s.

        Returns:
            float32 ``(2, frames)``.
        """
        wet, taken = [], 0
        while taken < chunk.frames:
            partition, offset = divmod(chunk.start + taken, PARTITION_FRAMES)
            frames = min(chunk.frames - taken, PARTITION_FRAMES - offset)
            start = _HELD_FRAMES + offset
            self._incoming[:, start : start + frames] = send[:, taken : taken + frames]
            wet.append(self._outgoing[:, offset : offset + frames])
            if offset + frames == PARTITION_FRAMES:
                self._follow(space)
                self._outgoing = self._convolved(partition)
                self._incoming[:, :_HELD_FRAMES] = self._incoming[:, PARTITION_FRAMES:].clone()
            taken += frames
        return torch.cat(wet, dim=1) if len(wet) > 1 else wet[0]

    def rest(self) -> None:
        """Forget what sounded in the room; the room stays."""
        for held in (self._early, self._late, self._incoming, self._outgoing):
            held.zero_()

    def move_to(self, device: torch.device) -> None:
        """Take all state to ``device``; what cannot be read any more begins from silence."""
        for name in ("_early", "_late", "_incoming", "_outgoing", "_ramp"):
            setattr(self, name, moved(getattr(self, name), device))
        self._device = device
        self._uploads = Uploads(device)
        self._now, self._next = _Impulse(device), None
        self._now.put(0, self._bands.spectra(self.room, 0, PARTITIONS).to(device))
        self._coming, self._made, self._faded = self.room, PARTITIONS, 0
        self._ramp = torch.arange(PARTITION_FRAMES, dtype=torch.float32, device=device) / PARTITION_FRAMES

    def _follow(self, space: float) -> None:
        """Make the next part of a new impulse, or start one where another room is wanted."""
        if self._made < PARTITIONS:
            if self._next is None:
                self._next = _Impulse(self._device)
            count = min(_PARTITIONS_PER_STEP, PARTITIONS - self._made)
            self._next.put(self._made, self._uploads(self._bands.spectra(self._coming, self._made, count)))
            self._made += count
        elif self._faded == 0 and self._coming == self.room and self._differs(space):
            self._coming, self._made = Room(space, self.short), 0

    def _differs(self, space: float) -> bool:
        """Whether another room is wanted; all short ones are alike."""
        if self.short or self.room.short:
            return self.short != self.room.short
        return abs(space - self.room.space) > _SMALLEST_CHANGE

    def _convolved(self, partition: int) -> torch.Tensor:
        spectrum = torch.fft.rfft(self._incoming)
        early_slot, late_slot = partition % EARLY_PARTITIONS, partition % LATE_PARTITIONS
        self._late[:, late_slot] = self._early[:, early_slot, :LATE_BINS]
        self._early[:, early_slot] = spectrum[:, :EARLY_BINS]
        now = self._sum(self._now, early_slot, late_slot, short=self.room.short)
        if self._next is None or self._made < PARTITIONS:
            return now
        following = self._sum(self._next, early_slot, late_slot, short=self._coming.short)
        share = (self._faded + self._ramp) / FADE_PARTITIONS
        self._faded += 1
        if self._faded == FADE_PARTITIONS:
            self._now, self._next = self._next, None
            self.room, self._faded = self._coming, 0
        return torch.lerp(now, following, share)

    def _sum(self, impulse: _Impulse, early_slot: int, late_slot: int, *, short: bool) -> torch.Tensor:
        """One partition of wet sound, float32 ``(2, 2205)``; a ``short`` impulse has nothing in its late part."""
        total = torch.zeros((2, SPECTRUM_FRAMES // 2 + 1), dtype=torch.complex64, device=self._device)
        self._add(total, self._early, impulse.early, early_slot)
        if not short:
            self._add(total, self._late, impulse.late, late_slot)
        both: torch.Tensor = torch.fft.irfft(total, n=SPECTRUM_FRAMES)
        return both[:, _HELD_FRAMES:]

    def _add(self, total: torch.Tensor, sound: torch.Tensor, impulse: torch.Tensor, slot: int) -> None:
        """Add ``sound``, complex64 ``(2, partitions, bins)``, through ``impulse`` to ``total``."""
        _, partitions, bins = sound.shape
        first = partitions - slot
        kernel = self._shelf.kernel
        if kernel is not None and self._device.type == "cpu":
            sizes = np.array([partitions, bins, total.shape[1], first], dtype=np.int64)
            kernel.summed_partitions(sound.data_ptr(), impulse.data_ptr(), total.data_ptr(), address(sizes))
        else:
            if self._products is None or self._products.device != self._device:
                self._products = torch.empty(self._early.numel(), dtype=torch.complex64, device=self._device)
            products = self._products[: sound.numel()].view(sound.shape)
            torch.mul(sound, impulse[:, first : first + partitions], out=products)
            total[:, :bins] += products.sum(dim=1)


def moved(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """``tensor`` on ``device``, or zeros of its shape where its own device does not answer any more."""
    try:
        return tensor.to(device)
    except (RuntimeError, torch.AcceleratorError):
        return torch.zeros(tensor.shape, dtype=tensor.dtype, device=device)


def wet_gain(space: np.ndarray) -> np.ndarray:
    """Amplitude of the reverb beside the dry sound at ``space`` 0 to 1: 30 to 50 % of the whole."""
    return np.asarray(0.9 + 0.95 * space)

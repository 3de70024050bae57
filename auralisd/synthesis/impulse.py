"""The room: a synthesised stereo impulse response whose high frequencies die sooner than its low ones.

Five bands of stationary noise are made once. An impulse for any reverberation time is those bands under
exponential decays, faded into partitions and transformed; it can be made a few partitions at a time, so that
turning ``space`` never costs a block its deadline. After Moorer, "About this reverberation business" (1979).
"""

from __future__ import annotations

import functools
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import torch

from auralisd.synthesis.chance import generator
from auralisd.synthesis.grid import Floats
from auralisd.units import SAMPLE_RATE_HZ

PARTITION_FRAMES: Final = 2_205  # 50 ms
EARLY_PARTITIONS: Final = 40  # 2.0 s, all that reaches above 4.5 kHz
LATE_PARTITIONS: Final = 82  # to 6.1 s
PARTITIONS: Final = EARLY_PARTITIONS + LATE_PARTITIONS
SLOPE_FRAMES: Final = 390  # neighbouring partitions are faded into each other over 9 ms
SPECTRUM_FRAMES: Final = 4_800  # a partition of sound, one of the impulse, and the slope
EARLY_BINS: Final = 1_112  # to 10.2 kHz
LATE_BINS: Final = 488  # to 4.5 kHz

_FRAMES: Final = PARTITIONS * PARTITION_FRAMES
_EDGES_HZ: Final = (250.0, 550.0, 1_300.0, 3_000.0, 6_000.0, 8_500.0)
_DECAY_SHARES: Final = (1.0, 0.95, 0.78, 0.52, 0.3)  # of the reverberation time, low band to high
_BAND_DB: Final = (0.0, -0.5, -2.0, -5.0, -9.0)
_CORRELATION: Final = 0.5  # of the left and the right room: wide, and still there in mono
_BUILD_UP_SECONDS: Final = 0.045
_LEVEL_BAND: Final = 1
_FADE_OUT_SECONDS: Final = 1.6
_ROOM_SEED: Final = 5
_SHORT_FRAMES: Final = EARLY_PARTITIONS * PARTITION_FRAMES
_SHORT_SECONDS: Final = 2.4
_SHORT_FADE_OUT_SECONDS: Final = 0.8


def reverberation_seconds(space: float) -> float:
    """RT60 of the low band: 4 s at ``space`` 0 to 9 s at 1."""
    return 4.0 + 5.0 * space


class Room(NamedTuple):
    """What an impulse is made for.

    Attributes:
        space: 0 to 1.
        short: whether it has to end with the early partitions, for a machine that cannot afford the late ones.
    """

    space: float
    short: bool = False

    @property
    def reverberation_seconds(self) -> float:
        """RT60 of the low band."""
        return _SHORT_SECONDS if self.short else reverberation_seconds(self.space)


class ImpulseBands:
    """Five bands of stereo noise, float16 ``(bands, 2, frames)``, from which impulses are made."""

    def __init__(self) -> None:
        """Make the bands: about 60 ms; see ``impulse_bands``."""
        noise = generator(_ROOM_SEED, "impulse").standard_normal((3, _FRAMES), dtype=np.float32)
        shared, noise = noise[2], noise[:2]
        noise = np.float32(_CORRELATION**0.5) * shared + np.float32((1.0 - _CORRELATION) ** 0.5) * noise
        spectrum = torch.fft.rfft(torch.from_numpy(noise))
        masks = _band_masks(spectrum.shape[1])
        self._noise = torch.stack(
            [torch.fft.irfft(spectrum * torch.from_numpy(mask), n=_FRAMES).half() for mask in masks]
        )
        self._gains = 10.0 ** (np.array(_BAND_DB) / 20.0)
        self._fades = torch.ones(PARTITION_FRAMES + SLOPE_FRAMES)
        rising = torch.sin(torch.arange(SLOPE_FRAMES) * (torch.pi / 2.0 / SLOPE_FRAMES)) ** 2
        self._fades[:SLOPE_FRAMES], self._fades[PARTITION_FRAMES:] = rising, 1.0 - rising

    def spectra(self, room: Room, first: int, count: int) -> torch.Tensor:
        """Transforms of partitions ``first`` to ``first + count`` of the impulse for ``room``.

        A partition cut off sharply would reach above any bin that is kept, and what is missing there would be heard
        as a click at each partition. So each fades in over ``SLOPE_FRAMES`` while the one before fades out, and the
        whole impulse comes half a slope (4.4 ms) late.

        Returns:
            complex64 ``(2, count, SPECTRUM_FRAMES // 2 + 1)``, of an impulse that
            passes a held tone of 0.5 to 1.3 kHz at its own level, on average.
        """
        begin = first * PARTITION_FRAMES - SLOPE_FRAMES // 2
        end = begin + count * PARTITION_FRAMES + SLOPE_FRAMES
        rates = self._rates(room.reverberation_seconds)
        inside = slice(max(begin, 0), min(end, _FRAMES))
        seconds = torch.arange(inside.start, inside.stop, dtype=torch.float32) / SAMPLE_RATE_HZ
        scale = self._gains / np.sqrt(SAMPLE_RATE_HZ / (2.0 * rates[_LEVEL_BAND]))
        whole = torch.zeros((2, end - begin))
        impulse = whole[:, inside.start - begin : inside.stop - begin]
        for band, (rate, gain) in enumerate(zip(rates, scale, strict=True)):
            impulse.addcmul_(self._noise[band, :, inside].float(), torch.exp(-rate * seconds), value=float(gain))
        impulse *= 1.0 - torch.exp(-seconds / _BUILD_UP_SECONDS)
        length, fade = (_SHORT_FRAMES, _SHORT_FADE_OUT_SECONDS) if room.short else (_FRAMES, _FADE_OUT_SECONDS)
        left = (length / SAMPLE_RATE_HZ - seconds).clamp(min=0.0, max=fade) / fade
        impulse *= left * left * (3.0 - 2.0 * left)
        parts = whole.unfold(1, PARTITION_FRAMES + SLOPE_FRAMES, PARTITION_FRAMES) * self._fades
        if first == 0:
            parts[:, 0, :SLOPE_FRAMES] = whole[:, :SLOPE_FRAMES]  # nothing comes before that could fade out
        spectra: torch.Tensor = torch.fft.rfft(parts, n=SPECTRUM_FRAMES)
        return spectra

    def _rates(self, low_band_seconds: float) -> Floats:
        """Decay of each band in nepers per second, from the RT60 of the lowest."""
        return np.asarray(np.log(1000.0) / (low_band_seconds * np.array(_DECAY_SHARES)))


@functools.cache
def impulse_bands() -> ImpulseBands:
    """The bands all rooms are made of: one house for all stations of a process, 5.4 MB."""
    return ImpulseBands()


def _band_masks(bins: int) -> Floats:
    """Smooth neighbouring bands in octaves; they fade where the impulse has none: float32 ``(bands, bins)``."""
    frequencies = np.maximum(np.arange(bins) * SAMPLE_RATE_HZ / _FRAMES, 1.0)
    steps = [_smooth_step(np.log2(frequencies / edge) / 0.7 + 0.5) for edge in _EDGES_HZ]
    masks = [below - above for below, above in pairwise(steps)]
    return np.array(masks, dtype=np.float32)


def _smooth_step(x: Floats) -> Floats:
    bounded = np.clip(x, 0.0, 1.0)
    return np.asarray(bounded * bounded * (3.0 - 2.0 * bounded))

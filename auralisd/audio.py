"""Sound between the renderer and the encoders: plain numpy and bytes, no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from auralisd.units import CHANNELS

type Samples = npt.NDArray[np.float32]
"""float32 ``(channels, frames)``, linear amplitude, full scale 1.0."""

PCM16_BYTES_PER_FRAME: Final = 2 * CHANNELS


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioBlock:
    """Mastered sound, ready to be heard.

    Attributes:
        position: programme frames of the first frame.
        pcm16: interleaved little-endian int16 stereo, dithered; what every format is made from.
        bed: whether it is the stand-in for a renderer that could not deliver.
    """

    position: int
    pcm16: bytes
    bed: bool = False

    @property
    def frames(self) -> int:
        """How long it is."""
        return len(self.pcm16) // PCM16_BYTES_PER_FRAME

    @property
    def end(self) -> int:
        """Position of the first frame after it."""
        return self.position + self.frames


def pcm16_to_samples(pcm16: bytes) -> Samples:
    """Interleaved int16 bytes as float32 ``(channels, frames)``, full scale 1.0."""
    interleaved = np.frombuffer(pcm16, dtype="<i2").reshape(-1, CHANNELS)
    return np.ascontiguousarray(interleaved.T.astype(np.float32) / 32768.0)


def samples_to_pcm16(samples: Samples) -> bytes:
    """float32 ``(channels, frames)`` as interleaved int16 bytes, rounded and clipped, without dither."""
    scaled = np.clip(np.rint(samples.T * 32768.0), -32768, 32767)
    return scaled.astype("<i2").tobytes()

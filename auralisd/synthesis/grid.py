"""The control grid: every gain moves on absolute multiples of 63 frames (1.43 ms, 700 Hz).

A *chunk* is what the renderer makes in one go: at most one span of 4410 frames, never across a
multiple of 4410, always whole segments of 63. Whatever block size is asked for, the same grid points are
met, which is why the block size cannot be heard.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from auralisd.units import BLOCK_FRAMES, SAMPLE_RATE_HZ

SEGMENT_FRAMES: Final = 63
CONTROL_RATE_HZ: Final = SAMPLE_RATE_HZ // SEGMENT_FRAMES  # 700
SPAN_FRAMES: Final = BLOCK_FRAMES  # 100 ms: longest chunk, loudness frame, walk interval
SEGMENTS_PER_SPAN: Final = SPAN_FRAMES // SEGMENT_FRAMES  # 70

type Floats = npt.NDArray[np.float64]
type Integers = npt.NDArray[np.int64]

_POINT_OFFSETS: Final = np.arange(SEGMENTS_PER_SPAN + 1, dtype=np.float64) * SEGMENT_FRAMES


@dataclass(frozen=True, slots=True)
class Chunk:
    """Frames ``start`` to ``start + frames``; both multiples of 63, inside one span."""

    start: int
    frames: int

    @property
    def end(self) -> int:
        """The first frame after it."""
        return self.start + self.frames

    @property
    def segments(self) -> int:
        """How many segments of 63 frames it holds."""
        return self.frames // SEGMENT_FRAMES

    @property
    def first_segment(self) -> int:
        """Absolute number of its first segment."""
        return self.start // SEGMENT_FRAMES

    @property
    def span(self) -> int:
        """Absolute number of the span it lies in."""
        return self.start // SPAN_FRAMES

    @property
    def offset(self) -> int:
        """Frames between the start of the span and its own."""
        return self.start % SPAN_FRAMES

    @property
    def completes_span(self) -> bool:
        """Whether its last frame is the span's last."""
        return self.offset + self.frames == SPAN_FRAMES

    def points(self) -> Floats:
        """Absolute frames of its grid points, ends included: float64 ``(segments + 1,)``."""
        return self.start + _POINT_OFFSETS[: self.segments + 1]


def chunks(start: int, frames: int) -> Iterator[Chunk]:
    """Cut ``frames`` from ``start`` on at the absolute multiples of 4410.

    Raises:
        ValueError: if either is not a multiple of 63, or nothing is asked for.
    """
    if start % SEGMENT_FRAMES or frames % SEGMENT_FRAMES or frames <= 0 or start < 0:
        raise ValueError(f"start {start} and frames {frames} must be multiples of {SEGMENT_FRAMES}")
    end = start + frames
    while start < end:
        length = min(end, start - start % SPAN_FRAMES + SPAN_FRAMES) - start
        yield Chunk(start, length)
        start += length

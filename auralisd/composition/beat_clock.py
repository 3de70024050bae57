"""The beat clock: which frame a beat falls on, with tempo changes that slew.

Whole numbers only. Phase advances by the tempo in thousandths of a bpm each frame, so a
beat is ``PHASE_PER_BEAT`` of it at any tempo, and no rounding ever adds up.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

from auralisd.units import SAMPLE_RATE_HZ

PHASE_PER_BEAT: Final = 60 * 1000 * SAMPLE_RATE_HZ
TICKS_PER_BEAT: Final = 4
BEATS_PER_BAR: Final = 4
TICKS_PER_BAR: Final = TICKS_PER_BEAT * BEATS_PER_BAR
SLEW_FRAMES: Final = 3 * SAMPLE_RATE_HZ
"""How long a tempo change takes from the first to the last step."""

_PHASE_PER_TICK: Final = PHASE_PER_BEAT // TICKS_PER_BEAT
_SLEW_STEPS: Final = 30
_SEGMENTS_KEPT: Final = 3 * _SLEW_STEPS


@dataclass(frozen=True, slots=True)
class _Segment:
    """A stretch of even tempo: from this frame and phase on, ``rate`` phase a frame."""

    frame: int
    phase: int
    rate: int


@dataclass(frozen=True, slots=True)
class BeatClock:
    """Beats as a function of frames, from the tempo and all its changes so far.

    Attributes:
        segments: the stretches of even tempo; those long past are forgotten.
    """

    segments: tuple[_Segment, ...]

    @classmethod
    def starting(cls, tempo_bpm: float) -> BeatClock:
        """A clock whose first beat is frame 0."""
        return cls((_Segment(0, 0, _rate(tempo_bpm)),))

    def slewed(self, at_frames: int, tempo_bpm: float) -> BeatClock:
        """The clock after a change of tempo that begins at ``at_frames`` and takes ``SLEW_FRAMES``."""
        kept = [segment for segment in self.segments if segment.frame < at_frames] or [self.segments[0]]
        start_rate, target_rate = kept[-1].rate, _rate(tempo_bpm)
        phase = kept[-1].phase + (at_frames - kept[-1].frame) * start_rate
        frame = at_frames
        for step in range(1, _SLEW_STEPS + 1):
            rate = start_rate + (target_rate - start_rate) * step // _SLEW_STEPS
            kept.append(_Segment(frame, phase, rate))
            frame += SLEW_FRAMES // _SLEW_STEPS
            phase += rate * (SLEW_FRAMES // _SLEW_STEPS)
        return BeatClock(tuple(kept[-_SEGMENTS_KEPT:]))

    def tempo_bpm(self, at_frames: int) -> float:
        """The tempo at a frame, in the middle of a slew too."""
        return self._segment_at(at_frames).rate / 1000

    def frame_of_tick(self, tick: int) -> int:
        """First frame of a tick (a quarter of a beat) since the start of the piece."""
        phase = tick * _PHASE_PER_TICK
        index = max(0, bisect_right(self.segments, phase, key=lambda segment: segment.phase) - 1)
        segment = self.segments[index]
        return segment.frame - (segment.phase - phase) // segment.rate

    def tick_from(self, frame: int) -> int:
        """The first tick that begins at or after ``frame``."""
        segment = self._segment_at(frame)
        phase = segment.phase + (frame - segment.frame) * segment.rate
        tick = phase // _PHASE_PER_TICK
        while self.frame_of_tick(tick) < frame:
            tick += 1
        return tick

    def bar_from(self, frame: int) -> int:
        """The first bar that begins at or after ``frame``."""
        return -(-self.tick_from(frame) // TICKS_PER_BAR)

    def frame_of_bar(self, bar: int) -> int:
        """First frame of a bar since the start of the piece."""
        return self.frame_of_tick(bar * TICKS_PER_BAR)

    def bar_line_from(self, frame: int) -> int:
        """The first bar line at or after ``frame``."""
        return self.frame_of_bar(self.bar_from(frame))

    def bar_frames(self, at_frames: int) -> int:
        """How long a bar is at the tempo of ``at_frames``."""
        return PHASE_PER_BEAT * BEATS_PER_BAR // self._segment_at(at_frames).rate

    def _segment_at(self, frame: int) -> _Segment:
        index = bisect_right(self.segments, frame, key=lambda segment: segment.frame) - 1
        return self.segments[max(0, index)]


def _rate(tempo_bpm: float) -> int:
    return int(tempo_bpm * 1000 + 0.5)

"""Percussion: soft low hits, euclidean and thinned, and a swell now and then; never a beat to march to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from auralisd.composition.beat_clock import TICKS_PER_BAR
from auralisd.composition.manuscript import Manuscript
from auralisd.composition.moment import PICKUP_FRAMES, Moment, seconds
from auralisd.units import SAMPLE_RATE_HZ

LAYER: Final = "percussion"
SILENT_INTENSITY: Final = 0.2
"""At or below this nothing is struck."""

SHORTEST_GAP_SECONDS: Final = 5.2
"""Between any two hits, so that no minute holds more than twelve."""

SWELL_SECONDS: Final = (2.0, 4.0)
LOW_DRUM: Final = 36
SOFT_MALLET: Final = 43
SWELL: Final = 60
_CELLS: Final = 8
_FEWEST_BARS: Final = 2


def euclidean(hits: int, cells: int, cell: int) -> bool:
    """Whether ``cell`` is struck when ``hits`` are spread over ``cells`` as evenly as can be (Bjorklund; Toussaint)."""
    return (cell % cells) * hits % cells < hits


@dataclass(slots=True)
class PercussionPlayer:
    """Considers a stroke at each bar line.

    Attributes:
        bar: the next bar.
        last_hit: frame of the last stroke.
    """

    bar: int = 0
    last_hit: int = 0

    def start_section(self, moment: Moment, sheet: Manuscript) -> None:  # noqa: ARG002 - the players' contract
        """Wait a little, so that the gap to the last section's strokes is kept."""
        self.last_hit = moment.now
        self.bar = moment.clock.bar_from(moment.now + PICKUP_FRAMES)

    def wake_frames(self, moment: Moment) -> int:
        """Just before the next bar line."""
        if not moment.plays(LAYER):
            return moment.section_end + SAMPLE_RATE_HZ
        return max(moment.now, moment.clock.frame_of_tick(self.bar * TICKS_PER_BAR) - PICKUP_FRAMES)

    def act(self, moment: Moment, sheet: Manuscript) -> None:
        """Strike, if the pattern and the intensity say so."""
        bar, self.bar = self.bar, self.bar + 1
        density = moment.density()
        if moment.controls.intensity <= SILENT_INTENSITY or density <= 0 or moment.breathes():
            return
        if moment.hushed("percussion", bar):
            return
        bars = max(_FEWEST_BARS, -(-seconds(SHORTEST_GAP_SECONDS) // moment.clock.bar_frames(moment.now)))
        if bar % bars:
            return
        stream = moment.chance.stream("percussion", bar)
        pattern = moment.chance.stream("percussion pattern", moment.section.index)
        onset = moment.jittered(stream, moment.clock.frame_of_tick(bar * TICKS_PER_BAR))
        hits = 3 + int(5 * density)
        struck = euclidean(min(hits, _CELLS), _CELLS, bar // bars + pattern.below(_CELLS))
        near_end = moment.section_end - onset < seconds(SHORTEST_GAP_SECONDS)
        if not struck or near_end or onset - self.last_hit < seconds(SHORTEST_GAP_SECONDS):
            return
        self.last_hit = onset
        if stream.fraction() < 0.15:
            self._write(moment, sheet, "swell", onset, seconds(stream.uniform(*SWELL_SECONDS)), SWELL, 0.22)
        else:
            drum = LOW_DRUM if stream.happens(0.7) else SOFT_MALLET
            self._write(moment, sheet, "hit", onset, seconds(1.2), drum, 0.26 + stream.uniform(-0.05, 0.05))

    def on_change(self, changed: frozenset[str], moment: Moment, sheet: Manuscript) -> None:  # noqa: ARG002
        """Bars fall elsewhere after a change of tempo."""
        if "tempo_bpm" in changed:
            self.bar = max(self.bar, moment.clock.bar_from(moment.now + PICKUP_FRAMES))

    @staticmethod
    def _write(
        moment: Moment, sheet: Manuscript, role: str, onset: int, duration: int, pitch: int, velocity: float
    ) -> None:
        sheet.note(
            layer=LAYER,
            role=role,
            onset_frames=onset,
            duration_frames=duration,
            pitch_midi=pitch,
            velocity=velocity + 0.2 * moment.density(),
            chord_index=moment.chord_at(onset).index,
            unpitched=True,
        )

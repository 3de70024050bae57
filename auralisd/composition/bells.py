"""Bells: single high chord tones, now and then two, far apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from auralisd.composition.manuscript import Manuscript
from auralisd.composition.moment import Moment, seconds
from auralisd.units import SAMPLE_RATE_HZ

LAYER: Final = "bells"
RANGE: Final = (69, 91)
SLOT_FRAMES: Final = 6 * SAMPLE_RATE_HZ
RING_SECONDS: Final = (2.5, 5.0)
_REST: Final = 1 << 62


@dataclass(slots=True)
class BellPlayer:
    """Each slot of the piece may hold a stroke; how many do follows intensity.

    Attributes:
        slot: the next one to consider.
    """

    slot: int = 0

    def start_section(self, moment: Moment, sheet: Manuscript) -> None:  # noqa: ARG002 - the players' contract
        """Join the slots where they are."""
        self.slot = moment.now // SLOT_FRAMES
        while self._stroke(moment) < moment.now + seconds(1):
            self.slot += 1

    def wake_frames(self, moment: Moment) -> int:
        """At the stroke the next slot may hold."""
        return max(moment.now, self._stroke(moment)) if moment.plays(LAYER) else _REST

    def act(self, moment: Moment, sheet: Manuscript) -> None:
        """Strike, if this slot's turn is within what intensity allows."""
        stream = moment.chance.stream("bell", self.slot)
        self.slot += 1
        if stream.fraction() >= 0.08 + 0.6 * moment.density() or moment.breathes() or moment.frames_left() < seconds(1):
            return
        if moment.hushed("bell", self.slot):
            return
        # Each chord has its bell, and a second one that answers now and then: few pitches, often heard.
        tuning = moment.chance.stream("bell pitch", moment.chord_at(moment.now).index)
        first, second = tuning.between(74, 84), tuning.between(70, 90)
        self._strike(moment, sheet, moment.now, first, stream.uniform(-0.05, 0.05))
        if stream.fraction() < 0.2 * moment.density():
            self._strike(moment, sheet, moment.now + seconds(stream.uniform(0.3, 0.9)), second, -0.05)

    def on_change(self, changed: frozenset[str], moment: Moment, sheet: Manuscript) -> None:
        """Nothing to do: each stroke reads the chord and the intensity when it comes."""

    def _stroke(self, moment: Moment) -> int:
        return self.slot * SLOT_FRAMES + moment.chance.stream("bell time", self.slot).below(SLOT_FRAMES * 3 // 4)

    def _strike(self, moment: Moment, sheet: Manuscript, onset: int, wished: int, accent: float) -> None:
        chord = moment.chord_at(onset)
        pitch = min(
            (pitch for pitch in range(RANGE[0], RANGE[1] + 1) if pitch % 12 in chord.harmony.core),
            key=lambda pitch: (abs(pitch - wished), pitch),
        )
        stream = moment.chance.stream("bell ring", self.slot, wished)
        duration = seconds(stream.uniform(*RING_SECONDS))
        if not moment.next_region.contains(pitch):
            duration = min(duration, max(1, moment.section_end - onset))
        sheet.note(
            layer=LAYER,
            role="bell",
            onset_frames=onset,
            duration_frames=duration,
            pitch_midi=pitch,
            velocity=0.27 + 0.14 * moment.density() + accent,
            cents=stream.uniform(-4.0, 4.0),
            chord_index=chord.index,
        )

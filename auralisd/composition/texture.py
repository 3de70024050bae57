"""Texture: a bed of noise that swells and ebbs, and grains scattered over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from auralisd.composition.manuscript import Manuscript
from auralisd.composition.moment import Moment, seconds
from auralisd.units import SAMPLE_RATE_HZ

LAYER: Final = "texture"
SLOT_FRAMES: Final = 11 * SAMPLE_RATE_HZ
BED_SECONDS: Final = (18.0, 38.0)
GRAIN_SECONDS: Final = (0.3, 1.6)
_BED_EVERY: Final = 2
_REST: Final = 1 << 62


@dataclass(slots=True)
class TexturePlayer:
    """Every second slot begins a bed; every slot may scatter grains.

    Attributes:
        slot: the next one.
    """

    slot: int = 0

    def start_section(self, moment: Moment, sheet: Manuscript) -> None:  # noqa: ARG002 - the players' contract
        """Join the slots where they are."""
        self.slot = -(-moment.now // SLOT_FRAMES)

    def wake_frames(self, moment: Moment) -> int:
        """At the next slot."""
        return max(moment.now, self.slot * SLOT_FRAMES) if moment.plays(LAYER) else _REST

    def act(self, moment: Moment, sheet: Manuscript) -> None:
        """Let a bed swell, or scatter grains."""
        stream = moment.chance.stream("texture", self.slot)
        slot, self.slot = self.slot, self.slot + 1
        if moment.breathes() or moment.hushed("texture", slot):
            return
        onset = moment.now + seconds(stream.uniform(0.0, 3.0))
        if slot % _BED_EVERY == 0:
            length = seconds(stream.uniform(*BED_SECONDS))
            self._write(moment, sheet, "bed", onset, length, stream.between(48, 72), 0.3)
        for _ in range(4):
            if stream.fraction() < 0.55 * moment.density():
                onset = moment.now + seconds(stream.uniform(0.0, 9.0))
                length = seconds(stream.uniform(*GRAIN_SECONDS))
                self._write(moment, sheet, "grain", onset, length, stream.between(60, 96), stream.uniform(0.2, 0.4))

    def on_change(self, changed: frozenset[str], moment: Moment, sheet: Manuscript) -> None:
        """Nothing to do: texture has no pitch, and each slot reads the intensity."""

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
            velocity=velocity + 0.1 * moment.density(),
            chord_index=moment.chord_at(onset).index,
            unpitched=True,
        )

"""Quotes: where the melody is silent, bells or loops remember the motif whose turn it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from auralisd.composition import bells, loops
from auralisd.composition.chance import Stream
from auralisd.composition.manuscript import Manuscript
from auralisd.composition.moment import Moment, SoundingChord, seconds
from auralisd.composition.motif import SLOT_FRAMES, Motif, motif_due, slot_at

QUOTE_SECONDS: Final = 10
"""Longer than any quote takes; with less before the section's end none is begun."""

_ANCHORS: Final = {bells.LAYER: 78, loops.LAYER: 66}
_RANGES: Final = {bells.LAYER: bells.RANGE, loops.LAYER: loops.RANGE}
_RING_SECONDS: Final = {bells.LAYER: (2.5, 4.5), loops.LAYER: (3.0, 5.0)}
_SPEAKING_SECONDS: Final = (5.5, 8.0)
_SOONEST_SECONDS: Final = 4
_LATEST_IN_SLOT_SECONDS: Final = 12
_FEWEST_NOTES: Final = 3
_REST: Final = 1 << 62


@dataclass(slots=True)
class QuotePlayer:
    """States the motif of each slot of the timetable once, slowly, in its plain shape.

    Attributes:
        due: when the next note, or the next quote, begins.
        motif: what is being quoted, None between quotes.
        place: how many of its notes have sounded.
        length: how many of them will.
        pitch: of the last one.
        wait_frames: how long one unit of the motif's rhythm takes.
    """

    due: int = _REST
    motif: Motif | None = None
    place: int = 0
    length: int = 0
    pitch: int = 0
    wait_frames: int = 0

    def start_section(self, moment: Moment, sheet: Manuscript) -> None:  # noqa: ARG002 - the players' contract
        """Begin with the motif whose turn it is, unless there is a melody to state it."""
        self.motif, self.due = None, _REST
        if not moment.plays("melody"):
            self._await_slot(moment, slot_at(moment.now))

    def wake_frames(self, moment: Moment) -> int:
        """At the next note."""
        return max(moment.now, self.due)

    def act(self, moment: Moment, sheet: Manuscript) -> None:
        """Begin a quote, or go on with it."""
        if self.motif is None:
            if moment.section_end - moment.now < seconds(QUOTE_SECONDS):
                self.due = _REST
                return
            if moment.breath is not None and moment.breathes():
                self.due = moment.breath[1] + seconds(1)
                return
            self._begin(moment)
        assert self.motif is not None
        layer = bells.LAYER if moment.plays(bells.LAYER) else loops.LAYER
        stream = moment.chance.stream("quoted note", slot_at(moment.now), self.place)
        chord = moment.chord_at(moment.now)
        self.pitch = self._pitch(moment, layer, chord)
        self._write(moment, sheet, layer, chord, stream)
        self.due = moment.now + self.motif.lengths[self.place] * self.wait_frames
        self.place += 1
        if self.place == self.length:
            self.motif = None
            self._await_slot(moment, moment.stated_slot + 1)

    def on_change(self, changed: frozenset[str], moment: Moment, sheet: Manuscript) -> None:  # noqa: ARG002
        """Go on from the same degree of a new region; all else each note reads when it comes."""
        if changed & {"key", "mode"} and self.pitch:
            layer = bells.LAYER if moment.plays(bells.LAYER) else loops.LAYER
            self.pitch = moment.left.carried(self.pitch, moment.region, _RANGES[layer])

    def _await_slot(self, moment: Moment, slot: int) -> None:
        soonest = moment.now + seconds(_SOONEST_SECONDS)
        if soonest >= (slot + 1) * SLOT_FRAMES:
            slot += 1
        offset = moment.chance.stream("quote", slot).below(seconds(_LATEST_IN_SLOT_SECONDS))
        self.due = max(soonest, slot * SLOT_FRAMES + offset)

    def _begin(self, moment: Moment) -> None:
        stream = moment.chance.stream("quote pace", slot_at(moment.now))
        moment.stated_slot = slot_at(moment.now)
        self.motif = motif_due(moment.chance, moment.now)
        self.place = 0
        self.length = min(len(self.motif.lengths), _FEWEST_NOTES + int(4 * moment.density()))
        speaking = seconds(stream.uniform(*_SPEAKING_SECONDS))
        self.wait_frames = speaking // sum(self.motif.lengths[: self.length - 1])

    def _pitch(self, moment: Moment, layer: str, chord: SoundingChord) -> int:
        """Where the motif goes in the layer's register; it begins and ends on a tone of the chord."""
        assert self.motif is not None
        low, high = _RANGES[layer]
        wished = _ANCHORS[layer] + moment.section.archetype.register_semitones
        if self.place:
            step, interval = moment.region.step_near(self.pitch), self.motif.intervals[self.place]
            wished = moment.region.pitch_of_step(step + interval)
            if not low <= wished <= high:
                wished = moment.region.pitch_of_step(step - interval)
        inner = 0 < self.place < self.length - 1
        return min(
            (
                pitch
                for pitch in range(low, high + 1)
                if (moment.region.contains(pitch) if inner else pitch % 12 in chord.harmony.core)
            ),
            key=lambda pitch: (abs(pitch - wished), pitch),
        )

    def _write(self, moment: Moment, sheet: Manuscript, layer: str, chord: SoundingChord, stream: Stream) -> None:
        assert self.motif is not None
        duration = seconds(stream.uniform(*_RING_SECONDS[layer]))
        if not moment.next_region.contains(self.pitch):
            duration = min(duration, moment.section_end - moment.now)
        sheet.note(
            layer=layer,
            role="quote",
            onset_frames=moment.now,
            duration_frames=duration,
            pitch_midi=self.pitch,
            velocity=0.28 + 0.13 * moment.density() + stream.uniform(-0.04, 0.04),
            cents=stream.uniform(-3.0, 3.0),
            phrase=moment.stated_slot,
            motif=self.motif.number,
            chord_index=chord.index,
        )

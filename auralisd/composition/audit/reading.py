"""A piece laid open on the desk: what several rules ask about it, worked out once."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

from auralisd.composition.harmony import Harmony, harmony
from auralisd.composition.pitch import Region, region
from auralisd.composition.quota import Kind
from auralisd.controls import KEYS, SCORE_CONTROLS, Controls
from auralisd.score import Note, ScoreSlice
from auralisd.units import SAMPLE_RATE_HZ

HOUR_FRAMES: Final = 3600 * SAMPLE_RATE_HZ
SILENCE_GRID_FRAMES: Final = SAMPLE_RATE_HZ // 4

BREATH_FRAMES: Final = 2 * SAMPLE_RATE_HZ
"""A shorter silence is a gap between notes, not a rest of the whole ensemble."""

_NEARLY_FRAMES: Final = 10 * SAMPLE_RATE_HZ
"""A piece read from a file ends with its last bar line: that much may be missing from a whole hour."""

_SETTLING_FRAMES: Final = 5 * SAMPLE_RATE_HZ
"""Until a change of controls has worked itself out: within so long each one is heard, by a chord that comes sooner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """A stretch of music in one region.

    Attributes:
        place: where.
        start_frames: onset of its first chord.
        end_frames: onset of the first chord elsewhere, or the end of the piece.
        whole: begun and ended by the form; not by a control, and not cut off by the piece's own ends.
    """

    place: Region
    start_frames: int
    end_frames: int
    whole: bool


@dataclass
class Reading:
    """A piece and what its judge was told about it.

    Attributes:
        piece: from ``score.joined`` or a file; it must hold a chord.
        controls: in force where the piece begins; None if nobody knows (an event stream does not say).
        rejoined: the same music composed from a cold start, from its own ``start_frames`` on; None if not to be had.
    """

    piece: ScoreSlice
    controls: Controls | None = None
    rejoined: ScoreSlice | None = field(default=None, repr=False)

    # -- harmony --------------------------------------------------------------------------------

    @cached_property
    def harmonies(self) -> list[Harmony]:
        """The harmony of each chord."""
        return [
            harmony(region(KEYS.index(chord.tonic), chord.mode), chord.degree, chord.quality)
            for chord in self.piece.chords
        ]

    @cached_property
    def chord_onsets(self) -> list[int]:
        """When each chord begins."""
        return [chord.onset_frames for chord in self.piece.chords]

    def harmony_at(self, frame: int) -> Harmony:
        """What sounds at a frame."""
        return self.harmonies[max(0, bisect_right(self.chord_onsets, frame) - 1)]

    def kind(self, note: Note) -> Kind:
        """What a note is to the chord it meets."""
        met = self.harmony_at(note.onset_frames)
        if not met.region.contains(note.pitch_midi):
            return Kind.NEIGHBOUR
        return Kind.CHORD if note.pitch_midi % 12 in met.core else Kind.SCALE

    @cached_property
    def stays(self) -> list[Stay]:
        """The regions the piece passes through, in order."""
        onsets = [
            chord.onset_frames
            for place, chord in enumerate(self.piece.chords)
            if place == 0 or self.harmonies[place].region != self.harmonies[place - 1].region
        ]
        ends = [*onsets[1:], self.piece.end_frames]
        return [
            Stay(
                place=self.harmony_at(start).region,
                start_frames=start,
                end_frames=end,
                whole=(start == 0 or place > 0) and end != ends[-1] and not self.touched(start, end),
            )
            for place, (start, end) in enumerate(zip(onsets, ends, strict=True))
        ]

    # -- notes ----------------------------------------------------------------------------------

    @cached_property
    def pitched(self) -> list[Note]:
        """All notes but percussion and texture."""
        return [note for note in self.piece.notes if not note.unpitched]

    @cached_property
    def melody(self) -> list[Note]:
        """The notes of the melody."""
        return [note for note in self.piece.notes if note.layer == "melody"]

    @cached_property
    def melody_kinds(self) -> list[Kind]:
        """What each of them is; a neighbour is what is declared one."""
        return [Kind.NEIGHBOUR if note.role == "neighbour" else self.kind(note) for note in self.melody]

    @cached_property
    def phrases(self) -> list[list[Note]]:
        """The melody, phrase by phrase."""
        phrases: dict[tuple[int, int], list[Note]] = {}
        for note in self.melody:
            phrases.setdefault((self.section_place(note.onset_frames), note.phrase), []).append(note)
        return list(phrases.values())

    @cached_property
    def silences(self) -> list[tuple[int, int]]:
        """From when to when nothing but the drone sounds, on a grid of a quarter of a second."""
        return self._without([note for note in self.piece.notes if note.layer != "drone"])

    @cached_property
    def pad_rests(self) -> list[tuple[int, int]]:
        """From when to when the pad has left, on the same grid."""
        return self._without([note for note in self.piece.notes if note.layer == "pad"])

    def _without(self, notes: list[Note]) -> list[tuple[int, int]]:
        """From when to when none of some notes sounds."""
        start, end = self.piece.start_frames, self.piece.end_frames
        steps = max(0, end - start) // SILENCE_GRID_FRAMES
        sounding = bytearray(steps)
        for note in notes:
            first = max(0, (note.onset_frames - start) // SILENCE_GRID_FRAMES)
            last = min(steps, (note.onset_frames + note.duration_frames - start) // SILENCE_GRID_FRAMES + 1)
            sounding[first:last] = b"\x01" * max(0, last - first)
        found = []
        place = sounding.find(0)
        while place >= 0:
            until = sounding.find(1, place)
            until = steps if until < 0 else until
            found.append((start + place * SILENCE_GRID_FRAMES, start + until * SILENCE_GRID_FRAMES))
            place = sounding.find(0, until)
        return found

    def breathes(self, start_frames: int, end_frames: int) -> bool:
        """Whether the ensemble leaves off for a while between two frames: its pad does."""
        return any(
            start < end_frames and end > start_frames and end - start >= BREATH_FRAMES for start, end in self.pad_rests
        )

    # -- time -----------------------------------------------------------------------------------

    @property
    def frames(self) -> int:
        """How long the piece is."""
        return self.piece.end_frames - self.piece.start_frames

    def lasts(self, frames: int) -> bool:
        """Whether the piece is as long as that."""
        return self.frames >= frames - _NEARLY_FRAMES

    @cached_property
    def hours(self) -> list[tuple[int, int]]:
        """The whole hours of the piece, counted from its beginning."""
        start = self.piece.start_frames
        count = (self.frames + _NEARLY_FRAMES) // HOUR_FRAMES
        return [(start + hour * HOUR_FRAMES, start + (hour + 1) * HOUR_FRAMES) for hour in range(count)]

    @cached_property
    def _section_onsets(self) -> list[int]:
        return [section.onset_frames for section in self.piece.sections]

    def section_place(self, frame: int) -> int:
        """Which of the piece's sections a frame lies in; -1 before the first."""
        return bisect_right(self._section_onsets, frame) - 1

    # -- controls -------------------------------------------------------------------------------

    @cached_property
    def _control_frames(self) -> list[int]:
        return [change.at_frames for change in self.piece.controls if SCORE_CONTROLS & change.changed.keys()]

    def touched(self, start_frames: int, end_frames: int) -> bool:
        """Whether somebody was at the score's controls between two frames, or so shortly before that it still shows."""
        first = bisect_left(self._control_frames, start_frames - _SETTLING_FRAMES)
        return first < len(self._control_frames) and self._control_frames[first] <= end_frames

    def control_at(self, name: str, frame: int) -> Any:
        """The value of a control at a frame, None if nobody knows."""
        value = getattr(self.controls, name) if self.controls is not None else None
        for change in self.piece.controls:
            if change.at_frames > frame:
                break
            value = change.changed.get(name, value)
        return value

    def steady(self, name: str) -> Any:
        """The value of a control that nobody touches throughout, None if somebody does or nobody knows."""
        touched = any(name in change.changed for change in self.piece.controls)
        return None if touched or self.controls is None else getattr(self.controls, name)

    def home_at(self, frame: int) -> Region | None:
        """The region that key and mode name, None if nobody knows."""
        if self.controls is not None:
            key, mode = self.controls.key, self.controls.mode
        elif self.piece.start_frames == 0:
            key, mode = self.piece.chords[0].tonic, self.piece.chords[0].mode  # home comes first
        else:
            return None
        for change in self.piece.controls:
            if change.at_frames <= frame:
                key, mode = change.changed.get("key", key), change.changed.get("mode", mode)
        return region(KEYS.index(key), mode)


def pairs_of_chords(reading: Reading) -> list[tuple[int, Harmony, Harmony]]:
    """Each change of harmony: its frame, what was, what comes."""
    onsets = [chord.onset_frames for chord in reading.piece.chords]
    return [(at, before, after) for at, (before, after) in zip(onsets[1:], pairwise(reading.harmonies), strict=True)]

"""Where players write: events wait here until their time has come to be handed out."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from auralisd.composition.pitch import Region
from auralisd.controls import LAYERS
from auralisd.score import Bar, Chord, ControlChange, Note, Reason, Release, ScoreSlice, Section
from auralisd.units import SAMPLE_RATE_HZ

VELOCITY_RANGE: Final = (0.2, 0.8)
NOTES_PER_SECTION: Final = 100_000  # numbers reserved per layer and section

_LATEST_LOOK_BACK_FRAMES: Final = 10 * SAMPLE_RATE_HZ  # nobody asks for notes that ended longer ago

type _Event = Note | Release | Chord | Section | Bar | ControlChange | Reason

_LAYER_ORDER: Final = {layer: place for place, layer in enumerate(LAYERS)}
_KINDS: Final = (ControlChange, Section, Bar, Chord, Release, Reason, Note)


def _frame(event: _Event) -> int:
    if isinstance(event, Release | ControlChange):
        return event.at_frames
    return event.position if isinstance(event, Reason) else event.onset_frames


class Manuscript:
    """Events to come, sorted, and the notes that sound."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, int, _Event]] = []
        self._serial = 0
        self._sounding: tuple[Note, ...] = ()
        self._counts: dict[str, int] = {}
        self._section = 0

    def copy(self) -> Manuscript:
        """An independent manuscript with the same contents."""
        twin = Manuscript()
        twin._waiting = self._waiting.copy()
        twin._serial = self._serial
        twin._sounding = self._sounding
        twin._counts = self._counts.copy()
        twin._section = self._section
        return twin

    def open_section(self, index: int, at_frames: int) -> None:
        """Begin a section: what the last one had still in mind is dropped, numbering starts afresh."""
        self._waiting = [row for row in self._waiting if not isinstance(row[3], Note) or row[0] < at_frames]
        heapq.heapify(self._waiting)
        self._sounding = tuple(
            note for note in self._sounding if note.onset_frames < at_frames < note.onset_frames + note.duration_frames
        )
        self._counts = {}
        self._section = index

    def write(self, event: _Event) -> None:
        """Put down a chord, section, bar, change or reason."""
        self._serial += 1
        heapq.heappush(self._waiting, (_frame(event), _KINDS.index(type(event)), self._serial, event))

    def note(
        self,
        *,
        layer: str,
        role: str,
        onset_frames: int,
        duration_frames: int,
        pitch_midi: int,
        velocity: float,
        cents: float = 0.0,
        phrase: int = 0,
        motif: int = -1,
        chord_index: int = 0,
        unpitched: bool = False,
    ) -> Note:
        """Put down a note; velocity is kept within ``VELOCITY_RANGE``."""
        count = self._counts.get(layer, 0)
        self._counts[layer] = count + 1
        note = Note(
            note_id=self._section * NOTES_PER_SECTION + count,
            onset_frames=onset_frames,
            duration_frames=max(1, duration_frames),
            pitch_midi=pitch_midi,
            velocity=round(min(max(velocity, VELOCITY_RANGE[0]), VELOCITY_RANGE[1]), 3),
            layer=layer,
            role=role,
            cents=round(cents, 1),
            phrase=phrase,
            motif=motif,
            chord_index=chord_index,
            unpitched=unpitched,
        )
        self._sounding = (*self._sounding, note)
        self.write(note)
        return note

    def sounding(self, layer: str, at_frames: int) -> tuple[Note, ...]:
        """The notes of a layer that have begun before ``at_frames`` and go on past it."""
        return tuple(
            note
            for note in self._sounding
            if note.layer == layer and note.onset_frames < at_frames < note.onset_frames + note.duration_frames
        )

    def waiting(self, layer: str, from_frames: int) -> tuple[Note, ...]:
        """The notes of a layer that are put down and begin at ``from_frames`` or later."""
        return tuple(note for note in self._sounding if note.layer == layer and note.onset_frames >= from_frames)

    def latest(self, layer: str, before_frames: int) -> Note | None:
        """The note of a layer that began last before a frame, if that was not long ago."""
        begun = (note for note in self._sounding if note.layer == layer and note.onset_frames < before_frames)
        return max(begun, key=lambda note: (note.onset_frames, note.note_id), default=None)

    def held(self, at_frames: int) -> tuple[Note, ...]:
        """Every note begun before ``at_frames`` that goes on past it, oldest first."""
        held = (note for layer in LAYERS for note in self.sounding(layer, at_frames))
        return tuple(sorted(held, key=lambda note: (note.onset_frames, _LAYER_ORDER[note.layer], note.note_id)))

    def release(self, note: Note, at_frames: int) -> None:
        """End a sounding note early, now or later."""
        shortened = replace(note, duration_frames=max(1, at_frames - note.onset_frames))
        self._sounding = tuple(shortened if n == note else n for n in self._sounding)
        self.write(Release(layer=note.layer, note_id=note.note_id, at_frames=at_frames))

    def withdraw(self, layer: str, from_frames: int) -> None:
        """Take back the notes of a layer that have not begun by ``from_frames``."""
        self._rewrite(lambda note: None if note.layer == layer else note, from_frames)

    def withdraw_chords(self, from_frames: int) -> None:
        """Take back the chords that have not begun by ``from_frames``."""
        self._waiting = [row for row in self._waiting if not isinstance(row[3], Chord) or row[0] < from_frames]
        heapq.heapify(self._waiting)

    def withdraw_reasons(self, cause: str, after_frames: int) -> None:
        """Take back what would be told with a cause after ``after_frames``: it will not be heard."""
        self._waiting = [
            row
            for row in self._waiting
            if not (isinstance(row[3], Reason) and row[3].cause == cause and row[0] > after_frames)
        ]
        heapq.heapify(self._waiting)

    def carry(self, carried: Callable[[Note], Note], from_frames: int) -> None:
        """Put what has not begun by ``from_frames`` where ``carried`` says."""
        self._rewrite(carried, from_frames)

    def release_strangers(self, arrived: Region, at_frames: int) -> None:
        """End what sounds at ``at_frames`` and does not belong to ``arrived``."""
        for note in self._sounding:
            begun_and_not_over = note.onset_frames < at_frames < note.onset_frames + note.duration_frames
            if begun_and_not_over and not note.unpitched and not arrived.contains(note.pitch_midi):
                self.release(note, at_frames)

    def _rewrite(self, change: Callable[[Note], Note | None], from_frames: int) -> None:
        waiting = []
        for row in self._waiting:
            event: _Event | None = row[3]
            if isinstance(event, Note) and event.onset_frames >= from_frames:
                event = change(event)
            if event is not None:
                waiting.append((*row[:3], event))
        self._waiting = waiting
        heapq.heapify(self._waiting)
        kept = (n if n.onset_frames < from_frames else change(n) for n in self._sounding)
        self._sounding = tuple(note for note in kept if note is not None)

    def take(self, start_frames: int, until_frames: int) -> ScoreSlice:
        """Hand out everything before ``until_frames``."""
        over_frames = start_frames - _LATEST_LOOK_BACK_FRAMES
        self._sounding = tuple(n for n in self._sounding if n.onset_frames + n.duration_frames > over_frames)
        taken: dict[type, list[_Event]] = {kind: [] for kind in _KINDS}
        while self._waiting and self._waiting[0][0] < until_frames:
            event = heapq.heappop(self._waiting)[3]
            taken[type(event)].append(event)
        notes = [event for event in taken[Note] if isinstance(event, Note)]
        notes.sort(key=lambda note: (note.onset_frames, _LAYER_ORDER[note.layer], note.note_id))
        return ScoreSlice(
            start_frames=start_frames,
            end_frames=until_frames,
            notes=tuple(notes),
            releases=tuple(event for event in taken[Release] if isinstance(event, Release)),
            chords=tuple(event for event in taken[Chord] if isinstance(event, Chord)),
            sections=tuple(event for event in taken[Section] if isinstance(event, Section)),
            bars=tuple(event for event in taken[Bar] if isinstance(event, Bar)),
            controls=tuple(event for event in taken[ControlChange] if isinstance(event, ControlChange)),
            reasons=tuple(event for event in taken[Reason] if isinstance(event, Reason)),
        )

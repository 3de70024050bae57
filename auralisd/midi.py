"""The score as a Standard MIDI File that a DAW opens well.

Format 1: a conductor's track with metre, tempo map, key signatures and markers, then one named track per
layer. Bars of the score are bars of the file, and every onset lies within a tick of the score's frame.

Cents are left out, deliberately: they are 4 at most, for beating between voices rather than for pitch, and a
bend would move every other note of its channel too.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from types import MappingProxyType
from typing import BinaryIO, Final

import mido

from auralisd.controls import KEYS, LAYERS
from auralisd.score import Bar, Chord, Note, ScoreSlice, Section
from auralisd.units import SAMPLE_RATE_HZ, beat_frames

TICKS_PER_BEAT: Final = 960
BEATS_PER_BAR: Final = 4
PERCUSSION_CHANNEL: Final = 9  # the tenth, as General MIDI has it

_TICKS_PER_BAR = TICKS_PER_BEAT * BEATS_PER_BAR
_PICKUP_NOTE = 32  # a piece that begins within a bar begins with a short bar of so many-th notes
_MICROSECONDS = 1_000_000
_DEFAULT_TEMPO_BPM = 60.0
_MOST_DRIFT_TICKS = 0.2
"""How far the file's clock may leave the score's before the tempo is nudged by a microsecond a beat."""

_CHANNELS: Final[Mapping[str, int]] = MappingProxyType(
    {layer: PERCUSSION_CHANNEL if layer == "percussion" else channel for channel, layer in enumerate(LAYERS)}
)
_PROGRAMS: Final[Mapping[str, tuple[int, str]]] = MappingProxyType(
    {
        "drone": (95, "Pad 8 (sweep)"),
        "pad": (89, "Pad 2 (warm)"),
        "loops": (4, "Electric Piano 1"),
        "melody": (11, "Vibraphone"),
        "bells": (14, "Tubular Bells"),
        "texture": (122, "Seashore"),
    }
)
"""General MIDI programs, counted from 0, and their names."""

_DRUMS: Final[Mapping[str, Mapping[int, int]]] = MappingProxyType({"swell": MappingProxyType({60: 59})})
"""Where General MIDI has another sound under a number of ours: a swell is a ride cymbal, not a bongo."""

_SEMITONES_ABOVE_PARENT: Final[Mapping[str, int]] = MappingProxyType(
    {"ionian": 0, "dorian": 2, "phrygian": 4, "lydian": 5, "mixolydian": 7, "aeolian": 9}
)
_MAJOR: Final = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_MINOR_OF_MAJOR: Final = ("Am", "Bbm", "Bm", "Cm", "C#m", "Dm", "D#m", "Em", "Fm", "F#m", "Gm", "G#m")

type _Timed = tuple[int, int, mido.Message | mido.MetaMessage]
"""Tick, order within the tick, message."""


def write_midi(piece: ScoreSlice, file: BinaryIO) -> None:
    """Write ``piece`` (pass several slices through ``score.joined`` first) as a MIDI file of format 1.

    Time 0 of the file is ``piece.start_frames``.

    Raises:
        OSError: the file cannot be written.
    """
    grid = TickGrid(piece)
    midi = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    midi.tracks.append(_track("auralisd", [*grid.tempo_map(), *_signs(piece, grid)]))
    for layer in LAYERS:
        notes = [note for note in piece.notes if note.layer == layer]
        if notes:
            midi.tracks.append(_track(layer.capitalize(), _layer_messages(layer, notes, grid)))
    midi.save(file=file)


def key_signature(tonic: str, mode: str) -> str:
    """The signature with the same seven tones: the relative major, for aeolian its own minor."""
    major = (KEYS.index(tonic) - _SEMITONES_ABOVE_PARENT[mode]) % 12
    return _MINOR_OF_MAJOR[major] if mode == "aeolian" else _MAJOR[major]


class TickGrid:
    """Frames to ticks, so that every bar of the score is a bar of the file.

    Within a bar time is linear. A piece that begins within a bar begins with a pickup: a bar of as many
    thirty-second notes as come nearest to the tempo.
    """

    def __init__(self, piece: ScoreSlice) -> None:
        """Lay the bar lines of ``piece`` on ticks."""
        bars: Sequence[Bar] = sorted(piece.bars, key=lambda bar: bar.onset_frames)
        starts = [bar.onset_frames for bar in bars]
        tempi = [bar.tempo_bpm for bar in bars] or [_DEFAULT_TEMPO_BPM]
        widths = [_TICKS_PER_BAR] * len(starts)
        self._pickup = 0
        if not starts:
            starts, widths = [piece.start_frames], [_TICKS_PER_BAR]
        elif starts[0] > piece.start_frames:
            shares = _PICKUP_NOTE * (starts[0] - piece.start_frames) / _bar_frames(tempi[0])
            self._pickup = min(_PICKUP_NOTE, max(1, round(shares)))
            starts.insert(0, piece.start_frames)
            tempi.insert(0, tempi[0])
            widths.insert(0, self._pickup * _TICKS_PER_BAR // _PICKUP_NOTE)
        self._starts, self._tempi, self._widths = starts, tempi, widths
        self._lengths = [*(later - earlier for earlier, later in pairwise(starts)), round(_bar_frames(tempi[-1]))]
        self._ticks = list(accumulate(widths[:-1], initial=0))

    def tick(self, frame: int) -> int:
        """The tick nearest to a frame; never before the first."""
        bar = max(0, bisect_right(self._starts, frame) - 1)
        within = max(0, frame - self._starts[bar]) * self._widths[bar] / self._lengths[bar]
        return self._ticks[bar] + round(within)

    def tempo_map(self) -> Iterator[_Timed]:
        """The metre, and a tempo wherever the bars ask for another one.

        A file counts whole microseconds a beat, which would add up to several ticks in a night. Where its clock
        has drifted by a fifth of a tick, the tempo goes to the neighbouring microsecond, which leads it back.
        """
        if self._pickup:
            yield 0, 0, _metre(self._pickup, _PICKUP_NOTE)
        yield self._ticks[1] if self._pickup else 0, 0, _metre(BEATS_PER_BAR, 4)
        tempo, late = 0, 0.0
        for bar, length in enumerate(self._lengths):
            beats = self._widths[bar] / TICKS_PER_BEAT
            lasts = length * _MICROSECONDS / SAMPLE_RATE_HZ
            most_drift = _MOST_DRIFT_TICKS * lasts / self._widths[bar]
            if abs(late + tempo * beats - lasts) > most_drift:
                even = 60 * _MICROSECONDS / self._tempi[bar]
                if abs(even * beats - lasts) > most_drift:  # within this bar the tempo slews
                    even = (lasts - late) / beats
                tempo = min(int(even), int(even) + 1, key=lambda one: abs(late + one * beats - lasts))
                yield self._ticks[bar], 0, mido.MetaMessage("set_tempo", tempo=max(1, tempo))
            late += tempo * beats - lasts


def _bar_frames(tempo_bpm: float) -> float:
    return beat_frames(tempo_bpm) * BEATS_PER_BAR


def _metre(numerator: int, denominator: int) -> mido.MetaMessage:
    return mido.MetaMessage("time_signature", numerator=numerator, denominator=denominator)


def _signs(piece: ScoreSlice, grid: TickGrid) -> Iterator[_Timed]:
    """Markers for sections and chords; a key signature and its mode's name wherever the region changes."""
    openings = {section.onset_frames: section for section in piece.sections}
    place, signature = None, None
    for chord in piece.chords:
        tick = grid.tick(chord.onset_frames)
        moved = (chord.tonic, chord.mode) != place
        place = chord.tonic, chord.mode
        section = openings.pop(chord.onset_frames, None)
        if moved or section is not None:
            yield tick, 1, mido.MetaMessage("marker", text=_heading(section, chord))
        if moved:
            now = key_signature(*place)
            yield tick, 2, mido.MetaMessage("text", text=f"{chord.tonic} {chord.mode}, the tones of {_in_words(now)}")
            if now != signature:
                yield tick, 2, mido.MetaMessage("key_signature", key=now)
            signature = now
        yield tick, 3, mido.MetaMessage("marker", text=chord.name)
    for section in openings.values():  # a control moved its first chord
        yield grid.tick(section.onset_frames), 1, mido.MetaMessage("marker", text=_heading(section, None))


def _heading(section: Section | None, chord: Chord | None) -> str:
    """As much as is new of: "Settle in D dorian (drone, pad, melody)"."""
    parts = [section.archetype.capitalize()] if section is not None else []
    if chord is not None:
        parts.append(f"in {chord.tonic} {chord.mode}" if parts else f"{chord.tonic} {chord.mode}")
    if section is not None:
        parts.append(f"({', '.join(section.layers)})")
    return " ".join(parts)


def _in_words(signature: str) -> str:
    return f"{signature.removesuffix('m')} {'minor' if signature.endswith('m') else 'major'}"


def _layer_messages(layer: str, notes: Sequence[Note], grid: TickGrid) -> Iterator[_Timed]:
    channel = _CHANNELS[layer]
    if layer in _PROGRAMS:
        program, name = _PROGRAMS[layer]
        yield 0, 0, mido.MetaMessage("instrument_name", name=name)
        yield 0, 0, mido.Message("program_change", channel=channel, program=program)
    for start, end, note in _keystrokes(notes, grid):
        pitch = _DRUMS.get(note.role, {}).get(note.pitch_midi, note.pitch_midi)
        velocity = min(127, max(1, round(note.velocity * 127)))
        yield start, 2, mido.Message("note_on", channel=channel, note=pitch, velocity=velocity)
        yield end, 1, mido.Message("note_off", channel=channel, note=pitch, velocity=64)


def _keystrokes(notes: Sequence[Note], grid: TickGrid) -> Iterator[tuple[int, int, Note]]:
    """When each key goes down and up: it is down once at a time, and lifted just before it is struck again."""
    by_pitch: dict[int, list[Note]] = {}
    for note in sorted(notes, key=lambda note: (note.onset_frames, note.note_id)):
        by_pitch.setdefault(note.pitch_midi, []).append(note)
    for struck in by_pitch.values():
        starts: list[int] = []
        for note in struck:  # two at the very same tick are struck one after the other
            starts.append(max(grid.tick(note.onset_frames), starts[-1] + 1 if starts else 0))
        for note, start, following in zip(struck, starts, [*starts[1:], None], strict=True):
            end = max(start + 1, grid.tick(note.onset_frames + note.duration_frames))
            yield start, end if following is None else min(end, following), note


def _track(name: str, timed: Iterable[_Timed]) -> mido.MidiTrack:
    """Messages in order of time, with the delta times a file holds."""
    track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
    clock = 0
    for tick, _, message in sorted(timed, key=lambda entry: entry[:2]):
        track.append(message.copy(time=tick - clock))
        clock = tick
    track.append(mido.MetaMessage("end_of_track"))
    return track

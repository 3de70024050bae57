"""The score as a Standard MIDI File that a DAW opens well.

One track per layer, and a first one with tempo map, key signatures, and markers for
sections and chord names. Bars of the score are bars of the file.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import BinaryIO, Final

import mido

from auralisd.controls import KEYS, LAYERS
from auralisd.score import Bar, Chord, Note, ScoreSlice
from auralisd.units import SAMPLE_RATE_HZ, beat_frames

TICKS_PER_BEAT: Final = 480
BEATS_PER_BAR: Final = 4

_TICKS_PER_BAR = TICKS_PER_BEAT * BEATS_PER_BAR
_DEFAULT_TEMPO_BPM = 60.0
_CHANNELS: Final[Mapping[str, int]] = MappingProxyType(
    {layer: 9 if layer == "percussion" else channel for channel, layer in enumerate(LAYERS)}
)
_PROGRAMS: Final[Mapping[str, int]] = MappingProxyType(
    {"drone": 94, "pad": 89, "loops": 88, "melody": 11, "bells": 14, "texture": 122}
)
"""General MIDI, counted from 0: halo pad, warm pad, new age pad, vibraphone, tubular bells, seashore."""

_SEMITONES_ABOVE_PARENT: Final[Mapping[str, int]] = MappingProxyType(
    {"ionian": 0, "dorian": 2, "phrygian": 4, "lydian": 5, "mixolydian": 7, "aeolian": 9}
)
_SIGNATURES: Final = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")

type _Timed = tuple[int, int, mido.Message | mido.MetaMessage]
"""Tick, order within the tick, message."""


def write_midi(piece: ScoreSlice, file: BinaryIO) -> None:
    """Write ``piece`` (pass several slices through ``score.joined`` first) as a type 1 MIDI file.

    Time 0 of the file is ``piece.start_frames``. Fine tuning in cents is left out: a bend
    would move every note of its channel.

    Raises:
        OSError: the file cannot be written.
    """
    grid = _TickGrid(piece)
    midi = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    midi.tracks.append(_track("auralisd", [*grid.tempo_map(), *_signs(piece, grid)]))
    for layer in LAYERS:
        notes = [note for note in piece.notes if note.layer == layer]
        if notes:
            midi.tracks.append(_track(layer, _layer_messages(layer, notes, grid)))
    midi.save(file=file)


class _TickGrid:
    """Frames to ticks, so that every bar of the score begins on a bar of the file.

    Within a bar time is linear; what lies before the first bar line becomes a bar of its own.
    """

    def __init__(self, piece: ScoreSlice) -> None:
        bars: Sequence[Bar] = sorted(piece.bars, key=lambda bar: bar.onset_frames)
        starts = [bar.onset_frames for bar in bars]
        if not starts or starts[0] > piece.start_frames:
            starts.insert(0, piece.start_frames)
        tempo = bars[-1].tempo_bpm if bars else _DEFAULT_TEMPO_BPM
        lengths = [later - earlier for earlier, later in pairwise(starts)]
        self._starts = starts
        self._lengths = [*lengths, round(beat_frames(tempo) * BEATS_PER_BAR)]

    def tick(self, frame: int) -> int:
        """The tick nearest to a frame; never before the first."""
        bar = max(0, bisect_right(self._starts, frame) - 1)
        within = max(0, frame - self._starts[bar]) * _TICKS_PER_BAR / self._lengths[bar]
        return bar * _TICKS_PER_BAR + round(within)

    def tempo_map(self) -> Iterable[_Timed]:
        """The metre, and a tempo wherever a bar is not as long as the one before."""
        yield 0, 0, mido.MetaMessage("time_signature", numerator=BEATS_PER_BAR, denominator=4)
        before = None
        for bar, length in enumerate(self._lengths):
            tempo = max(1, round(length * 1_000_000 / SAMPLE_RATE_HZ / BEATS_PER_BAR))
            if tempo != before:
                yield bar * _TICKS_PER_BAR, 0, mido.MetaMessage("set_tempo", tempo=tempo)
            before = tempo


def _signs(piece: ScoreSlice, grid: _TickGrid) -> Iterable[_Timed]:
    """Key signatures, section markers and chord names."""
    for section in piece.sections:
        text = f"{section.archetype.capitalize()} ({', '.join(section.layers)})"
        yield grid.tick(section.onset_frames), 1, mido.MetaMessage("marker", text=text)
    signature = None
    for chord in piece.chords:
        tick = grid.tick(chord.onset_frames)
        if (now := _signature(chord)) != signature:
            yield tick, 1, mido.MetaMessage("key_signature", key=now)
            signature = now
        yield tick, 2, mido.MetaMessage("marker", text=chord.name)


def _signature(chord: Chord) -> str:
    """The major key with the same tones: what a signature can say of a mode."""
    return _SIGNATURES[(KEYS.index(chord.tonic) - _SEMITONES_ABOVE_PARENT[chord.mode]) % 12]


def _layer_messages(layer: str, notes: Sequence[Note], grid: _TickGrid) -> Iterable[_Timed]:
    channel = _CHANNELS[layer]
    if layer in _PROGRAMS:
        yield 0, 0, mido.Message("program_change", channel=channel, program=_PROGRAMS[layer])
    next_onset: dict[int, int] = {}
    for note in sorted(notes, key=lambda note: note.onset_frames, reverse=True):
        start = grid.tick(note.onset_frames)
        end = max(start + 1, grid.tick(note.onset_frames + note.duration_frames))
        # A key can only be down once: where the same pitch sounds again, it is lifted just before.
        end = min(end, max(start + 1, next_onset.get(note.pitch_midi, end)))
        next_onset[note.pitch_midi] = start
        velocity = min(127, max(1, round(note.velocity * 127)))
        yield start, 2, mido.Message("note_on", channel=channel, note=note.pitch_midi, velocity=velocity)
        yield end, 1, mido.Message("note_off", channel=channel, note=note.pitch_midi, velocity=64)


def _track(name: str, timed: Iterable[_Timed]) -> mido.MidiTrack:
    """Messages in order of time, with the delta times a file holds."""
    track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
    clock = 0
    for tick, _, message in sorted(timed, key=lambda entry: entry[:2]):
        track.append(message.copy(time=tick - clock))
        clock = tick
    track.append(mido.MetaMessage("end_of_track"))
    return track

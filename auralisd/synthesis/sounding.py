"""A note that sounds, and all of them as arrays.

Everything chance and the patch decide about a note is decided once, when it begins. What then sounds is a
matrix with one row per strand; the columns are named by ``STRAND_VALUES``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from auralisd.kernel.layout import NOTE_VALUES, STRAND_VALUES
from auralisd.score import Note
from auralisd.synthesis.chance import Draws
from auralisd.synthesis.grid import SEGMENT_FRAMES, Floats, Integers
from auralisd.synthesis.oscillators import TABLE_ROWS, TableKey, table_key
from auralisd.synthesis.patches import Patch, Strand, patch_for
from auralisd.synthesis.ramps import LAYER_INDEX
from auralisd.units import SAMPLE_RATE_HZ, db_to_gain, midi_to_hz, seconds_to_frames

NEVER: Final = 1 << 60

_WHOLE: Final = frozenset({"source", "row", "offset", "walk"})
_ROW: Final = STRAND_VALUES.index("row")
_SHAPE: Final = slice(NOTE_VALUES.index("attack"), NOTE_VALUES.index("held") + 1)
_VIBRATO: Final = slice(NOTE_VALUES.index("vibrato_hz"), NOTE_VALUES.index("vibrato_delay") + 1)

REFERENCE_WET: Final = 0.8
"""Share of the reverb in what the loudness servo hears, whatever ``space`` says."""

_SOURCES: Final[Mapping[str, int]] = {"table": 0, "sine": 1, "saw": 2, "analogue": 3}
DRIFT_WALK: Final = 101
SWEEP_WALK: Final = 211
"""What tells a strand's slow walks apart: added to its key."""

SAW_STARTS: Final = tuple(0.381966 * saw for saw in range(3))  # of a cycle, so that no edges coincide
SAW_PLACES: Final = (-1.0, 0.0, 1.04)  # of the spread; uneven, so that they never beat as one
HIGHEST_EDGE_HZ: Final = 5_000.0
"""A saw's partials times its frequency, at most: nothing of it comes near Nyquist."""

_SECONDS_PER_DRIFT: Final = 3.0
"""A walk turns over in some 7 s: so many cycles of phase per Hz make the wanted change of pitch."""


@dataclass(slots=True)
class SoundingNote:
    """A note that is on, with all its chances taken.

    Attributes:
        note: as the score has it.
        patch: what it is played with.
        release_frames: when its release begins.
        end_frames: from here on it is silent.
        shape: attack, decay, sustain, release in seconds, and curve.
        strands: float64 ``(strands, STRAND_VALUES)``.
        tables: what its table strands read, in their order.
        vibrato: hertz, cents, delay in seconds.
        brightness: added to the control.
        joined_frames: where it was faded in late, or far in the past.
        cut_frames: where its fade to make room ends, or far in the future.
        poles: state of its analogue strands, float32 ``(2, strands)``; a view of what all notes' arrays move on.
    """

    note: Note
    patch: Patch
    release_frames: int
    end_frames: int
    shape: tuple[float, float, float, float, float]
    strands: Floats
    tables: tuple[TableKey, ...]
    vibrato: tuple[float, float, float]
    brightness: float
    joined_frames: int = -NEVER
    cut_frames: int = NEVER
    poles: npt.NDArray[np.float32] = field(default_factory=lambda: np.zeros((2, 0), dtype=np.float32))

    @property
    def silent_frames(self) -> int:
        """From here on nothing of it is heard, whatever the reason."""
        return min(self.end_frames, self.cut_frames)

    def release_at(self, at_frames: int) -> None:
        """Let the note end early; what has sounded stays as it was."""
        if at_frames < self.release_frames and not self.patch.envelope.rings:
            self.release_frames = max(at_frames, self.note.onset_frames)
            self.end_frames = min(self.end_frames, self.release_frames + seconds_to_frames(self.shape[3]))

    def place_tables(self, rows: list[int]) -> None:
        """Say where the tables of its table strands begin."""
        places = iter(rows)
        for strand in self.strands:
            if strand[0] == _SOURCES["table"]:
                strand[_ROW] = next(places)


@dataclass(slots=True)
class Arrays:
    """The sounding notes as arrays, rebuilt when one comes or goes; strands are sorted by source.

    Attributes:
        onset: float64 ``(notes,)``, absolute frames, as ``joined`` and ``cut``.
        shapes: float32 ``(6, notes)``: attack, decay, sustain, release, curve, seconds until release.
        layer: index of each note's layer.
        brightness: added to the control, per note.
        vibrato: float64 ``(3, notes)``: hertz, cents, delay.
        column: ``STRAND_VALUES``, each ``(strands,)``.
        owner: note of each strand.
        tables: how many strands read tables; they come first, then ``sines``, then ``saws``, then ``analogue``.
        poles: state of the analogue strands, float32 ``(2, analogue)``, moved on with each chunk.
        notes: the same numbers as the compiled mixer takes them, float64 ``(NOTE_VALUES, notes)`` ...
        strands: ... and float64 ``(STRAND_VALUES, strands)``.
        onto: gain of each strand onto each bus, float32 ``(BUSES, strands)``.
    """

    onset: Floats
    joined: Floats
    cut: Floats
    shapes: npt.NDArray[np.float32]
    layer: Integers
    brightness: Floats
    vibrato: Floats
    column: dict[str, npt.NDArray[Any]]
    owner: Integers
    tables: int
    sines: int
    saws: int
    analogue: int
    poles: npt.NDArray[np.float32]
    notes: Floats
    strands: Floats
    onto: npt.NDArray[np.float32]


def fitted_pitch(note: Note, patch: Patch) -> float:
    """MIDI pitch of ``note``, moved by octaves into the range of ``patch``."""
    pitch = note.pitch_midi + note.cents / 100.0
    while pitch < patch.lowest_midi:
        pitch += 12.0
    while pitch > patch.highest_midi:
        pitch -= 12.0
    return pitch


def tables_of(note: Note, seed: int, *, plain: bool = False) -> tuple[TableKey, ...]:
    """The tables ``note`` will read in the piece ``seed``."""
    return _tables(patch_for(note, seed, plain=plain), note)


def _tables(patch: Patch, note: Note) -> tuple[TableKey, ...]:
    pitch = fitted_pitch(note, patch)
    return tuple(
        table_key(strand.tone, pitch + 12.0 * math.log2(strand.ratio))
        for strand in patch.strands
        if strand.tone is not None
    )


def prepared(note: Note, seed: int, *, plain: bool = False) -> SoundingNote:
    """``note`` ready to sound, ``plain`` without its unisons; the tables are still to be placed."""
    return played_with(patch_for(note, seed, plain=plain), note, seed)


def played_with(patch: Patch, note: Note, seed: int) -> SoundingNote:
    """``note`` ready to sound with ``patch``; the tables are still to be placed."""
    draws = Draws(seed, note.layer, note.note_id)
    pitch = fitted_pitch(note, patch)
    envelope = patch.envelope
    duration = note.duration_frames / SAMPLE_RATE_HZ
    shortest, longest = envelope.attack_seconds
    attack = draws.uniform(shortest, longest)
    if not envelope.rings:
        attack = max(min(attack, 0.6 * duration), min(shortest, 0.05))
    held = attack + envelope.decay_seconds if envelope.rings else duration
    release_frames = note.onset_frames + max(SEGMENT_FRAMES, seconds_to_frames(held))
    end_frames = release_frames + seconds_to_frames(envelope.release_seconds)
    if envelope.sustain == 0.0:
        end_frames = min(end_frames, note.onset_frames + seconds_to_frames(attack + envelope.decay_seconds))
    level = patch.gain_db + patch.velocity_db * (note.velocity - 0.6) + patch.octave_db * (pitch - 60.0) / 12.0
    place = patch.scatter * draws.uniform(-1.0, 1.0)
    return SoundingNote(
        note=note,
        patch=patch,
        release_frames=release_frames,
        end_frames=end_frames,
        shape=(attack, envelope.decay_seconds, envelope.sustain, envelope.release_seconds, envelope.curve),
        strands=np.array(
            [_row(strand, patch, pitch, note.velocity, db_to_gain(level), place, draws) for strand in patch.strands]
        ),
        tables=_tables(patch, note),
        vibrato=(patch.vibrato_hz, patch.vibrato_cents, patch.vibrato_delay_seconds),
        brightness=patch.velocity_brightness * (note.velocity - 0.5),
        poles=np.zeros((2, sum(strand.source == "analogue" for strand in patch.strands)), dtype=np.float32),
    )


def _row(
    strand: Strand, patch: Patch, pitch_midi: float, velocity: float, level: float, place: float, draws: Draws
) -> list[float]:
    """The strand's ``STRAND_VALUES``."""
    frequency = midi_to_hz(pitch_midi + strand.detune_cents / 100.0) * strand.ratio
    angle = (min(max(place + patch.width * strand.pan, -1.0), 1.0) + 1.0) * math.pi / 4.0
    struck = bool(strand.drop_semitones) or patch.envelope.rings
    return [
        _SOURCES[strand.source],
        0,
        draws.integer(TABLE_ROWS),
        draws.integer(1 << 16),
        frequency,
        # What is struck begins at a zero crossing, all else anywhere, so that voices do not line up.
        0.0 if struck else draws.uniform(),
        frequency * (2.0 ** (strand.drift_cents / 1200.0) - 1.0) * _SECONDS_PER_DRIFT,
        frequency * (2.0 ** (strand.drop_semitones / 12.0) - 1.0) * strand.drop_seconds,
        1.0 / strand.drop_seconds,
        strand.partials,
        level * db_to_gain(strand.gain_db),
        strand.at_dark,
        strand.at_bright,
        math.log(1000.0) / strand.decay_seconds if strand.decay_seconds else 0.0,
        strand.movement,
        math.cos(angle),
        math.sin(angle),
        db_to_gain(patch.send_db + patch.velocity_send_db * (velocity - 0.6)),
        db_to_gain(patch.delay_db),
        strand.spread_cents,
        frequency * strand.cutoff_ratio,
        strand.opening_octaves,
        strand.sweep_octaves,
        strand.q,
    ]


def as_arrays(sounding: list[SoundingNote]) -> Arrays:
    """All notes of ``sounding``, at least one, side by side."""
    strands = np.concatenate([s.strands for s in sounding])
    owner = np.repeat(np.arange(len(sounding)), [len(s.strands) for s in sounding])
    order = np.argsort(strands[:, 0], kind="stable")
    columns, owner = strands[order].T.copy(), owner[order]
    column = {
        name: values.astype(np.int64) if name in _WHOLE else values
        for name, values in zip(STRAND_VALUES, columns, strict=True)
    }
    counts = np.bincount(column["source"], minlength=4)
    notes = np.array([_note_values(s) for s in sounding]).T.copy()
    value = dict(zip(NOTE_VALUES, notes, strict=True))
    return Arrays(
        onset=value["onset"],
        joined=value["joined"],
        cut=value["cut"],
        shapes=notes[_SHAPE].astype(np.float32),
        layer=value["layer"].astype(np.int64),
        brightness=value["brightness"],
        vibrato=notes[_VIBRATO],
        column=column,
        owner=owner,
        tables=int(counts[0]),
        sines=int(counts[1]),
        saws=int(counts[2]),
        analogue=int(counts[3]),
        poles=_shared_poles(sounding),
        notes=notes,
        strands=columns,
        onto=_gains_onto_buses(column),
    )


def _note_values(sounding: SoundingNote) -> tuple[float, ...]:
    """The note's ``NOTE_VALUES``."""
    note = sounding.note
    held = (sounding.release_frames - note.onset_frames) / SAMPLE_RATE_HZ
    return (
        note.onset_frames, sounding.joined_frames, sounding.cut_frames, *sounding.shape, held,
        LAYER_INDEX[note.layer], sounding.brightness, *sounding.vibrato,
    )  # fmt: skip


def _gains_onto_buses(column: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.float32]:
    """How much of each strand goes to each bus, before envelopes and faders: float32 ``(BUSES, strands)``."""
    left, right, send = column["left"], column["right"], column["send"]
    own = np.sqrt(1.0 + send * send * REFERENCE_WET * REFERENCE_WET)
    onto = (left, right, left * send, right * send, column["delay"] * 0.7071, left * own, right * own)
    return np.stack(onto).astype(np.float32)


def _shared_poles(sounding: list[SoundingNote]) -> npt.NDArray[np.float32]:
    """The poles of all notes in one array, in the order of their strands; each note keeps a view of its own."""
    poles = np.concatenate([s.poles for s in sounding], axis=1)
    first = 0
    for note in sounding:
        last = first + note.poles.shape[1]
        note.poles = poles[:, first:last]
        first = last
    return poles

"""Layers: registers, dynamics, who plays when, and how much sounds at all."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from auralisd.composition.audit.melody_rules import MIDDLING
from auralisd.composition.audit.reading import BREATH_FRAMES, Reading
from auralisd.composition.audit.rule import Measured, NotJudged, Rule, counted, spanning
from auralisd.composition.chords import CALM_INTENSITY
from auralisd.composition.percussion import SILENT_INTENSITY
from auralisd.score import Note
from auralisd.units import SAMPLE_RATE_HZ, frames_to_seconds

REGISTERS: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {"drone": (33, 45), "pad": (40, 79), "loops": (55, 76), "melody": (60, 79), "bells": (69, 91)}
)
VELOCITY: Final = (0.2, 0.8)
JITTER_MS: Final = (12.0, 35.0)
BREATH_SECONDS: Final = 8.0

_RETURNING_FRAMES: Final = 10 * SAMPLE_RATE_HZ
_MINUTE_FRAMES: Final = 60 * SAMPLE_RATE_HZ
_DRONE_GAP_SECONDS: Final = 8.0
_TICKS_PER_BAR: Final = 16
_ROUNDING_MS: Final = 0.05


def _out_of_register(reading: Reading) -> Measured:
    return counted(
        [
            note.onset_frames
            for note in reading.pitched
            if note.layer in REGISTERS and not REGISTERS[note.layer][0] <= note.pitch_midi <= REGISTERS[note.layer][1]
        ]
    )


def _velocities(reading: Reading) -> Measured | NotJudged:
    velocities = [note.velocity for note in reading.piece.notes]
    return Measured(values=(min(velocities), max(velocities))) if velocities else NotJudged("a note")


def _uninvited(reading: Reading) -> Measured:
    sections = reading.piece.sections
    return counted(
        [
            note.onset_frames
            for note in reading.piece.notes
            if (place := reading.section_place(note.onset_frames)) >= 0 and note.layer not in sections[place].layers
        ]
    )


def _drone_gap(reading: Reading) -> Measured | NotJudged:
    drones = [note for note in reading.piece.notes if note.layer == "drone"]
    if not drones:
        return NotJudged("a drone")
    worst, where, covered = 0, None, drones[0].onset_frames
    for note in drones:
        if note.onset_frames - covered > worst:
            worst, where = note.onset_frames - covered, covered
        covered = max(covered, note.onset_frames + note.duration_frames)
    return Measured(values=(frames_to_seconds(worst),), at_frames=where)


def _jitter(reading: Reading) -> Measured | NotJudged:
    """How far melody notes lie off the sixteenth they mean, in bars of even tempo."""
    bars = reading.piece.bars
    onsets = [bar.onset_frames for bar in bars]
    offsets: list[tuple[float, int]] = []
    for note in reading.melody:
        place = bisect_right(onsets, note.onset_frames) - 1
        if place < 1 or place + 2 >= len(bars) or len({bar.tempo_bpm for bar in bars[place - 1 : place + 3]}) > 1:
            continue
        tick = (onsets[place + 1] - onsets[place]) / _TICKS_PER_BAR
        off = (note.onset_frames - onsets[place]) / tick
        offsets.append((1000 * abs(off - round(off)) * tick / SAMPLE_RATE_HZ, note.onset_frames))
    if not offsets:
        return NotJudged("melody in bars of even tempo")
    return spanning(offsets, *JITTER_MS)


def _hits_a_minute(reading: Reading) -> Measured:
    onsets = [note.onset_frames for note in reading.piece.notes if note.layer == "percussion"]
    counts = [(bisect_right(onsets, onset + _MINUTE_FRAMES - 1) - place, onset) for place, onset in enumerate(onsets)]
    most, where = max(counts, default=(0, None))
    return Measured(values=(float(most),), at_frames=where)


def _loud_hits(reading: Reading) -> Measured | NotJudged:
    hits = [note.onset_frames for note in reading.piece.notes if note.layer == "percussion"]
    intensities = [reading.control_at("intensity", hit) for hit in hits] or [reading.control_at("intensity", 0)]
    if None in intensities:
        return NotJudged("to be told the intensity")
    return counted([hit for hit, intensity in zip(hits, intensities, strict=False) if intensity <= SILENT_INTENSITY])


def _pitches_in_eight_bars(reading: Reading) -> Measured | NotJudged:
    """As a rule, that is the median of all eight-bar spans; the words tell the middle half of them too."""
    if reading.steady("intensity") != MIDDLING or reading.steady("tempo_bpm") is None:
        return NotJudged(f"a steady intensity of {MIDDLING}")
    bars = reading.piece.bars[::8]
    if len(bars) < 20:
        return NotJudged("160 bars")
    onsets = [note.onset_frames for note in reading.pitched]
    counts = sorted(
        len(
            {
                n.pitch_midi
                for n in reading.pitched[bisect_left(onsets, a.onset_frames) : bisect_left(onsets, b.onset_frames)]
            }
        )
        for a, b in pairwise(bars)
    )
    quarters = [counts[len(counts) * share // 4] for share in (1, 2, 3)]
    words = f"{quarters[1]} as a rule, half of all spans {quarters[0]} to {quarters[2]}"
    return Measured(values=(float(quarters[1]),), words=words)


def _silence(reading: Reading) -> Measured | NotJudged:
    intensity = reading.steady("intensity")
    if intensity is None or intensity > CALM_INTENSITY:
        return NotJudged(f"a steady intensity of {CALM_INTENSITY} or less")
    silent = sum(end - start for start, end in reading.silences)
    needs = "" if reading.hours else "an hour"
    return Measured(values=(100 * silent / max(1, reading.frames),), needs=needs)


def _breaths(reading: Reading) -> Measured | NotJudged:
    """From the first voice of the pad that leaves to the last, and likewise when they return."""
    voices: dict[int, list[Note]] = {}
    for note in reading.piece.notes:
        if note.layer == "pad":
            voices.setdefault(note.chord_index, []).append(note)
    chords = reading.piece.chords
    slowness: list[tuple[float, int]] = []
    for start, end in reading.silences:
        place = bisect_right(reading.chord_onsets, start) - 1
        cut_off = end + _RETURNING_FRAMES > reading.piece.end_frames
        if end - start < BREATH_FRAMES or cut_off or not 0 <= place < len(chords) - 1:
            continue
        leaving, coming = (voices.get(chord.index, []) for chord in chords[place : place + 2])
        returned = end + int(BREATH_SECONDS + 1) * SAMPLE_RATE_HZ
        if not reading.touched(chords[place].onset_frames, returned):
            slowness.append((_spread_seconds([n.onset_frames + n.duration_frames for n in leaving]), start))
            slowness.append((_spread_seconds([n.onset_frames for n in coming]), end))
    if not slowness:
        return NotJudged("a rest of the whole ensemble")
    return Measured(values=(min(slowness)[0],), at_frames=min(slowness)[1])


def _spread_seconds(frames: list[int]) -> float:
    return frames_to_seconds(max(frames) - min(frames)) if frames else 0.0


LAYER_RULES: Final = (
    Rule("layers", "each layer keeps its register", "0 notes outside", _out_of_register, high=0, unit="notes"),
    Rule(
        "layers",
        "nothing is loud, nothing is lost",
        "velocity 0.2 to 0.8",
        _velocities,
        low=VELOCITY[0],
        high=VELOCITY[1],
    ),
    Rule("layers", "only the section's layers play", "0 others", _uninvited, high=0, unit="notes"),
    Rule("layers", "the drone stays", "no gap over 8 s", _drone_gap, high=_DRONE_GAP_SECONDS, unit="s"),
    Rule(
        "layers",
        "timing is human",
        "12 to 35 ms off the grid",
        _jitter,
        low=JITTER_MS[0] - _ROUNDING_MS,
        high=JITTER_MS[1] + _ROUNDING_MS,
        unit="ms",
    ),
    Rule("layers", "percussion is sparse", "at most 12 hits in any minute", _hits_a_minute, high=12, unit="hits"),
    Rule(
        "layers", "percussion is silent when calm", "0 hits at intensity 0.2 or less", _loud_hits, high=0, unit="hits"
    ),
    Rule("layers", "pitches are few", "6 to 12 in eight bars at intensity 0.5", _pitches_in_eight_bars, low=6, high=12),
    Rule("layers", "silence is material", "5 to 15 % at most drone when calm", _silence, low=5, high=15, unit="%"),
    Rule("layers", "silences come and go slowly", "over 8 s or more", _breaths, low=BREATH_SECONDS - 0.05, unit="s"),
)

"""Melody: its shares of chord tones, its steps and leaps, its phrases and rests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Final

from auralisd.composition.audit.reading import Reading
from auralisd.composition.audit.rule import Measured, NotJudged, Rule, counted, spanning
from auralisd.composition.quota import TWENTIETHS, Kind
from auralisd.score import Note
from auralisd.units import SAMPLE_RATE_HZ, frames_to_seconds

WINDOW_NOTES: Final = 1_000
LONG_NOTE_FRAMES: Final = SAMPLE_RATE_HZ
INTERVALS_NEEDED: Final = 100
NEIGHBOUR_SECONDS: Final = 0.4
REST_SECONDS: Final = (4.0, 20.0)
MIDDLING: Final = 0.5
"""The intensity for which notes a bar and pitches in eight bars are stated."""

_THIRD: Final = 4
_FIFTH: Final = 7


def _shares(reading: Reading) -> Measured | NotJudged:
    """Of any share from the wanted one over any window, found by sliding a count along."""
    kinds = reading.melody_kinds
    if len(kinds) < WINDOW_NOTES:
        return NotJudged(f"{WINDOW_NOTES:,} notes of melody")
    count, worst, where = Counter(kinds[:WINDOW_NOTES]), 0.0, 0
    for place in range(WINDOW_NOTES, len(kinds) + 1):
        deviation = max(100 * abs(count[kind] / WINDOW_NOTES - TWENTIETHS[kind] / 20) for kind in Kind)
        if deviation > worst:
            worst, where = deviation, place - WINDOW_NOTES
        if place < len(kinds):
            count[kinds[place]] += 1
            count[kinds[place - WINDOW_NOTES]] -= 1
    return Measured(values=(worst,), at_frames=reading.melody[where].onset_frames)


def _long_notes(reading: Reading) -> Measured | NotJudged:
    long = [
        kind
        for note, kind in zip(reading.melody, reading.melody_kinds, strict=True)
        if note.duration_frames > LONG_NOTE_FRAMES
    ]
    if not long:
        return NotJudged("long notes of melody")
    needs = "" if len(long) >= INTERVALS_NEEDED else f"{INTERVALS_NEEDED} long notes"
    return Measured(values=(100 * long.count(Kind.CHORD) / len(long),), needs=needs)


def _unresolved(reading: Reading) -> Measured:
    followed = [*pairwise(reading.melody)]
    hanging = [
        before.onset_frames
        for before, after in followed
        if before.role == "neighbour" and abs(after.pitch_midi - before.pitch_midi) not in (1, 2)
    ]
    return counted(hanging)


def _neighbour_length(reading: Reading) -> Measured | NotJudged:
    neighbours = [note for note in reading.melody if note.role == "neighbour"]
    if not neighbours:
        return NotJudged("chromatic neighbours")
    longest = max(neighbours, key=lambda note: note.duration_frames)
    return Measured(values=(frames_to_seconds(longest.duration_frames),), at_frames=longest.onset_frames)


def _intervals(reading: Reading) -> list[tuple[Note, Note]]:
    """Neighbouring notes of a phrase, ornaments left out."""
    return [
        pair for phrase in reading.phrases for pair in pairwise(note for note in phrase if note.role != "neighbour")
    ]


def _small_steps(reading: Reading) -> Measured | NotJudged:
    return _interval_share(reading, lambda semitones: semitones <= _THIRD)


def _leaps(reading: Reading) -> Measured | NotJudged:
    return _interval_share(reading, lambda semitones: semitones > _FIFTH)


def _interval_share(reading: Reading, counts: Callable[[int], bool]) -> Measured | NotJudged:
    sizes = [abs(after.pitch_midi - before.pitch_midi) for before, after in _intervals(reading)]
    if not sizes:
        return NotJudged("a phrase of melody")
    needs = "" if len(sizes) >= INTERVALS_NEEDED else f"{INTERVALS_NEEDED} intervals"
    return Measured(values=(100 * sum(counts(size) for size in sizes) / len(sizes),), needs=needs)


def _unanswered_leaps(reading: Reading) -> Measured:
    """Leaps over a fifth that the phrase does not answer by a step the other way."""
    alone = []
    for phrase in reading.phrases:
        notes = [note for note in phrase if note.role != "neighbour"]
        for place, (before, after) in enumerate(pairwise(notes)):
            leap = after.pitch_midi - before.pitch_midi
            if abs(leap) > _FIFTH:
                answer = notes[place + 2].pitch_midi - after.pitch_midi if place + 2 < len(notes) else 0
                if answer * leap >= 0 or abs(answer) > 2:
                    alone.append(before.onset_frames)
    return counted(alone)


def _notes_a_bar(reading: Reading) -> Measured | NotJudged:
    if reading.steady("intensity") != MIDDLING or reading.steady("tempo_bpm") is None:
        return NotJudged(f"a steady intensity of {MIDDLING}")
    if len(reading.phrases) < 10 or len(reading.piece.bars) < 2:
        return NotJudged("10 phrases of melody")
    bars = reading.piece.bars
    bar = (bars[-1].onset_frames - bars[0].onset_frames) / (len(bars) - 1)
    frames = sum(
        phrase[-1].onset_frames + phrase[-1].duration_frames - phrase[0].onset_frames for phrase in reading.phrases
    )
    return Measured(values=(len(reading.melody) * bar / max(1, frames),))


def _rests(reading: Reading) -> Measured | NotJudged:
    """Between phrases that follow each other while the melody plays and the ensemble does not breathe."""
    rests: list[tuple[float, int]] = []
    for before, after in pairwise(reading.phrases):
        end = before[-1].onset_frames + before[-1].duration_frames
        onset = after[0].onset_frames
        between = reading.piece.sections[
            reading.section_place(before[-1].onset_frames) : reading.section_place(onset) + 1
        ]
        away = any("melody" not in section.layers for section in between)
        if not away and not reading.touched(end, onset) and not reading.breathes(end, onset):
            rests.append((frames_to_seconds(onset - end), end))
    if not rests:
        return NotJudged("two phrases of melody")
    return spanning(rests, *REST_SECONDS)


MELODY_RULES: Final = (
    Rule(
        "melody",
        "the melody keeps its shares",
        "70/25/5 +-2 points over any 1,000 notes",
        _shares,
        high=2,
        unit="points off",
    ),
    Rule("melody", "long notes rest on the chord", "at least 65 %", _long_notes, low=65, unit="%"),
    Rule("melody", "neighbours resolve by step", "0 left hanging", _unresolved, high=0),
    Rule(
        "melody",
        "neighbours pass quickly",
        f"within {NEIGHBOUR_SECONDS} s",
        _neighbour_length,
        high=NEIGHBOUR_SECONDS,
        unit="s",
    ),
    Rule("melody", "the melody walks", "at least 70 % steps and thirds", _small_steps, low=70, unit="%"),
    Rule("melody", "the melody seldom leaps", "at most 5 % over a fifth", _leaps, high=5, unit="%"),
    Rule("melody", "leaps are answered", "by a step the other way", _unanswered_leaps, high=0, unit="unanswered"),
    Rule(
        "melody",
        "phrases are unhurried",
        "1 to 3 notes a bar at intensity 0.5",
        _notes_a_bar,
        low=1,
        high=3,
        unit="a bar",
    ),
    Rule("melody", "phrases rest", "4 to 20 s", _rests, low=REST_SECONDS[0], high=REST_SECONDS[1], unit="s"),
)

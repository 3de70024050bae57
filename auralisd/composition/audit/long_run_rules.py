"""The long run: that hour 8 is as alive as hour 1, and is reached without the hours between."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Final

from auralisd.composition.audit.reading import HOUR_FRAMES, Reading
from auralisd.composition.audit.rule import Measured, NotJudged, Rule
from auralisd.score import ScoreSlice, event_lines

HOURS: Final = 8
ALIVE_PERCENT: Final = 12


def _degree_entropy(reading: Reading) -> Measured | NotJudged:
    return _drift(reading, lambda start, end: (c.degree for c in reading.piece.chords if start <= c.onset_frames < end))


def _pitch_entropy(reading: Reading) -> Measured | NotJudged:
    return _drift(
        reading, lambda start, end: (n.pitch_midi % 12 for n in reading.pitched if start <= n.onset_frames < end)
    )


def _drift(reading: Reading, within: Callable[[int, int], Iterator[int]]) -> Measured | NotJudged:
    """How far hour 8 is from hour 1, in percent of hour 1."""
    if len(reading.hours) < HOURS:
        return NotJudged(f"{HOURS} h")
    first, last = reading.hours[0], reading.hours[HOURS - 1]
    before, after = (entropy_bits(within(*hour)) for hour in (first, last))
    words = f"{100 * abs(after / before - 1):.1f} % ({before:.2f} and {after:.2f} bits)"
    return Measured(values=(100 * abs(after / before - 1),), at_frames=last[0], words=words)


def entropy_bits(items: Iterable[Hashable]) -> float:
    """Shannon entropy of how often each item occurs."""
    counts = Counter(items)
    whole = counts.total()
    return -sum(count / whole * math.log2(count / whole) for count in counts.values())


def _cold_start(reading: Reading) -> Measured | NotJudged:
    """Events that differ between the piece played through and the same piece begun late."""
    if reading.rejoined is None:
        return NotJudged("a seed, to compose from there")
    start = reading.rejoined.start_frames
    through, cold = (set(event_lines(_from(piece, start))) for piece in (reading.piece, reading.rejoined))
    different = through ^ cold
    hours = start / HOUR_FRAMES
    return Measured(
        values=(float(len(different)),),
        at_frames=start if different else None,
        words=f"{len(different)} of {len(cold)} events differ from {hours:.2g} h on",
    )


def _from(piece: ScoreSlice, start_frames: int) -> ScoreSlice:
    return ScoreSlice(
        start_frames=start_frames,
        end_frames=piece.end_frames,
        notes=tuple(note for note in piece.notes if note.onset_frames >= start_frames),
        chords=tuple(chord for chord in piece.chords if chord.onset_frames >= start_frames),
        sections=tuple(section for section in piece.sections if section.onset_frames >= start_frames),
        bars=tuple(bar for bar in piece.bars if bar.onset_frames >= start_frames),
        controls=tuple(change for change in piece.controls if change.at_frames >= start_frames),
    )


LONG_RUN_RULES: Final = (
    Rule(
        "long run",
        "degrees stay as varied",
        "hour 8 within 12 % of hour 1",
        _degree_entropy,
        high=ALIVE_PERCENT,
        unit="%",
    ),
    Rule(
        "long run",
        "pitches stay as varied",
        "hour 8 within 12 % of hour 1",
        _pitch_entropy,
        high=ALIVE_PERCENT,
        unit="%",
    ),
    Rule("long run", "a cold start joins the same piece", "0 events differ", _cold_start, high=0),
)

"""Motifs: that each one comes back while it is remembered, rests, and is renewed in time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from auralisd.composition.audit.reading import Reading
from auralisd.composition.audit.rule import Measured, NotJudged, Rule, spanning
from auralisd.composition.form import SECTIONS_PER_CYCLE
from auralisd.score import Note
from auralisd.units import SAMPLE_RATE_HZ

RETURN_MINUTES: Final = (2.0, 6.0)
REST_MINUTES: Final = 15.0
RETURNS: Final = 4

_MINUTE_FRAMES: Final = 60 * SAMPLE_RATE_HZ
_SAME_STATEMENT_FRAMES: Final = _MINUTE_FRAMES


def motif_statements(notes: Sequence[Note]) -> dict[int, list[int]]:
    """Per motif the frames at which it is stated; its phrases in a row are one statement."""
    statements: dict[int, list[int]] = {}
    heard: dict[int, int] = {}
    last = -1
    for note in sorted((note for note in notes if note.motif >= 0), key=lambda note: note.onset_frames):
        motif, onset = note.motif, note.onset_frames
        if motif != last or onset - heard[motif] > _SAME_STATEMENT_FRAMES:
            statements.setdefault(motif, []).append(onset)
        last, heard[motif] = motif, onset
    return statements


def _returns(reading: Reading) -> Measured | NotJudged:
    """Waits that are neither a return nor a rest are too short, or too long for one and too short for the other."""
    waits = [
        ((later - earlier) / _MINUTE_FRAMES, later)
        for frames in motif_statements(reading.piece.notes).values()
        for earlier, later in pairwise(frames)
        if (later - earlier) < REST_MINUTES * _MINUTE_FRAMES and not reading.touched(earlier, later)
    ]
    if not waits:
        return NotJudged("a motif that returns")
    return spanning(waits, *RETURN_MINUTES)


def _rounds(reading: Reading) -> Measured | NotJudged:
    """How often a motif returns from one rest to the next, in the rounds that the piece holds whole."""
    wait = round(RETURN_MINUTES[1] * _MINUTE_FRAMES)
    counts: list[tuple[float, int]] = []
    for frames in motif_statements(reading.piece.notes).values():
        rests = [n for n in range(1, len(frames)) if frames[n] - frames[n - 1] >= REST_MINUTES * _MINUTE_FRAMES]
        for first, after in pairwise([0, *rests, len(frames)]):
            begun, over = frames[first], frames[after - 1]
            whole = reading.piece.start_frames + wait < begun and over < reading.piece.end_frames - wait
            if (whole and not reading.touched(begun, over)) or after - first - 1 > RETURNS:
                counts.append((float(after - first - 1), begun))
    return spanning(counts, RETURNS, RETURNS) if counts else NotJudged("a whole round of a motif's returns")


def _renewed(reading: Reading) -> Measured | NotJudged:
    """Motifs heard for the first time, cycle by cycle, over the cycles that are there whole."""
    sections = reading.piece.sections
    cycles = [section.index // SECTIONS_PER_CYCLE for section in sections]
    whole = sorted(set(cycles))[1:-1]
    if len(whole) < 2 or reading.piece.start_frames:
        return NotJudged("four form cycles from the beginning")
    first_heard = {motif: frames[0] for motif, frames in motif_statements(reading.piece.notes).items()}
    fresh = dict.fromkeys(sorted(set(cycles)), 0)
    for frame in first_heard.values():
        fresh[cycles[max(0, reading.section_place(frame))]] += 1
    renewals = sum(fresh[cycle] for cycle in whole)
    return Measured(values=(renewals / len(whole),), words=f"{renewals} new in {len(whole)} cycles")


MOTIF_RULES: Final = (
    Rule(
        "motifs",
        "motifs come back",
        "after 2 to 6 min, or rest 15 min",
        _returns,
        low=RETURN_MINUTES[0],
        high=RETURN_MINUTES[1],
        unit="min",
    ),
    Rule(
        "motifs",
        "motifs return four times, then rest",
        "4 returns, then 15 min",
        _rounds,
        low=RETURNS,
        high=RETURNS,
        unit="returns",
    ),
    Rule(
        "motifs",
        "one motif is renewed each cycle",
        "0.5 to 1.5 new a cycle",
        _renewed,
        low=0.5,
        high=1.5,
        unit="a cycle",
    ),
)

"""Phrases that finish in time, and layers that remember the motif while the melody is away."""

from __future__ import annotations

from bisect import bisect_right
from functools import cache
from itertools import groupby, pairwise

import pytest

from auralisd.composition import Composer
from auralisd.composition.audit import Reading
from auralisd.composition.chance import Chance
from auralisd.composition.motif import SLOT_FRAMES, motif_due, slot_at
from auralisd.composition.quota import Kind
from auralisd.controls import Controls
from auralisd.score import Note, ScoreSlice, Section, joined
from auralisd.units import SAMPLE_RATE_HZ

HOUR = 3600 * SAMPLE_RATE_HZ
SEED = 3


@cache
def hours(intensity: float, tempo_bpm: float) -> ScoreSlice:
    """Two hours, with several sections that have no melody."""
    return joined([Composer(seed=SEED, controls=Controls(intensity=intensity, tempo_bpm=tempo_bpm)).advance(2 * HOUR)])


def section_of(piece: ScoreSlice, note: Note) -> Section:
    return piece.sections[bisect_right([one.onset_frames for one in piece.sections], note.onset_frames) - 1]


PACES = [(0.2, 40.0), (0.5, 60.0), (1.0, 120.0)]


@pytest.mark.parametrize(("intensity", "tempo_bpm"), PACES)
def test_every_phrase_is_spoken_to_its_end_before_the_section_is_over(intensity: float, tempo_bpm: float) -> None:
    piece = hours(intensity, tempo_bpm)
    phrases = Reading(piece).phrases
    assert len(phrases) > 100
    for phrase in phrases:
        section = section_of(piece, phrase[0])
        assert phrase[-1].onset_frames + phrase[-1].duration_frames <= section.onset_frames + section.duration_frames
        assert len({note.motif for note in phrase}) == 1
        assert len(phrase) >= 3
        assert phrase[-1].onset_frames - phrase[0].onset_frames <= 36 * SAMPLE_RATE_HZ


@pytest.mark.parametrize(("intensity", "tempo_bpm"), PACES)
def test_every_slot_of_the_timetable_hears_its_motif(intensity: float, tempo_bpm: float) -> None:
    piece = hours(intensity, tempo_bpm)
    stated: dict[int, set[int]] = {}
    for _, group in groupby((note for note in piece.notes if note.motif >= 0), key=lambda n: (n.layer, n.phrase)):
        first = next(group)
        stated.setdefault(slot_at(first.onset_frames), set()).add(first.motif)
    for slot in range(2 * HOUR // SLOT_FRAMES):
        assert motif_due(Chance(SEED), slot * SLOT_FRAMES).number in stated[slot]


@pytest.mark.parametrize(("intensity", "tempo_bpm"), PACES)
def test_bells_or_loops_quote_only_while_the_melody_is_away(intensity: float, tempo_bpm: float) -> None:
    piece = hours(intensity, tempo_bpm)
    quotes = [note for note in piece.notes if note.role == "quote"]
    assert len(quotes) > 20
    for note in quotes:
        layers = section_of(piece, note).layers
        assert "melody" not in layers
        assert note.layer == ("bells" if "bells" in layers else "loops")


def test_a_quote_begins_and_ends_on_the_chord_and_keeps_the_motifs_rhythm() -> None:
    piece = hours(0.5, 60.0)
    reading = Reading(piece)
    quotes = [note for note in piece.notes if note.role == "quote"]
    for (_, number), group in groupby(quotes, key=lambda note: (note.layer, note.phrase)):
        notes = list(group)
        if len(notes) < 3 or section_of(piece, notes[0]) is not section_of(piece, notes[-1]):
            continue
        motif = motif_due(Chance(SEED), number * SLOT_FRAMES)
        assert {reading.kind(notes[0]), reading.kind(notes[-1])} == {Kind.CHORD}
        waits = [b.onset_frames - a.onset_frames for a, b in pairwise(notes)]
        for wait, length in zip(waits, motif.lengths, strict=False):
            assert abs(wait * motif.lengths[0] - waits[0] * length) <= 20
